//! Large objects among servers that fail, change and forget: every run ends, and what it says is so.

import S3
import Testing

@testable import Migration

/// A world out of a seed: each answer is likely to be honest, and may be lost, delayed or wrong.
private struct Chaos {
    var random: SeededRandom
    var server: UploadServer
    let rules: TransferRules
    /// How many of twenty answers are bad.
    let badness: Int
    /// Nothing is changed by others, so the end must be a copy.
    let isPeaceful: Bool

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var rules = TransferRules.multipart(
            conditional: .random(using: &random),
            digest: [.crc32c, .sha256, .md5, nil].randomElement(using: &random) ?? nil,
            tagging: [.onPut, .afterwards, .none].randomElement(using: &random) ?? .none,
            retries: .random(in: 0...6, using: &random))
        rules.partBytes = [3, 4, 7].randomElement(using: &random) ?? 4
        self.rules = rules
        server = UploadServer(
            source: Chaos.object(&random, version: 0),
            honoursCondition: rules.target.conditionalComplete)
        server.tellsETag = .random(using: &random)
        isPeaceful = .random(using: &random)
        badness = [0, 1, 3].randomElement(using: &random) ?? 0
        // Of a time or with a part, so that nobody could take them for ours.
        server.addUpload("old", begun: -500)
        server.addUpload("theirs", begun: 0, parts: [1: [1]])
        self.random = random
    }

    /// Each version has bytes and a time of its own.
    static func object(_ random: inout SeededRandom, version: Int) -> TestObject {
        let bytes = (0..<Int.random(in: 5...20, using: &random)).map {
            UInt8(truncatingIfNeeded: $0 + version * 50)
        }
        var object = TestObject(bytes)
        if Bool.random(using: &random) {
            object = object.inParts(of: .random(in: 3...6, using: &random))
        }
        object.lastModified = "Thu, 01 Jan 2026 00:00:\(10 + version) GMT"
        if Int.random(in: 0..<3, using: &random) == 0 {
            object = object.with(header: "x-amz-tagging-count", "1")
        }
        return object
    }

    mutating func answer(
        _ order: ExchangeOrder, _ buffer: inout [UInt8], _ books: OpenUploads, at now: Instant
    ) -> TransferEvent {
        let elapsed = now.elapsed.components.seconds
        server.now = Timestamp(secondsSince1970: targetDate.secondsSince1970 + elapsed)
        if !isPeaceful { disturb() }
        guard Int.random(in: 0..<20, using: &random) < badness else {
            return server.answer(order, &buffer, books: books)
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return breaks()(order, &buffer)
        case 1:
            // Carried out, and the answer lost.
            _ = server.answer(order, &buffer, books: books)
            return breaks(.stalled)(order, &buffer)
        case 2: return twice(order, &buffer, books)
        case 3:
            _ = server.answer(order, &buffer, books: books)
            return refuses([500, 503].randomElement(using: &random) ?? 500)(order, &buffer)
        default:
            let status =
                [400, 403, 404, 409, 412, 416, 500, 501, 503, 200]
                .randomElement(using: &random) ?? 500
            return refuses(isPeaceful ? 503 : status)(order, &buffer)
        }
    }

    /// libcurl sends it again, and the second answer is seen.
    private mutating func twice(
        _ order: ExchangeOrder, _ buffer: inout [UInt8], _ books: OpenUploads
    ) -> TransferEvent {
        var copy = buffer
        _ = server.answer(order, &copy, books: books)
        guard case .answered(var result) = server.answer(order, &buffer, books: books) else {
            return breaks()(order, &buffer)
        }
        result.timesResent = 1
        return .answered(result)
    }

    private mutating func disturb() {
        switch Int.random(in: 0..<60, using: &random) {
        case 0: server.sources.append(Chaos.object(&random, version: server.sources.count))
        case 1: server.sources.append(nil)
        case 2: server.target = TestObject("somebody else's")
        case 3: server.target = nil
        case 4: server.uploads = server.uploads.filter { !$0.value.isOurs }
        case 5: for id in server.uploads.keys { server.uploads[id]?.parts[2] = nil }
        default: break
        }
    }
}

@Suite struct MultipartChaosTests {
    /// More than this no object of seven parts can need: every step retried, six times begun again.
    private let exchangesMax = 3000

    @Test(arguments: 0..<16)
    func endsAndTellsTheTruth(block: Int) throws {
        for seed in (block * 60)..<(block + 1) * 60 { try run(seed: UInt64(seed)) }
    }

