//! The ledger against its naive model, in random orders.

import S3
import Testing

@testable import Migration

@Suite struct LedgerPropertyTests {
    @Test(arguments: 0..<40)
    func saysWhatTheModelSays(seed: UInt64) throws {
        var pair = LedgerPair(seed: seed)
        for _ in 0..<200 {
            try pair.step()
            try pair.compare()
        }
        try pair.finish()
    }
}

/// A ledger and its model, which get the same orders.
private struct LedgerPair {
    let seed: UInt64
    var random: SeededRandom
    var ledger: Ledger
    var model: LedgerModel
    var now = Instant(elapsed: .zero)
    /// Sequence numbers in the order of their endings.
    var endings: [Int] = []
    var admitted = 0
    var migrateLog: [UInt8] = []

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.seed = seed
        let readyMax = Int.random(in: 1...20, using: &random)
        let bytesMax = Int.random(in: 1...2000, using: &random)
        let ahead = 400 + Int.random(in: 0...5, using: &random)
        ledger = Ledger(readyMax: readyMax, waitingBytesMax: bytesMax, aheadCount: ahead)
        model = LedgerModel(readyMax: readyMax, waitingBytesMax: bytesMax, foreignAhead: ahead)
        self.random = random
    }

    mutating func step() throws {
        now = now + .milliseconds(Int.random(in: 0...400, using: &random))
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3: admit()
        case 4...5: try take(Int.random(in: 0...6, using: &random))
        case 6...8: end()
        case 9: try commit(bytesMax: Bool.random(using: &random) ? .max : 100)
        case 10: try takeAhead()
        default: if Int.random(in: 0..<40, using: &random) == 0 { abandon() }
        }
    }

    private mutating func nextKey() -> ObjectKey {
        admitted += 1
        return ObjectKey("key \(1_000_000 + admitted)")
    }

    private mutating func admit() {
        guard model.hasRoom else { return }
        let key = nextKey()
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            let lines = Array("\(key)\texist\t-\t-\t-\t0\n".utf8)
            ledger.admitExisting(lines, count: 1)
            model.entries.append(LedgerModel.Entry(migrateLine: lines, exist: 1))
        case 1:
            let line = MigrateLogLine(key: key, outcome: Outcome(.copied, sizeBytes: 1))
            ledger.admitKnown(line)
            var text: [UInt8] = []
            line.append(to: &text)
            model.entries.append(LedgerModel.Entry(migrateLine: text, isKnown: true))
        default:
            let bytes = Bool.random(using: &random) ? Int64.random(in: 0...99, using: &random) : nil
            ledger.admit(key, listedBytes: bytes)
            model.entries.append(LedgerModel.Entry(listedBytes: bytes ?? 0, work: .ready))
        }
    }

    private mutating func take(_ count: Int) throws {
        let taken = ledger.take(count).map(\.sequence)
        let expected = model.take(count)
        try #require(taken == expected, "seed \(seed)")
    }

    private mutating func end() {
        guard let sequence = model.open.randomElement(using: &random) else { return }
        let failure = Failure(stage: .get, faultClass: .server, attempts: 1, message: "m")
        let isFailed = Int.random(in: 0..<4, using: &random) == 0
        let outcome =
            isFailed ? Outcome(.failed, failure: failure) : Outcome(.copied, sizeBytes: 1)
        let record = Ledger.Record(key: ObjectKey("key \(sequence)"), outcome: outcome)
        ledger.end(sequence, record, at: now)
        model.entries[sequence].work = .ended(now)
        model.entries[sequence].migrateLine = record.migrateLine
        model.entries[sequence].failedLine = record.failedLine
        endings.append(sequence)
    }

    private mutating func abandon() {
        guard let sequence = model.open.randomElement(using: &random) else { return }
        ledger.abandon(sequence)
        model.entries[sequence].work = .abandoned
    }

    private mutating func commit(bytesMax: Int = .max) throws {
        let commit = ledger.commit(bytesMax: bytesMax)
        let expected = model.commit(bytesMax: bytesMax)
        try #require(commit.migrateLines == expected.migrate, "seed \(seed)")
        try #require(commit.failedLines == expected.failed, "seed \(seed)")
        migrateLog += commit.migrateLines
    }

    private mutating func takeAhead() throws {
        let limit = Instant(elapsed: now.elapsed - .seconds(1))
        let ahead = ledger.takeAhead(endedBefore: limit)
        let expected = model.takeAhead(endedBefore: limit, order: endings)
        try #require(ahead.migrateLines == expected.migrate, "seed \(seed)")
        try #require(ahead.failedLines == expected.failed, "seed \(seed)")
    }

    func compare() throws {
        try #require(ledger.waitingBytes == model.waitingBytes, "seed \(seed)")
        try #require(ledger.readyCount == model.ready.count, "seed \(seed)")
        try #require(ledger.inProgress == model.open.count, "seed \(seed)")
        try #require(ledger.hasRoom == model.hasRoom, "seed \(seed)")
        try #require(ledger.openListedBytes == model.openListedBytes, "seed \(seed)")
        try #require(ledger.aheadCount == model.aheadCount, "seed \(seed)")
        try #require(ledger.canCommit == model.canCommit, "seed \(seed)")
        try #require(ledger.aheadLines() == model.aheadLines, "seed \(seed)")
        try #require(ledger.unloggedCount() == model.unloggedCount, "seed \(seed)")
        try #require(ledger.isEmpty == (model.committed == model.entries.count), "seed \(seed)")
    }

    /// Whatever came before, a worker and the log thread get everything done that was not abandoned.
    mutating func finish() throws {
        while !model.open.isEmpty || !model.ready.isEmpty {
            try take(1)
            end()
            try commit()
            try compare()
        }
        try commit()
        let isWhole = !model.entries.contains { $0.work == .abandoned }
        #expect(ledger.isEmpty == isWhole, "seed \(seed)")
        let lines = model.entries[..<model.committed].flatMap(\.migrateLine)
        #expect(migrateLog == lines, "seed \(seed)")
    }
}
