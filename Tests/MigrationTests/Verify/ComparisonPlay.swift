//! A comparison's worker and both of its servers, played from a script.

import Migration
import S3
import Testing

/// Drives one comparison: the script says which exchange must come and what it brings.
struct ComparisonPlay {
    private var job: Job
    private(set) var context: TransferContext
    private(set) var orders: [ExchangeOrder] = []
    private(set) var waits: [Duration] = []
    private(set) var clocks: [ServerClock] = []
    private(set) var reservations: [Int64] = []
    private var buffer: [UInt8] = []

    init(_ depth: VerifyDepth = .facts, pieceBytes: Int64 = 8 << 20, retries: Int = 2) {
        let start = Instant(elapsed: .seconds(1000))
        let item = WorkItem(sequence: 0, key: ObjectKey("k"))
        job = .comparison(Comparison(item: item, depth: depth, now: start))
        var rules = TransferRules.play(retries: retries)
        rules.partBytes = pieceBytes
        context = TransferContext(now: start, rules: rules, random: SeededRandom(seed: 1))
    }

    var wasCounted: Bool { job.wasDownloaded }

    /// Plays a script that must end in an outcome, and in all of the script.
    mutating func outcome(_ script: Scripted...) throws -> Outcome { try outcome(of: script) }

    mutating func outcome(of script: [Scripted]) throws -> Outcome {
        switch try play(script) {
        case .success(let outcome): return outcome
        case .failure(let failure): throw PlayError("the run is stopped: \(failure)")
        }
    }

    mutating func play(_ script: [Scripted]) throws -> Result<Outcome, Failure> {
        var rest = script[...]
        var event = TransferEvent.begin
        while true {
            switch job.handle(event, in: &context) {
            case .exchange(let order):
                guard let scripted = rest.popFirst(), scripted.asks == order.title else {
                    throw PlayError("exchange \(orders.count) is \(order.title)")
                }
                orders.append(order)
                context.now = context.now + scripted.takes
                event = scripted.answer(order, &buffer)
            case .reserve(let bytes):
                reservations.append(bytes)
                buffer = []
                event = .granted(kept: false)
            case .hash(let algorithm, let count):
                precondition(algorithm == .sha256, "pieces are compared by their SHA-256")
                event = .digested(.sha256(SHA256.digest(of: Array(buffer[..<Int(count)]))))
            case .wait(let until, let clock):
                waits.append(until - context.now)
                if let clock { clocks.append(clock) }
                context.now = max(context.now, until)
                event = .woken
            case .finish(let outcome):
                guard rest.isEmpty else { throw PlayError("not asked: \(rest.map(\.asks))") }
                return .success(outcome)
            case .stopRun(let failure): return .failure(failure)
            default: preconditionFailure("a comparison does nothing of the kind")
            }
        }
    }
}

func getTarget(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target GetObject", answer: answer)
}

func getTargetTags(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target GetObjectTagging", answer: answer)
}

/// One look at both sides.
func looks(_ source: TestObject, _ target: TestObject) -> [Scripted] {
    [headSource(shows(source)), headTarget(shows(target))]
}

extension TestObject {
    func with(lastModified: String) -> TestObject {
        var object = self
        object.lastModified = lastModified
        return object
    }

    /// Another body behind the same headers.
    func flipped(at index: Int) -> TestObject {
        var object = self
        object.bytes[index] ^= 1
        return object
    }
}