    private func run(seed: UInt64) throws {
        var chaos = Chaos(seed: seed)
        var books = OpenUploads(keepsCompleted: true)
        var rules = chaos.rules
        var now = Instant(elapsed: .zero)
        var warnings: [String] = []
        var crashes = Int.random(in: 0...2, using: &chaos.random)
        while true {
            var ledger = Ledger(readyMax: 10, uploads: books)
            ledger.admit(ObjectKey("k"), listedBytes: nil)
            let slotCount = Int.random(in: 1...4, using: &chaos.random)
            var run = LargeRun(
                ledger, rules, slotCount: slotCount, now: now, seed: chaos.random.next())
            let crashAt =
                crashes > 0 ? Int.random(in: 1...80, using: &chaos.random) : Int.max
            let isEnded = try play(&run, &chaos, until: crashAt, seed)
            try #require(chaos.server.violations == [], "seed \(seed)")
            warnings += run.warnings
            guard !isEnded else { return try judge(run, chaos, warnings, seed) }
            // What the killed process leaves is its log.
            crashes -= 1
            books = try reread(books, run.log)
            rules.isResumed = true
            now = run.now + .seconds(5)
        }
    }

    /// False when the process was killed first.
    private func play(
        _ run: inout LargeRun, _ chaos: inout Chaos, until crashAt: Int, _ seed: UInt64
    ) throws -> Bool {
        for isCleanup in [false, true] {
            if isCleanup, run.stopped == nil { run.cleanUp() }
            var steps = 0
            while run.step({ [now = run.now] in chaos.answer($0, &$1, $2, at: now) }) {
                steps += 1
                if steps == crashAt { return false }
                try #require(run.exchangeCount <= exchangesMax, "seed \(seed): it does not end")
            }
        }
        return true
    }

    private func reread(_ earlier: OpenUploads, _ log: [UInt8]) throws -> OpenUploads {
        var books = earlier
        for line in log.split(separator: UInt8(ascii: "\n")) {
            let record = UploadRecord(parsing: Array(line).span)
            books.take(try #require(record))
        }
        return books
    }

    private func judge(
        _ run: LargeRun, _ chaos: Chaos, _ warnings: [String], _ seed: UInt64
    ) throws {
        let server = chaos.server
        for body in server.made {
            let isWhole = server.sources.contains { $0?.bytes == body }
            #expect(isWhole, "seed \(seed): a mixture was made")
        }
        #expect(server.uploads.values.count { !$0.isOurs } == 2, "seed \(seed)")
        if run.stopped == nil {
            try judge(try #require(run.outcomes[0], "seed \(seed): stuck"), server, seed)
        }
        expectNothingForgotten(run.books, server, warnings, seed)
        if chaos.isPeaceful, chaos.badness == 0 {
            #expect(run.outcomes[0]?.kind == .copied, "seed \(seed)")
            #expect(run.books.records.isEmpty, "seed \(seed)")
            let isOursLeft = server.uploads.values.contains { $0.isOurs }
            #expect(!isOursLeft, "seed \(seed)")
        }
    }

    private func judge(_ outcome: Outcome, _ server: UploadServer, _ seed: UInt64) throws {
        switch outcome.kind {
        case .copied:
            let sizes = server.made.map { Int64($0.count) }
            #expect(sizes.contains(try #require(outcome.sizeBytes)), "seed \(seed): copied nothing")
        case .skippedSource: #expect(server.sources.contains { $0 == nil }, "seed \(seed)")
        case .skippedTarget: #expect(outcome.etag != nil, "seed \(seed)")
        case .failed: #expect(outcome.failure != nil, "seed \(seed)")
        case .exist: Issue.record("seed \(seed): no list has the key")
        case .same, .differs, .missing, .gone, .extra: Issue.record("seed \(seed): nobody compares")
        }
    }

    /// Each upload of ours that is left is on the books, by its id or by an intent, or was spoken of.
    private func expectNothingForgotten(
        _ books: OpenUploads, _ server: UploadServer, _ warnings: [String], _ seed: UInt64
    ) {
        let left = server.uploads.filter { $0.value.isOurs }.keys
        let known = books.records.compactMap(\.uploadID)
        let unknown = left.filter { !known.contains($0) }
        let hasIntent = books.records.contains { $0.uploadID == nil }
        #expect(
            unknown.isEmpty || hasIntent || !warnings.isEmpty, "seed \(seed): \(left) forgotten"
        )
    }
}
