//! A transfer's worker and both of its servers, played from a script.

import Migration
import S3
import Testing

/// Drives one transfer: the script says which exchange must come and what it brings; memory, waits and digests are
/// given as a worker would give them.
struct TransferPlay {
    enum Ending {
        case became(Job)
        case finished(Outcome)
        case stoppedRun(Failure)
    }

    private(set) var transfer: Transfer
    private(set) var context: TransferContext
    /// What the transfer's buffer holds.
    private(set) var buffer: [UInt8] = []
    private(set) var orders: [ExchangeOrder] = []
    private(set) var waits: [Duration] = []
    private(set) var clocks: [ServerClock] = []
    private(set) var reservations: [Int64] = []
    private(set) var hashCount = 0
    /// Whether the coming reservations leave the buffer as it is; those beyond the last do.
    var grantsKeep: [Bool] = []
    /// Whether the clock goes on while the transfer waits; without that no answer is ever old.
    var waitsTakeTime = true

    init(
        _ rules: TransferRules = .play, listed: Int64? = nil, seed: UInt64 = 1,
        mayHaveWritten: Bool = false, damagedETag: String? = nil, isLikelyThere: Bool = false
    ) {
        let start = Instant(elapsed: .seconds(1000))
        let item = WorkItem(
            sequence: 0, key: ObjectKey("k"), listedBytes: listed,
            damagedETag: damagedETag.map { ETag($0) }, isLikelyThere: isLikelyThere)
        transfer = Transfer(item: item, now: start, mayHaveWritten: mayHaveWritten)
        context = TransferContext(now: start, rules: rules, random: SeededRandom(seed: seed))
    }

    /// Plays the script to its end, which must be the transfer's.
    mutating func play(_ script: [Scripted]) throws -> Ending {
        var rest = script[...]
        let ending = try play { order, buffer in
            guard let scripted = rest.popFirst(), scripted.asks == order.title else { return nil }
            return (scripted.answer(order, &buffer), scripted.takes)
        }
        guard rest.isEmpty else { throw PlayError("not asked: \(rest.map(\.asks))") }
        return ending
    }

    /// Plays until the transfer ends; an order that is not answered ends the play with an error.
    mutating func play(
        _ answer: (ExchangeOrder, inout [UInt8]) -> (TransferEvent, takes: Duration)?
    ) throws -> Ending {
        var event = TransferEvent.begin
        while true {
            switch transfer.handle(event, in: &context) {
            case .exchange(let order):
                guard let (next, duration) = answer(order, &buffer) else {
                    throw PlayError("exchange \(orders.count) is \(order.title)")
                }
                orders.append(order)
                context.now = context.now + duration
                event = next
            case let action:
                if let ending = perform(action, &event) { return ending }
            }
        }
    }

    private mutating func perform(
        _ action: TransferAction, _ event: inout TransferEvent
    ) -> Ending? {
        switch action {
        case .reserve(let bytes):
            reservations.append(bytes)
            let isKept = grantsKeep.isEmpty ? true : grantsKeep.removeFirst()
            if !isKept { buffer = [] }
            event = .granted(kept: isKept)
        case .hash(let algorithm, let byteCount):
            precondition(algorithm == .md5, "a whole object is only compared by its MD5")
            hashCount += 1
            event = .digested(.md5(MD5.digest(of: Array(buffer[..<Int(byteCount)]))))
        case .wait(let until, let clock):
            waits.append(until - context.now)
            if let clock { clocks.append(clock) }
            if waitsTakeTime { context.now = max(context.now, until) }
            event = .woken
        case .finish(let outcome): return .finished(outcome)
        case .stopRun(let failure): return .stoppedRun(failure)
        case .become(let job): return .became(job)
        case .exchange: preconditionFailure("exchanges are scripted")
        case .record, .park, .finishPart, .finishCleanup:
            preconditionFailure("an object that moves whole does nothing of the kind")
        }
        return nil
    }

    /// Plays a script that must end in an outcome.
    mutating func outcome(_ script: Scripted...) throws -> Outcome {
        try outcome(of: script)
    }

    mutating func outcome(of script: [Scripted]) throws -> Outcome {
        switch try play(script) {
        case .finished(let outcome): return outcome
        case .stoppedRun(let failure): throw PlayError("the run is stopped: \(failure)")
        case .became: throw PlayError("the object moves in parts")
        }
    }

    /// The header of an exchange's request.
    func header(_ name: String, of index: Int) -> String? { orders[index].request.headers[name] }
}

/// The play went another way than the script.
struct PlayError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// An exchange that must come, and what it brings.
struct Scripted: Sendable {
    typealias Answer = @Sendable (ExchangeOrder, inout [UInt8]) -> TransferEvent

    /// Side and operation: `source GetObject`.
    var asks: String
    var takes = Duration.milliseconds(1)
    var answer: Answer

    func taking(_ duration: Duration) -> Scripted {
        var scripted = self
        scripted.takes = duration
        return scripted
    }
}

func get(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "source GetObject", answer: answer)
}
func getTags(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "source GetObjectTagging", answer: answer)
}
func headSource(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "source HeadObject", answer: answer)
}
func headTarget(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target HeadObject", answer: answer)
}
func put(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target PutObject", answer: answer)
}
func putTags(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target PutObjectTagging", answer: answer)
}

extension ExchangeOrder {
    var title: String { "\(side.rawValue) \(request.operation)" }

    /// The bytes that the request asks for, as the header has them.
    var range: (first: Int, last: Int)? {
        guard let text = request.headers["range"] else { return nil }
        let numbers = text.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
    }
}

extension TransferRules {
    /// The target takes no parts, so that every object moves whole, and honours no `If-Match`.
    static let play = TransferRules(
        sourceBucket: "from", targetBucket: "to",
        target: TargetCapabilities(takesMultipart: false, ifMatchOnPut: nil))

    static func play(
        conditional: Bool = true, checksMD5: Bool = true, etagIsMD5: Bool = true,
        tagging: TargetCapabilities.Tagging = .onPut, retries: Int = Limits.retriesDefault,
        ifMatch: PutObject.IfMatchForm? = nil, overwrite: OverwriteMode = .never
    ) -> TransferRules {
        var rules = TransferRules.play
        rules.target = TargetCapabilities(
            conditionalPut: conditional, checksContentMD5: checksMD5, etagIsMD5: etagIsMD5,
            tagging: tagging, takesMultipart: false, ifMatchOnPut: ifMatch)
        rules.overwrite = overwrite
        rules.retries = RetryPolicy(retriesMax: retries)
        return rules
    }
}

extension Failure {
    /// Stage and class, as failed.log tells them.
    var words: String { "\(stage.rawValue) \(faultClass.rawValue)" }
}
