//! A transfer among servers that do anything at all: it ends, and what it says is so.

import Migration
import S3
import Testing

/// A source and a target out of a seed. Each answer is likely to be honest and may be anything.
private struct Chaos {
    var random: SeededRandom
    /// What the source had, the present one last.
    var sources: [TestObject]
    var target: TestObject?
    let rules: TransferRules
    /// Bodies that were written under our very eyes, or behind a lost answer.
    var ours: [[UInt8]] = []

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        rules = .play(
            conditional: .random(using: &random), checksMD5: .random(using: &random),
            tagging: [.onPut, .afterwards, .none].randomElement(using: &random) ?? .none,
            retries: .random(in: 0...3, using: &random))
        sources = [Chaos.object(&random)]
        target = Int.random(in: 0..<8, using: &random) == 0 ? Chaos.object(&random) : nil
        self.random = random
    }

    static func object(_ random: inout SeededRandom) -> TestObject {
        let size = [0, 1, 5, 1 << 20, (1 << 20) + 3].randomElement(using: &random) ?? 0
        let salt = Int.random(in: 0..<3, using: &random)
        var object = TestObject.sized(size, salt: salt)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: object.etag = partsETag
        case 1: object.etag = nil
        case 2: object = object.with(header: "x-amz-tagging-count", "1")
        default: break
        }
        return object
    }

    /// Some exchanges take longer than the source's word is good for.
    var delay: Duration {
        mutating get { .milliseconds(Int.random(in: 0..<1500, using: &random)) }
    }

    mutating func answer(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
            return breaks(
                [.broken, .stalled, .tls, .overflow].randomElement(using: &random) ?? .tls)(
                    order, &buffer)
        case 1:
            return refuses(
                [400, 403, 404, 409, 412, 416, 429, 500, 503].randomElement(using: &random) ?? 500)(
                    order, &buffer)
        case 2 where order.request.method != .put: return reply(200)(order, &buffer)
        case 3: changeSource()
        default: break
        }
        return honest(order, &buffer)
    }

    /// A client writes; were the times alike, nobody could tell two such objects apart.
    private mutating func changeSource() {
        var object = Chaos.object(&random)
        object.lastModified = "Thu, 01 Jan 2026 00:00:\(10 + sources.count) GMT"
        sources.append(object)
    }

    private mutating func honest(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        let source = sources[sources.count - 1]
        switch order.title {
        case "source GetObject":
            let manner = RangeManner.allCases.randomElement(using: &random) ?? .partial
            return sends(source, manner)(order, &buffer)
        case "source HeadObject": return shows(source)(order, &buffer)
        case "source GetObjectTagging": return hasTags([("a", "1")])(order, &buffer)
        case "target HeadObject": return (target.map(shows) ?? refuses(404))(order, &buffer)
        case "target PutObject": return write(order, &buffer)
        default: return reply(200)(order, &buffer)
        }
    }

    private mutating func write(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        guard case .object(let byteCount) = order.upload else {
            return refuses(400)(order, &buffer)
        }
        if rules.target.conditionalPut, target != nil { return refuses(412)(order, &buffer) }
        let bytes = Array(buffer[..<Int(byteCount)])
        target = TestObject(bytes)
        ours.append(bytes)
        let isLost = Int.random(in: 0..<5, using: &random) == 0
        return (isLost ? breaks() : takes(etag: target?.etag))(order, &buffer)
    }
}

@Suite struct TransferChaosTests {
    @Test(arguments: 0..<16)
    func endsAndTellsTheTruth(block: Int) throws {
        for seed in (block * 40)..<(block + 1) * 40 {
            try run(seed: UInt64(seed))
        }
    }

    private func run(seed: UInt64) throws {
        var chaos = Chaos(seed: seed)
        var play = TransferPlay(chaos.rules, seed: seed)
        var count = 0
        let ending = try play.play { order, buffer in
            count += 1
            return count > 400 ? nil : (chaos.answer(order, &buffer), chaos.delay)
        }
        guard case .finished(let outcome) = ending else { return }
        switch outcome.kind {
        case .copied:
            // Where an attempt failed, an object of the same bytes that was there before is as good as ours.
            let bytes = try #require(chaos.ours.last ?? chaos.target?.bytes, "seed \(seed)")
            #expect(outcome.sizeBytes == Int64(bytes.count), "seed \(seed)")
            let isWhole = chaos.sources.contains { $0.bytes == bytes }
            #expect(isWhole, "seed \(seed): what was written is no object of the source's")
        case .skippedTarget: #expect(chaos.target != nil || outcome.proof != nil, "seed \(seed)")
        case .failed: #expect(outcome.failure != nil, "seed \(seed)")
        case .skippedSource, .exist: Issue.record("seed \(seed): nobody said that the key is gone")
        case .same, .differs, .missing, .gone, .extra: Issue.record("seed \(seed): nobody compares")
        }
    }
}
