//! A large object's way from the source to the target, as a state machine without I/O: all but its parts.

internal import S3

/// The copy of one object that moves in parts.
///
/// It takes over from a `Transfer` that has learnt what the object is. What it does itself are single requests without
/// bytes of the object; for the parts it steps aside (`park`), and the ledger gives them to all workers. So it holds
/// neither a slot nor memory while terabytes move. Its files follow the object: `-beginning`, `-parts`,
/// `-completing`, and `-faults`.
public struct MultipartCopy: Sendable {
    /// What the copy waits for.
    enum Step: Sendable {
        /// → `askingLayout`, `awaitingTurn`
        case idle
        /// For a HEAD of the source's first part. → `awaitingTurn`
        case askingLayout
        /// For the ledger to let one more large object begin. → `checkingTarget`
        case awaitingTurn
        /// For a HEAD: has the target the key already? → `cancelling`, `listingParts`, `recording`, `finished`
        case checkingTarget
        /// For the end of an upload that is of no use. → what comes after it
        case cancelling(UploadCancellation, then: AfterCancelling)
        /// For a line of uploads.log to be on the disk. → what comes after it
        case recording(then: AfterRecord)
        /// → `recording`
        case creating
        /// For what an earlier run has sent. → `copyingParts`, `recheckingSource`
        case listingParts(after: Int)
        /// For the workers. → `recording`, `cancelling`, `copyingParts`
        case copyingParts
        /// For a HEAD: has the source the object still? → `checkingAgain`, `completing`, `cancelling`
        case recheckingSource
        /// For a HEAD that takes the place of the condition. → `completing`, `cancelling`
        case checkingAgain
        /// → `measuring`, `settling`, `listingParts`, `puttingTags`, `recording`, `cancelling`
        case completing
        /// For a HEAD that says whose object the target has. → `recheckingSource`, `puttingTags`, `recording`,
        /// `cancelling`
        case settling
        /// For a HEAD of our own object, whose ETag we were not told. → `puttingTags`, `recording`
        case measuring
        /// → `recording`
        case puttingTags
        /// → that step
        case backingOff(then: Retry)
        case finished
    }

    enum AfterRecord: Sendable {
        case create
        case createAgain
        /// The intent that had become too old is off the books.
        case intend
        /// With the id that Create was answered with.
        case open(String)
        case abandon(AfterCancelling)
        case copyParts
        case recheckSource
        case conclude(Outcome)
        /// The upload that was aborted is off the books.
        case cancelled(AfterCancelling)
    }

    indirect enum AfterCancelling: Sendable {
        /// With the next upload of an earlier run, or a new one.
        case upload
        /// Everything from the target's HEAD on.
        case startOver
        /// The object from its first byte: it changed.
        case readAgain
        case conclude(Outcome)
    }

    /// Where a step begins again.
    enum Retry: Sendable {
        case askLayout
        case checkTarget
        case cancel(UploadCancellation, then: AfterCancelling)
        case create
        /// Behind the parts that are known.
        case listParts(after: Int)
        case recheckSource
        case complete
        case settle
        case measure
        case putTags
        /// The object itself.
        case readAgain
    }

    public let item: WorkItem
    let facts: ObjectFacts
    let targetBucket: String
    var tags: [ObjectTag]
    let begun: Instant
    var losses: Losses
    var step = Step.idle
    var asked = Request(.get, operation: "", bucket: "")
    public internal(set) var wasDownloaded = false

    /// What was left out of its metadata.
    var cut = MetadataCut.nothing
    /// The copy was looked at for what became of its metadata.
    var hasSeenMetadata = false
    /// What an earlier run left out when it created the upload, nobody wrote down.
    var isOfEarlierCreate = false

    // The layout

    var plan: PartPlan
    /// The parts are those of the source, so that the ETags have to agree: as sure as the source told it.
    var layout = Layout.own
    /// The target refused the source's layout.
    var mustUseOwnLayout = false

    // The upload

    var record: UploadRecord?
    /// When its intent was written.
    var intendedAt: Instant
    /// How many Creates of ours may have been carried out although we never heard their ids.
    var createsUnheard = 0
    /// The target's clock in an answer that came at `datedAt`; so it is never ahead of the target.
    var targetDate: Timestamp?
    var datedAt: Instant
    var receipts: [Int: PartReceipt] = [:]
    /// Every part was read a second time, because the ETags did not agree.
    var wasReadTwice = false
    /// How often that was begun.
    var doubts = 0
    /// A Complete of ours may have been carried out although we saw no success.
    var mayHaveCompleted = false
    /// The last upload that such a Complete was of, when it is given up: its object may still appear.
    var pastCompletion: UploadRecord?
    var invalidParts = 0
    var written: ETag?
    var proof: Proof?
    /// The MD5s of the parts give the source's ETag, so they speak of its bytes and not only of what we received.
    var isProofOfSource = false
    /// The target has shown our object.
    var wasProved = false
    var shownAt: Instant
    /// What the target showed last, when that was written, and when the source's object was.
    var found: ObjectFacts?
    var targetWrite: WriteTime?
    let sourceWrite: WriteTime?
    /// What Complete is to find at the key.
    var place = Place.free
    /// How often an object was found that may be replaced.
    var replacementCount = 0
    /// The target says that it does not know our upload.
    var isUploadGone = false
    /// When the source was asked last, before Complete, and how often in a row.
    var askedAt: Instant
    var recheckCount = 0

