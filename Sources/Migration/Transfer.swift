//! One object's way from the source to the target, as a state machine without I/O.

public import S3

/// The copy of one object that moves whole.
///
/// Events go in, one action comes out; a transfer has at most one thing under way. What it needs to know of the
/// world (the time, the run's rules, chance) is handed in with each event. The files of this type follow the
/// object: `Transfer-asking`, `Transfer-reading`, `Transfer-writing`, `Transfer-settling`, and `Transfer-faults` for
/// when something goes wrong.
public struct Transfer: Sendable {
    /// What the transfer waits for.
    enum Step: Sendable, Equatable {
        /// → `reserving`, `askingTarget`
        case idle
        /// For a HEAD: has the target the key already? → `askingSource`, `reserving`
        case askingTarget
        /// For a HEAD, since it has. → `reserving`, `finished`
        case askingSource
        /// For memory for what is to be read next. → `reading`
        case reserving
        /// For bytes of the source. → `reading`, `reserving`, `readingTags`, `hashing`, `checkingTarget`,
        /// `recheckingSource`, `putting`, `finished`
        case reading
        /// For the source's tags. → as after `reading`
        case readingTags
        /// For the MD5 of the buffer. → what it was needed for
        case hashing(HashPurpose)
        /// For a HEAD that takes the place of the condition. → `recheckingSource`, `putting`, `finished`
        case checkingTarget
        /// For a HEAD that says whether the source still has the object. → `putting`, `reserving`
        case recheckingSource
        /// For the target's word on the body. → `settling`, `measuring`, `hashing`, `reserving`,
        /// `puttingTags`, `finished`
        case putting
        /// For a HEAD that says whose object refused our PUT. → `hashing`, `putting`, `finished`
        case settling
        /// For a HEAD of our own object, where the PUT's answer did not prove it. → `puttingTags`, `finished`
        case measuring
        /// For the target's word on the tags. → `finished`
        case puttingTags
        /// Before the step is tried again. → that step
        case backingOff(then: Retry)
        case finished
    }

    /// What an MD5 of the buffer is for.
    enum HashPurpose: Sendable, Equatable {
        /// The source's ETag is no MD5, so the PUT carries ours.
        case contentMD5
        /// The target refused the body: is it what the source's ETag says?
        case refusedBody
        /// The object was read a second time: is it the same?
        case secondReading
        /// The target has an object of this key: is it this one?
        case comparing
        /// The target accepted the body under another ETag, and checks no digests.
        case unprovedCopy
    }

    /// Where a step begins again.
    enum Retry: Sendable, Equatable {
        case askTarget
        case read
        case readTags
        case write
        case settle
        case measure
        case putTags
    }

    public internal(set) var item: WorkItem
    /// The whole object was read at least once.
    public internal(set) var wasDownloaded = false
    var step = Step.idle
    let begun: Instant

    /// What was asked last; an answer is judged by it.
    var asked = Request(.get, operation: "", bucket: "")

    // What is known of the source's object

    var facts: ObjectFacts?
    var tags: [ObjectTag] = []
    var losses: Losses = []
    /// Bytes of the buffer that hold the object's beginning.
    var received: Int64 = 0
    var reservedBytes: Int64 = 0
    /// The source answers a range with the whole object, so none is asked for.
    var ignoresRanges = false
    /// When the source was asked last whether it has the object, by a GET or a HEAD; of the answer only that moment is
    /// sure, however long it took.
    var askedAt: Instant
    /// `askedAt` of the last such question that was answered with yes.
    var knownAt: Instant
    /// Our own MD5 of what the buffer holds; nil until it is needed.
    var bufferMD5: [UInt8]?
    /// The MD5 of an earlier reading that was doubted.
    var doubted: Doubt?
    /// The source's ETag has the form of an MD5 but was seen not to be one.
    var etagIsNoMD5 = false
    /// It is too large to move whole, or its source has it in parts.
    var isForParts = false
    /// When it was written.
    var sourceWrite: WriteTime?

    // What is known of the target's

    /// An earlier PUT of ours may have been carried out although we saw no success.
    var mayHaveWritten = false
    var putCount = 0
    /// How often in a row the source was asked just before a PUT.
    var recheckCount = 0
    var found: ObjectFacts?
    /// When what was found was written.
    var targetWrite: WriteTime?
    /// What the PUT is to find.
    var place = Place.free
    /// How often an object was found that may be replaced.
    var replacementCount = 0
    /// How often our own copy turned out damaged.
    var damageCount = 0
    var written: ETag?
    /// When the target was asked last for our object, or told to store it.
    var shownAt: Instant
    var proof: Proof?

    /// What was left out of its metadata.
    var cut = MetadataCut.nothing
    /// The copy was looked at for what became of its metadata.
    var hasSeenMetadata = false

    // What went wrong

