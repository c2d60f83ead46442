//! The ledger by example: what goes out, what is committed, what waits.

import S3
import Testing

@testable import Migration

@Suite struct LedgerTests {
    private var ledger = Ledger(readyMax: 8)
    private let now = Instant(elapsed: .seconds(10))

    private func record(_ key: String, failed: Bool = false) -> Ledger.Record {
        let failure = Failure(
            stage: .put, faultClass: .denied, status: 403, attempts: 1, message: "no")
        return Ledger.Record(
            key: ObjectKey(key),
            outcome: failed ? Outcome(.failed, failure: failure) : Outcome(.copied, sizeBytes: 3))
    }

    private func keys(_ lines: [UInt8]) -> [String] {
        String(decoding: lines, as: UTF8.self).split(separator: "\n")
            .map { String($0.prefix { $0 != "\t" }) }
    }

    private mutating func admit(_ keys: String...) {
        for key in keys { ledger.admit(ObjectKey(key), listedBytes: 3) }
    }

    @Test mutating func commitsNothingBehindAnOpenObject() {
        admit("a", "b", "c")
        let items = ledger.take(9)
        #expect(items.map(\.sequence) == [0, 1, 2])
        ledger.end(2, record("c"), at: now)
        ledger.end(1, record("b"), at: now)
        #expect(ledger.commit().isEmpty)
        ledger.end(0, record("a"), at: now)
        #expect(keys(ledger.commit().migrateLines) == ["a", "b", "c"])
        #expect(ledger.isEmpty)
        #expect(ledger.waitingBytes == 0)
        #expect(ledger.openListedBytes == 0)
    }

    @Test mutating func commitsInPieces() {
        for key in ["a", "b", "c"] { ledger.admitExisting(Array("\(key)\n".utf8), count: 1) }
        #expect(keys(ledger.commit(bytesMax: 3).migrateLines) == ["a", "b"])
        #expect(ledger.canCommit)
        #expect(keys(ledger.commit(bytesMax: 3).migrateLines) == ["c"])
        #expect(!ledger.canCommit)
    }

    /// Else the log thread would look again and again while a giant object is copied and all others wait for it.
    @Test mutating func isNotDueWhileAllWaitForAnOpenObject() {
        admit("a", "b")
        _ = ledger.take(2)
        ledger.end(1, record("b"), at: now)
        #expect(ledger.waitingBytes > 1)
        #expect(!ledger.isCommitDue(bytes: 1))
        ledger.end(0, record("a"), at: now)
        #expect(ledger.isCommitDue(bytes: 1))
        #expect(!ledger.isCommitDue(bytes: 1 << 20))
    }

    @Test mutating func committedLinesOfBothLogsBelongTogether() {
        admit("a", "b")
        _ = ledger.take(2)
        ledger.end(1, record("b", failed: true), at: now)
        ledger.end(0, record("a"), at: now)
        let commit = ledger.commit()
        #expect(keys(commit.migrateLines) == ["a", "b"])
        #expect(keys(commit.failedLines) == ["b"])
        #expect(ledger.tally.failed == 1)
        #expect(ledger.tally.errors[.denied]?.exampleKey == ObjectKey("b"))
    }

    @Test mutating func existingKeysPassWithoutAWorker() {
        ledger.admitExisting(Array("a\nb\n".utf8), count: 2)
        #expect(ledger.waitingBytes == 4)
        #expect(ledger.readyCount == 0)
        #expect(ledger.tally.exist == 0)
        #expect(keys(ledger.commit().migrateLines) == ["a", "b"])
        #expect(ledger.tally.exist == 2)
    }

    @Test mutating func aSampleOfTheExistingGoesOutAndBelongsToThem() {
        ledger.admitExisting(Array("a\n".utf8), count: 1)
        ledger.admitSample(KeyListLine(key: ObjectKey("b"), sizeBytes: 7))
        ledger.admitExisting(Array("c\n".utf8), count: 1)
        let items = ledger.take(9)
        #expect(items.map(\.isSample) == [true])
        #expect(ledger.openListedBytes == 0, "nothing of it will be copied")
        #expect(keys(ledger.commit().migrateLines) == ["a"])
        let outcome = Outcome(.exist, sizeBytes: 7, proof: .same)
        ledger.end(1, Ledger.Record(key: ObjectKey("b"), outcome: outcome), at: now)
        #expect(keys(ledger.commit().migrateLines) == ["b", "c"])
        #expect(ledger.tally.exist == 3)
        #expect(ledger.tally.samples == [.same: 1])
        #expect(ledger.tally.handled == ledger.admittedCount)
    }

    @Test mutating func existingKeysWaitBehindAnOpenObject() {
        admit("a")
        ledger.admitExisting(Array("b\n".utf8), count: 1)
        _ = ledger.take(1)
        #expect(ledger.commit().isEmpty)
        #expect(ledger.unloggedCount() == 2)
        ledger.end(0, record("a"), at: now)
        #expect(keys(ledger.commit().migrateLines) == ["a", "b"])
        #expect(ledger.unloggedCount() == 0)
    }

