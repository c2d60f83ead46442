//! The log thread at work: what stands in the logs when it ends, and what a resumed run makes of it.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct LogWriterTests {
    private let folder = TestFolder()

    private func shared(_ ledger: Ledger = Ledger(readyMax: 100_000)) -> SharedLedger {
        SharedLedger(
            ledger: ledger, guards: ListGuards(allowsMissing: true, slots: 1000), workerCount: 1,
            cleanupBucket: nil, wake: { _ in })
    }

    private func start(
        _ ledger: SharedLedger, earlier: [MigrateLogLine] = [],
        aheadBytesMax: Int64 = Limits.aheadBytesMax
    ) throws -> Thread {
        let folder = folder
        return try Thread(name: "logs") {
            do throws(SystemError) {
                var writer = try LogWriter(
                    folderPath: folder.path, ledger: ledger, clock: Clock(),
                    earlierAhead: earlier, aheadBytesMax: aheadBytesMax)
                writer.run()
            } catch {
                Issue.record(error)
                ledger.endOfLogs()
            }
        }
    }

    /// What a worker does with the ledger in one turn.
    @discardableResult
    private func turn(
        _ ledger: SharedLedger, end: [(Int, String)] = [], failed: Bool = false, take: Int = 0,
        at now: Instant = Clock().now
    ) -> [WorkItem] {
        let ended = end.map {
            SharedLedger.Return.ended(sequence: $0.0, record: record($0.1, failed: failed))
        }
        return ledger.turn(
            SharedLedger.Request(worker: 0, returned: ended, freeSlots: take, partBytes: 0),
            at: now
        ).items
    }

    private func admit(_ ledger: SharedLedger, _ keys: [String]) {
        ledger.withLedger { ledger in
            for key in keys { ledger.admit(ObjectKey(key), listedBytes: nil) }
        }
    }

    private func isWritten(_ ledger: SharedLedger) -> Bool {
        ledger.waitForEnd(atMost: .seconds(30))
    }

    /// Waits until a file is as it should be; the log thread looks ten times a second.
    private func waits(until isReady: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<6000 {
            if try isReady() { return true }
            usleep(10_000)
        }
        return false
    }

    private func key(_ number: Int) -> String { "key \(100_000 + number)" }

    @Test func writesKeysInOrderWhateverOrderTheyEndIn() throws {
        let ledger = shared()
        let thread = try start(ledger)
        let keys = (0..<1000).map(key)
        admit(ledger, keys)
        var items = turn(ledger, take: 1000)
        var random = SeededRandom(seed: 1)
        items.shuffle(using: &random)
        for item in items {
            turn(ledger, end: [(item.sequence, "\(item.key)")], failed: item.sequence % 10 == 0)
        }
        ledger.workerEnded()
        #expect(isWritten(ledger))
        thread.join()
        #expect(try folder.keys("migrate.log") == keys)
        #expect(
            try folder.keys("failed.log").sorted()
                == keys.enumerated()
                .filter { $0.offset % 10 == 0 }.map(\.element))
        #expect(try folder.text("ahead.log").isEmpty)
        #expect(try LogReport(folder: folder.path).isGood)
    }

    @Test func writesWithinASecondWhatCanBeWritten() throws {
        let ledger = shared()
        let thread = try start(ledger)
        admit(ledger, ["a", "b"])
        turn(ledger, take: 2)
        turn(ledger, end: [(0, "a")])
        #expect(try waits { try folder.keys("migrate.log") == ["a"] })
        ledger.workerEnded()
        thread.join()
    }

    /// What waits for an older object for a second is in ahead.log, and leaves it when migrate.log has it.
    @Test func writesAheadWhatWaits() throws {
        let ledger = shared()
        let thread = try start(ledger)
        admit(ledger, ["a", "b", "c"])
        turn(ledger, take: 3)
        turn(ledger, end: [(2, "c")], failed: true)
        #expect(try waits { try folder.keys("ahead.log") == ["c"] })
        #expect(try folder.keys("failed.log") == ["c"])
        #expect(try folder.text("migrate.log").isEmpty)
        turn(ledger, end: [(0, "a"), (1, "b")])
        #expect(try waits { try folder.text("ahead.log").isEmpty })
        #expect(try folder.keys("migrate.log") == ["a", "b", "c"])
        ledger.workerEnded()
        thread.join()
        #expect(try folder.keys("failed.log") == ["c"])
    }

    /// A run that ends with an object it could not finish leaves all others known to the next.
    @Test func leavesWhatIsBehindAnOpenObjectForTheResume() throws {
        folder.write("{}", to: folder.file("run.json"))
        let ledger = shared()
        let thread = try start(ledger)
        admit(ledger, ["a", "b", "c", "d"])
        turn(ledger, take: 4)
        turn(ledger, end: [(0, "a"), (3, "d"), (2, "c")])
        ledger.abandon([1])
        ledger.workerEnded()
        #expect(isWritten(ledger))
        thread.join()
        #expect(try folder.keys("migrate.log") == ["a"])
        #expect(try folder.keys("ahead.log") == ["d", "c"])
        let earlier = try LogFolder(path: folder.path).begin(.resume)
        #expect(earlier.start == ObjectKey("a"))
        #expect(earlier.ahead.map(\.key.description) == ["c", "d"])
    }

    @Test func goesOnWithWhatAnEarlierRunLeft() throws {
        folder.write("{}", to: folder.file("run.json"))
        folder.write(copied("a"), to: folder.file("migrate.log"))
        folder.write(copied("d") + copied("c"), to: folder.file("ahead.log"))
        let earlier = try LogFolder(path: folder.path).begin(.resume)
        let ledger = shared(Ledger(readyMax: 10, aheadCount: earlier.ahead.count))
        let thread = try start(ledger, earlier: earlier.ahead)
        #expect(try waits { try folder.keys("ahead.log") == ["c", "d"] })
        ledger.withLedger { ledger in
            ledger.admit(ObjectKey("b"), listedBytes: nil)
            for line in earlier.ahead { ledger.admitKnown(line) }
        }
        turn(ledger, take: 1)
        turn(ledger, end: [(0, "b")])
        ledger.workerEnded()
        thread.join()
        #expect(try folder.keys("migrate.log") == ["a", "b", "c", "d"])
        #expect(try folder.text("ahead.log").isEmpty)
    }

    /// ahead.log does not grow without end while some object is always open.
    @Test func writesAheadAnewWhenItHasGrown() throws {
        let ledger = shared()
        let lineBytes = copied(key(0)).utf8.count
        let thread = try start(ledger, aheadBytesMax: Int64(500 * lineBytes))
        // Two objects stay open, the first and one in the middle.
        let all = (0..<700).map(key)
        admit(ledger, all)
        turn(ledger, take: all.count)
        let past = Instant(elapsed: Clock().now.elapsed - .seconds(10))
        turn(ledger, end: (1..<400).map { ($0, all[$0]) }, at: past)
        #expect(try waits { try folder.keys("ahead.log") == Array(all[1..<400]) })
        let before = try inode("ahead.log")
        turn(ledger, end: [(0, all[0])], at: past)
        turn(ledger, end: (401..<700).map { ($0, all[$0]) }, at: past)
        #expect(try waits { try inode("ahead.log") != before })
        #expect(try folder.keys("ahead.log") == Array(all[401...]))
        turn(ledger, end: [(400, all[400])])
        ledger.workerEnded()
        thread.join()
        #expect(try folder.keys("migrate.log") == all)
        #expect(try folder.text("ahead.log").isEmpty)
    }

    private func status(_ name: String) throws -> stat {
        var result = stat()
        let path = folder.file(name)
        try check { stat(path, &result) }
        return result
    }

    private func inode(_ name: String) throws -> UInt { UInt(try status(name).st_ino) }

    @Test func endsTheRunWhenTheDiskFails() throws {
        symlink("/dev/full", folder.file("migrate.log"))
        let ledger = shared()
        let thread = try start(ledger)
        admit(ledger, ["a"])
        turn(ledger, take: 1)
        turn(ledger, end: [(0, "a")])
        #expect(waits { ledger.look(\.ending) == .aborting })
        ledger.workerEnded()
        #expect(isWritten(ledger))
        thread.join()
        guard case .fault(let text) = ledger.look(\.stop) else {
            Issue.record("no reason is given")
            return
        }
        #expect(text.contains("migrate.log"))
        #expect(text.contains("No space left"))
        #expect(text.contains("--resume"))
    }

    @Test func writesNothingInADryRun() throws {
        let ledger = shared()
        let thread = try Thread(name: "no logs") { LogWriter.discard(ledger) }
        admit(ledger, ["a"])
        turn(ledger, take: 1)
        turn(ledger, end: [(0, "a")])
        ledger.workerEnded()
        #expect(isWritten(ledger))
        thread.join()
        #expect(ledger.look { $0.ledger.isEmpty })
    }
}