    var attempts = Attempts()
    var restarts = 0

    /// - Parameter mayHaveWritten: an earlier run may have written the object without a log that tells so.
    public init(item: WorkItem, now: Instant, mayHaveWritten: Bool = false) {
        self.item = item
        self.begun = now
        self.askedAt = now
        self.knownAt = now
        self.shownAt = now
        self.mayHaveWritten = mayHaveWritten
    }

    /// Begins an object again that has changed while it was copied in parts.
    init(again item: WorkItem, begun: Instant, now: Instant, restarts: Int, attempts: Int) {
        self.item = item
        self.begun = begun
        self.askedAt = now
        self.knownAt = now
        self.shownAt = now
        self.restarts = restarts
        self.attempts = Attempts(count: attempts)
    }

    /// What is read twice to find out which of the two ends is wrong.
    struct Doubt: Sendable, Equatable {
        var md5: [UInt8]
        /// The ETag of the object that the target shows already; nil when it refused the body.
        var visible: ETag?
    }
}

/// An object that a worker is to copy.
public struct WorkItem: Sendable {
    /// Its place among all that the ledger admitted.
    public let sequence: Int
    public let key: ObjectKey
    /// What the list says; a hint for the first range, never a fact.
    public let listedBytes: Int64?
    public let listedETag: ETag?
    /// The target's lists have it: it is only asked for, as a sample.
    public let isSample: Bool
    /// Uploads of this key that an earlier run began and did not end.
    public private(set) var earlierUploads: [UploadRecord]
    /// The ETag of a copy of ours that was seen to be damaged: that very object may be replaced.
    public internal(set) var damagedETag: ETag?
    /// Most objects exist at the target, so it is asked before this one is read.
    public internal(set) var isLikelyThere = false

    public init(
        sequence: Int, key: ObjectKey, listedBytes: Int64? = nil, listedETag: ETag? = nil,
        isSample: Bool = false, earlierUploads: [UploadRecord] = [], damagedETag: ETag? = nil,
        isLikelyThere: Bool = false
    ) {
        self.sequence = sequence
        self.key = key
        self.listedBytes = listedBytes
        self.listedETag = listedETag
        self.isSample = isSample
        self.earlierUploads = earlierUploads
        self.damagedETag = damagedETag
        self.isLikelyThere = isLikelyThere
    }

    func with(earlierUploads: [UploadRecord]) -> WorkItem {
        var item = self
        item.earlierUploads = earlierUploads
        return item
    }
}

/// What an event is judged by: handed in, never asked for.
public struct TransferContext: Sendable {
    public var now: Instant
    public var rules: TransferRules
    public var random: SeededRandom

    public init(now: Instant, rules: TransferRules, random: SeededRandom) {
        self.now = now
        self.rules = rules
        self.random = random
    }
}

extension Transfer {
    /// Takes an event and says what is to be done next.
    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        switch (step, event) {
        case (.idle, .begin):
            return beginning(in: context)
        case (.askingTarget, .answered(let result)):
            return answeredAskTarget(result.response, in: &context)
        case (.askingSource, .answered(let result)):
            return answeredAskSource(result.response, in: &context)
        case (.reserving, .granted(let kept)):
            if !kept { received = 0 }
            return read(in: context)
        case (.backingOff(let retry), .woken):
            return begin(retry, in: &context)
        case (.hashing(let purpose), .digested(.md5(let md5))):
            bufferMD5 = md5
            return hashed(for: purpose, in: &context)
        case (.reading, .answered(let result)):
            return answeredRead(result, in: &context)
        case (.readingTags, .answered(let result)):
            return answeredTags(result.response, in: &context)
        case (.checkingTarget, .answered(let result)):
            return answeredCheck(result.response, in: &context)
        case (.recheckingSource, .answered(let result)):
            return answeredRecheck(result.response, in: &context)
        case (.putting, .answered(let result)):
            return answeredPut(result, in: &context)
        case (.settling, .answered(let result)):
            return answeredSettle(result.response, in: &context)
        case (.measuring, .answered(let result)):
            return answeredMeasure(result.response, in: &context)
        case (.puttingTags, .answered(let result)):
            return answeredPutTags(result.response, in: &context)
        case (_, .broken(let fault)):
            return broken(fault, in: &context)
        default:
            preconditionFailure("\(event) does not fit the step \(step)")
        }
    }

    /// Sends a request, and remembers it for its answer.
    mutating func ask(
        _ side: Side, _ request: Request, upload: ExchangeOrder.Upload = .request,
        sink: ExchangeOrder.Sink = .response
    ) -> TransferAction {
        asked = request
        return .exchange(ExchangeOrder(side, request, upload: upload, sink: sink))
    }

    mutating func finish(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        step = .finished
        var outcome = outcome
        outcome.elapsed = context.now - begun
        return .finish(outcome)
    }
}