    // What went wrong

    var attempts: Attempts
    var restarts: Int
    var warnings: [String] = []
    /// Uploads of earlier runs that nobody has looked at yet.
    var earlier: [UploadRecord]
    /// Those that could not be aborted, which stay on the books.
    var leftBehind: [UploadRecord] = []
    /// What an earlier run completed: if the target still shows it, it is ours.
    let completedBefore: [UploadRecord]

    enum Layout: Sendable {
        case own
        /// The number of parts fits, and the source told no more.
        case guessed
        case told
    }
}

extension MultipartCopy {
    /// - Parameter restarts: how often the object has been begun again before.
    init(
        item: WorkItem, facts: ObjectFacts, tags: [ObjectTag], losses: Losses, begun: Instant,
        restarts: Int, attempts: Int, sourceWrite: WriteTime? = nil, now: Instant,
        rules: TransferRules
    ) {
        precondition(facts.sizeBytes > 0, "an empty object has no parts")
        self.item = item
        self.facts = facts
        self.targetBucket = rules.targetBucket
        self.tags = tags
        self.losses = losses
        self.begun = begun
        self.restarts = restarts
        self.attempts = Attempts(count: attempts)
        self.sourceWrite = sourceWrite
        self.shownAt = now
        self.intendedAt = now
        self.datedAt = now
        self.askedAt = now
        self.earlier = item.earlierUploads.filter { $0.state != .completed }
        self.completedBefore = item.earlierUploads.filter { $0.state == .completed }
        self.plan = PartPlan.ours(sizeBytes: facts.sizeBytes, partBytes: rules.partBytes)
    }

    var sizeBytes: Int64 { facts.sizeBytes }

    /// What the operator should be told, once.
    public mutating func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }

    /// Takes an event and says what is to be done next.
    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        switch event {
        case .begin: return beginning(in: context)
        case .turn: return checkTarget(in: context)
        case .recorded: return recorded(in: &context)
        case .partsEnded(let report): return partsEnded(report, in: &context)
        case .woken: return woken(in: &context)
        case .broken(let fault): return broken(fault, in: &context)
        case .answered(let result):
            if result.timesResent > 0 { wasResent(result.timesResent) }
            return answered(result.response, in: &context)
        case .granted, .digested: preconditionFailure("\(event) does not fit the step \(step)")
        }
    }

    /// libcurl sent the request more than once, and we saw one answer.
    private mutating func wasResent(_ times: Int) {
        switch step {
        case .completing: mayHaveCompleted = true
        case .creating: createsUnheard += times
        default: break
        }
    }

    private mutating func answered(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch step {
        case .askingLayout: return answeredLayout(response, in: &context)
        case .checkingTarget: return answeredCheck(response, in: &context)
        case .cancelling(let cancellation, let next):
            return answeredCancel(response, cancellation, then: next, in: &context)
        case .creating: return answeredCreate(response, in: &context)
        case .listingParts(let number): return answeredParts(response, after: number, in: &context)
        case .recheckingSource: return answeredRecheck(response, in: &context)
        case .checkingAgain: return answeredCheckAgain(response, in: &context)
        case .completing: return answeredComplete(response, in: &context)
        case .settling: return answeredSettle(response, in: &context)
        case .measuring: return answeredMeasure(response, in: &context)
        case .puttingTags: return answeredPutTags(response, in: &context)
        default: preconditionFailure("an answer does not fit the step \(step)")
        }
    }

    private mutating func woken(in context: inout TransferContext) -> TransferAction {
        guard case .backingOff(let retry) = step else {
            preconditionFailure("nobody slept in the step \(step)")
        }
        return begin(retry, in: &context)
    }

    private mutating func recorded(in context: inout TransferContext) -> TransferAction {
        guard case .recording(let next) = step else {
            preconditionFailure("nothing was to be recorded in the step \(step)")
        }
        switch next {
        case .create: return create(in: context)
        case .createAgain: return createAgain(in: context)
        case .intend: return intend(in: context)
        case .open(let id): return open(id)
        case .abandon(let next): return abandonUpload(then: next, in: &context)
        case .copyParts: return copyParts(in: &context)
        case .recheckSource: return recheckSource(in: context)
        case .conclude(let outcome): return conclude(outcome, in: context)
        case .cancelled(let next): return goOn(next, in: &context)
        }
    }

    // MARK: - What every step needs

    mutating func ask(_ side: Side, _ request: Request) -> TransferAction {
        asked = request
        return .exchange(ExchangeOrder(side, request))
    }

    mutating func headTarget(in context: TransferContext) -> TransferAction {
        shownAt = context.now
        return ask(.target, HeadObject.request(bucket: targetBucket, key: item.key))
    }

    /// Puts a line into uploads.log, and waits until it is on the disk.
    mutating func write(
        _ record: UploadRecord, then next: AfterRecord
    ) -> TransferAction {
        step = .recording(then: next)
        return .record(record)
    }

    mutating func finish(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        step = .finished
        var outcome = outcome
        outcome.elapsed = context.now - begun
        return .finish(outcome)
    }
}
