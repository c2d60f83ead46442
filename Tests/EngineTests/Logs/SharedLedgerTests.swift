//! The ledger between its threads: who waits for whom, who is woken, and how a run ends.

import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct SharedLedgerTests {
    /// Which workers were woken, in order.
    private final class Bell: Sendable {
        private let rung = Monitor([Int]())

        func ring(_ worker: Int) { rung.withLock { $0.append(worker) } }

        func takeRung() -> [Int] {
            rung.withLock { list in
                defer { list = [] }
                return list
            }
        }
    }

    private let bell = Bell()
    private let clock = Clock()

    private func shared(
        readyMax: Int = 10, waitingBytesMax: Int = 1000, allowsMissing: Bool = true,
        workerCount: Int = 3
    ) -> SharedLedger {
        SharedLedger(
            ledger: Ledger(readyMax: readyMax, waitingBytesMax: waitingBytesMax),
            guards: ListGuards(allowsMissing: allowsMissing, slots: 1), workerCount: workerCount,
            cleanupBucket: nil, wake: { [bell] in bell.ring($0) })
    }

    private func admit(_ ledger: SharedLedger, _ keys: String...) -> Bool {
        ledger.admit(counters: KeyStreamCounters()) { ledger in
            for key in keys { ledger.admit(ObjectKey(key), listedBytes: nil) }
        }
    }

    private func turn(
        _ ledger: SharedLedger, worker: Int = 0, _ ended: [(Int, String)] = [], free: Int = 1
    ) -> SharedLedger.Turn {
        ledger.turn(
            SharedLedger.Request(
                worker: worker,
                returned: ended.map { .ended(sequence: $0.0, record: record($0.1)) },
                freeSlots: free, partBytes: 0), at: clock.now)
    }

    // MARK: - Work

    @Test func wakesThoseWhoFoundNothing() {
        let ledger = shared()
        #expect(turn(ledger, worker: 2).items.isEmpty)
        #expect(turn(ledger, worker: 1).items.isEmpty)
        #expect(admit(ledger, "a"))
        #expect(bell.takeRung().sorted() == [1, 2])
        #expect(turn(ledger, worker: 1).items.map(\.sequence) == [0])
        #expect(admit(ledger, "b"))
        #expect(bell.takeRung().isEmpty)
    }

    /// At the bound of what may wait nothing goes out, and a commit that frees it tells those who wait.
    @Test func wakesThoseWhoFoundNothingAtTheBound() {
        let ledger = shared(waitingBytesMax: 10)
        #expect(admit(ledger, "a", "b", "c"))
        for _ in 0..<2 { #expect(turn(ledger).items.count == 1) }
        #expect(turn(ledger, worker: 1, [(1, "b")]).items.isEmpty)
        #expect(ledger.waitForLogs(atMost: .zero, bytes: 1).commit.isEmpty)
        _ = bell.takeRung()
        // With nothing in progress the oldest must go out whatever waits, so the others are told at once.
        _ = turn(ledger, [(0, "a")], free: 0)
        #expect(bell.takeRung().contains(1))
        #expect(!ledger.waitForLogs(atMost: .zero, bytes: 1).commit.isEmpty)
        #expect(turn(ledger, worker: 1).items.map(\.sequence) == [2])
    }

    /// Few objects, which may be large, are for all workers alike.
    @Test func leavesTheOthersTheirShare() {
        let ledger = shared()
        #expect(admit(ledger, "a", "b", "c", "d", "e", "f", "g"))
        #expect(turn(ledger, worker: 0, free: 9).items.count == 3)
        #expect(turn(ledger, worker: 1, free: 9).items.count == 3)
        #expect(turn(ledger, worker: 2, free: 9).items.count == 1)
    }

    @Test func letsTheListsWaitForRoom() throws {
        let ledger = shared(readyMax: 1)
        #expect(admit(ledger, "a"))
        let thread = try Thread(name: "lists") { [self] in _ = admit(ledger, "b") }
        #expect(turn(ledger).items.map(\.sequence) == [0])
        thread.join()
        #expect(turn(ledger).items.map(\.sequence) == [1])
    }

    /// What is handed out may be large, and give parts to all: so nobody goes before it is done.
    @Test func isOverWhenTheListsAreAndAllIsDone() {
        let ledger = shared()
        #expect(admit(ledger, "a"))
        ledger.endOfLists(counters: KeyStreamCounters())
        #expect(bell.takeRung().sorted() == [0, 1, 2])
        #expect(turn(ledger, free: 0).isOver == false)
        #expect(turn(ledger).isOver == false)
        #expect(turn(ledger, worker: 1).isOver == false)
        #expect(turn(ledger, [(0, "a")]).isOver)
        #expect(bell.takeRung().sorted() == [1, 2])
        #expect(turn(ledger, worker: 1).isOver)
    }

    /// Lines that fill a piece: the last one is told only with the last piece.
    @Test func endsTheLogsWithTheLastPiece() {
        let ledger = shared(waitingBytesMax: .max, workerCount: 0)
        let lines = [UInt8](repeating: UInt8(ascii: "\n"), count: LogWriter.commitBytesMax)
        _ = ledger.admit(counters: KeyStreamCounters()) { ledger in
            for _ in 0..<2 { ledger.admitExisting(lines, count: lines.count) }
        }
        let first = ledger.waitForLogs(atMost: .zero, bytes: 1)
        #expect(first.commit.migrateLines.count == lines.count)
        #expect(!first.isLast)
        let second = ledger.waitForLogs(atMost: .zero, bytes: 1)
        #expect(second.commit.migrateLines.count == lines.count)
        #expect(second.isLast)
    }

    // MARK: - The end

    @Test(arguments: [SharedLedger.Ending.draining, .aborting])
    func handsOutNothingAfterTheEnd(ending: SharedLedger.Ending) {
        let ledger = shared()
        #expect(admit(ledger, "a"))
        ledger.end(ending, because: .signal("CTRL-C"))
        #expect(bell.takeRung().sorted() == [0, 1, 2])
        let turn = turn(ledger)
        #expect(turn.items.isEmpty)
        #expect(turn.ending == ending)
        #expect(turn.isOver)
        #expect(!admit(ledger, "b"))
    }

    @Test func letsTheListsGoAtTheEnd() throws {
        let ledger = shared(readyMax: 1)
        #expect(admit(ledger, "a"))
        let thread = try Thread(name: "lists") { [self] in _ = admit(ledger, "b") }
        ledger.end(.draining, because: .signal("SIGTERM"))
        thread.join()
        #expect(ledger.look { $0.ledger.admittedCount } == 1)
    }

    @Test func keepsTheFirstReasonAndTheHardestEnd() {
        let ledger = shared()
        ledger.end(.aborting, because: .fault("first"))
        ledger.end(.draining, because: .signal("second"))
        #expect(ledger.look(\.ending) == .aborting)
        guard case .fault("first") = ledger.look(\.stop) else {
            Issue.record("another reason than the first")
            return
        }
    }

    @Test func drainsAtAnAlarm() {
        let ledger = shared(readyMax: 1000, allowsMissing: false, workerCount: 1)
        ledger.withLedger { ledger in
            for index in 0..<200 { ledger.admit(ObjectKey("\(index)"), listedBytes: nil) }
        }
        let items = turn(ledger, free: 200).items
        for item in items {
            let record = Ledger.Record(key: item.key, outcome: Outcome(.skippedSource))
            let ended = SharedLedger.Return.ended(sequence: item.sequence, record: record)
            _ = ledger.turn(
                SharedLedger.Request(worker: 0, returned: [ended], freeSlots: 0, partBytes: 0),
                at: clock.now)
        }
        #expect(ledger.look(\.ending) == .draining)
        guard case .fault(let text) = ledger.look(\.stop) else {
            Issue.record("no alarm")
            return
        }
        #expect(text.contains("20 of the first 20"))
    }

    /// The log thread takes the last commit when the last worker has ended.
    @Test func givesTheLogsTheLastCommit() {
        let ledger = shared()
        #expect(admit(ledger, "a"))
        _ = turn(ledger)
        _ = turn(ledger, [(0, "a")])
        for _ in 0..<2 {
            ledger.workerEnded()
            #expect(!ledger.waitForLogs(atMost: .zero, bytes: .max).isLast)
        }
        ledger.workerEnded()
        #expect(ledger.waitForLogs(atMost: .seconds(9), bytes: .max).isLast)
        #expect(!ledger.waitForEnd(atMost: .zero))
        ledger.endOfLogs()
        #expect(ledger.waitForEnd(atMost: .seconds(9)))
    }
}