    @Test mutating func anAbandonedObjectHoldsBackAllBehindIt() {
        admit("a", "b")
        _ = ledger.take(2)
        ledger.end(1, record("b"), at: now)
        ledger.abandon(0)
        #expect(ledger.inProgress == 0)
        #expect(ledger.commit().isEmpty)
        #expect(keys(ledger.takeAhead(endedBefore: now).migrateLines) == ["b"])
        #expect(ledger.unloggedCount() == 1)
        #expect(!ledger.isEmpty)
    }

    @Test mutating func handsOutNothingAfterTheStop() {
        admit("a", "b")
        _ = ledger.take(1)
        ledger.stopHandingOut()
        #expect(ledger.take(5).isEmpty)
        #expect(ledger.readyCount == 0)
        #expect(ledger.unloggedCount() == 2)
    }

    // MARK: - Room

    @Test mutating func hasRoomForAsManyAsWereAskedFor() {
        for index in 0..<8 {
            #expect(ledger.hasRoom)
            admit("k\(index)")
        }
        #expect(!ledger.hasRoom)
        _ = ledger.take(1)
        #expect(ledger.hasRoom)
    }

    @Test mutating func hasNoRoomWhileTooManyOutcomesWait() {
        ledger = Ledger(readyMax: 8, waitingBytesMax: 10)
        admit("a", "b", "c", "d")
        #expect(ledger.take(2).count == 2)
        ledger.end(1, record("b"), at: now)
        #expect(!ledger.hasRoom)
        #expect(ledger.take(1).isEmpty)
        ledger.end(0, record("a"), at: now)
        // Nothing is under way, so the oldest goes out even before the commit, and alone.
        #expect(ledger.take(2).map(\.sequence) == [2])
        _ = ledger.commit()
        #expect(ledger.hasRoom)
        #expect(ledger.take(2).map(\.sequence) == [3])
    }

    // MARK: - Ahead

    @Test mutating func writesAheadWhatWaitsLongEnough() {
        admit("a", "b", "c")
        _ = ledger.take(3)
        ledger.end(2, record("c", failed: true), at: now)
        ledger.end(1, record("b"), at: now + .seconds(2))
        #expect(ledger.takeAhead(endedBefore: Instant(elapsed: .seconds(9))).isEmpty)
        let ahead = ledger.takeAhead(endedBefore: now)
        #expect(keys(ahead.migrateLines) == ["c"])
        #expect(keys(ahead.failedLines) == ["c"])
        #expect(ledger.aheadCount == 1)
        #expect(ledger.takeAhead(endedBefore: now).isEmpty)
        #expect(keys(ledger.aheadLines()) == ["c"])
        ledger.end(0, record("a"), at: now + .seconds(3))
        let commit = ledger.commit()
        #expect(keys(commit.migrateLines) == ["a", "b", "c"])
        // It stands in failed.log already.
        #expect(commit.failedLines.isEmpty)
        #expect(ledger.aheadCount == 0)
        #expect(ledger.takeAhead(endedBefore: now + .seconds(9)).isEmpty)
    }

    @Test mutating func countsDownWhatAnEarlierRunLeft() throws {
        ledger = Ledger(readyMax: 8, aheadCount: 2)
        admit("a")
        let text = Array("b\tcopied\t7\te\tetag\t5".utf8)
        ledger.admitKnown(try #require(migrateLine(text)))
        _ = ledger.take(1)
        #expect(ledger.tally.copied == 1)
        #expect(ledger.tally.copiedBytes == 7)
        #expect(keys(ledger.aheadLines()) == ["b"])
        ledger.end(0, record("a"), at: now)
        #expect(keys(ledger.commit().migrateLines) == ["a", "b"])
        #expect(ledger.aheadCount == 1)
        #expect(ledger.tally.copied == 2)
    }

    /// Without logs nobody takes what is ahead, and yet nothing may pile up: a dry run has as many keys as any.
    @Test mutating func forgetsWhatIsCommittedWithoutALog() {
        ledger = Ledger(readyMax: 8)
        for sequence in 0..<1000 {
            admit("k")
            _ = ledger.take(1)
            ledger.end(sequence, record("k"), at: now)
            _ = ledger.commit()
        }
        #expect(ledger.endingCount == 0)
    }

    // MARK: - What must not happen

    @Test func trapsWhenAnObjectEndsTwice() async {
        await #expect(processExitsWith: .failure) {
            var ledger = Ledger(readyMax: 1)
            ledger.admit(ObjectKey("a"), listedBytes: nil)
            _ = ledger.take(1)
            let record = Ledger.Record(key: ObjectKey("a"), outcome: Outcome(.copied))
            ledger.end(0, record, at: Instant(elapsed: .zero))
            ledger.end(0, record, at: Instant(elapsed: .zero))
        }
    }

    @Test func trapsWhenNobodyHadTheObject() async {
        await #expect(processExitsWith: .failure) {
            var ledger = Ledger(readyMax: 1)
            ledger.admit(ObjectKey("a"), listedBytes: nil)
            let record = Ledger.Record(key: ObjectKey("a"), outcome: Outcome(.copied))
            ledger.end(0, record, at: Instant(elapsed: .zero))
        }
    }
}
