//! The comparison of one object at both sides, as a state machine without I/O: nothing is written anywhere.

internal import S3

/// Asks the source, then the target, and says whether the target has the source's object.
///
/// The source is asked first, so that what a client deletes there and then at the target is gone and not missing.
/// A client may write between the two questions, so a difference counts only when two looks in a row, some time
/// apart, have seen it on the same two objects. The files of this type: `Comparison-looking` (HEADs and tags),
/// `Comparison-reading` (the bytes, piece by piece).
public struct Comparison: Sendable {
    enum Step: Sendable, Equatable {
        /// → `asking`
        case idle
        /// For an answer. → `asking`, `reserving`, `hashing`, `pausing`, `finished`
        case asking(Question)
        /// For memory for the answer. → `asking`
        case reserving(Question)
        /// For the digest of the piece in the buffer. → `reserving`, `pausing`, `finished`
        case hashing(Side)
        /// Before the second look. → `asking`
        case pausing
        /// → `asking`, `reserving`
        case backingOff(then: Question)
        case finished
    }

    /// What a side is asked.
    enum Question: Sendable, Equatable {
        case head(Side)
        /// The first byte of an object that a HEAD did not find: only the answer to a GET says in words that there is
        /// no such key.
        case firstByte
        case tags(Side)
        case piece(Side)
    }

    /// What one look has found, so that the next one can find the same.
    struct Sighting: Sendable {
        var kind: Outcome.Kind
        var difference: Difference?
        var pair: Pair
    }

    /// What each side has; nil for nothing.
    struct Pair: Sendable {
        var source: ObjectFacts?
        var target: ObjectFacts?
    }

    public let item: WorkItem
    let depth: VerifyDepth
    var step = Step.idle
    private let begun: Instant

    var asked = Request(.get, operation: "", bucket: "")
    var pair = Pair()
    var sourceTags: [ObjectTag] = []
    /// Tags that cannot be read, or metadata that the source cannot send.
    var losses: Losses = []
    /// Bytes that were found the same on both sides, from the first on, and of which pair.
    var comparedBytes: Int64 = 0
    var comparedPair = Pair()
    var sourceDigest: BodyDigest?
    var seen: Sighting?
    /// The comparison came to its end: both sides were asked all there is.
    public internal(set) var wasCompared = false

    var attempts = Attempts()
    var restarts = 0

    public init(item: WorkItem, depth: VerifyDepth, now: Instant) {
        self.item = item
        self.depth = depth
        self.begun = now
    }

    /// Takes an event and says what is to be done next.
    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        switch (step, event) {
        case (.idle, .begin), (.pausing, .woken): return look(in: context)
        case (.backingOff(let question), .woken): return prepare(question, in: context)
        case (.reserving(let question), .granted): return ask(question, in: context)
        case (.asking(let question), .answered(let result)):
            return answered(question, result, in: &context)
        case (.asking(let question), .broken(let fault)):
            return failed(question, Fault(fault), in: &context)
        case (.hashing(let side), .digested(let digest)):
            return digested(digest, of: side, in: &context)
        default: preconditionFailure("\(event) does not fit the step \(step)")
        }
    }

    // MARK: - Questions

    /// Makes room for the answer, where it has a body of the object's, and asks.
    mutating func prepare(
        _ question: Question, in context: TransferContext
    ) -> TransferAction {
        switch question {
        case .head, .tags: return ask(question, in: context)
        case .firstByte:
            step = .reserving(question)
            return .reserve(bytes: 1)
        case .piece:
            step = .reserving(question)
            return .reserve(bytes: Int64(piece(in: context).count))
        }
    }

    private mutating func ask(
        _ question: Question, in context: TransferContext
    ) -> TransferAction {
        step = .asking(question)
        let side = question.side
        let bucket = context.rules.bucket(of: side)
        var sink = ExchangeOrder.Sink.response
        switch question {
        case .head: asked = HeadObject.request(bucket: bucket, key: item.key)
        case .tags: asked = GetObjectTagging.request(bucket: bucket, key: item.key)
        case .firstByte:
            asked = GetObject.request(bucket: bucket, key: item.key, bytes: 0..<1)
            sink = .object(offset: 0, capacity: 1)
        case .piece:
            let bytes = piece(in: context)
            asked = GetObject.request(
                bucket: bucket, key: item.key, bytes: bytes, ifMatch: pair.facts(side)?.etag)
            sink = .object(offset: 0, capacity: Int64(bytes.count))
        }
        return .exchange(ExchangeOrder(side, asked, sink: sink))
    }

    private mutating func answered(
        _ question: Question, _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        switch question {
        case .head(let side): return answeredHead(side, result.response, in: &context)
        case .firstByte: return answeredFirstByte(result.response, in: &context)
        case .tags(let side): return answeredTags(side, result.response, in: &context)
        case .piece(let side): return answeredPiece(side, result, in: &context)
        }
    }

    // MARK: - The end

    mutating func finish(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        step = .finished
        wasCompared = outcome.kind != .failed
        var outcome = outcome
        outcome.elapsed = context.now - begun
        return .finish(outcome)
    }

    /// An exchange failed, or an answer cannot be right: again after a while, give up, or stop the run.
    mutating func failed(
        _ question: Question, _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        let stage: Stage = question.side == .source ? .verifySource : .verifyTarget
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            step = .backingOff(then: question)
            return .wait(until: context.now + delay, clock: fault.clock(at: stage))
        case .stopRun:
            step = .finished
            return .stopRun(attempts.failure(stage, fault))
        case .giveUp:
            return finish(
                Outcome(
                    .failed, sizeBytes: pair.source?.sizeBytes, etag: pair.target?.etag,
                    failure: attempts.failure(stage, fault)),
                in: context)
        }
    }

    /// What was seen so far is no longer true: looks anew, a few times.
    mutating func changed(
        _ side: Side, _ message: String, in context: inout TransferContext
    ) -> TransferAction {
        restarts += 1
        attempts.ofStep = restarts - 1
        let action = failed(.head(side), Fault(.changed, message: message), in: &context)
        // Whichever side it was, both are asked again.
        if case .backingOff = step { step = .backingOff(then: .head(.source)) }
        return action
    }
}

extension Comparison.Question {
    var side: Side {
        switch self {
        case .head(let side), .tags(let side), .piece(let side): side
        case .firstByte: .source
        }
    }
}

extension Comparison.Pair {
    func facts(_ side: Side) -> ObjectFacts? { side == .source ? source : target }

    /// Whether both sides have what they had.
    func isSame(as other: Comparison.Pair) -> Bool {
        Side.allCases.allSatisfy { side in
            switch (facts(side), other.facts(side)) {
            case (nil, nil): true
            case (let one?, let other?): one.isSameObject(as: other)
            default: false
            }
        }
    }
}

extension TransferRules {
    func bucket(of side: Side) -> String { side == .source ? sourceBucket : targetBucket }
}
