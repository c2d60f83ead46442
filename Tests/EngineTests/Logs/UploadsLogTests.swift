//! uploads.log on a real disk: what is acknowledged is in it, what has ended leaves it, what is torn is kept apart.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

/// A line of uploads.log; an intent has no id.
func uploadLine(_ key: String, _ state: String, _ id: String = "-") -> String {
    "\(key)\t\(state)\t\(id)\t10\tabc\tThu, 01 Jan 2026 00:00:00 GMT\t4\tcrc32c\t1767225600\t-\t-\n"
}

func uploadRecord(_ key: String, _ state: String, _ id: String = "-") throws -> UploadRecord {
    let line = Array(uploadLine(key, state, id).utf8.dropLast())
    let record = UploadRecord(parsing: line.span)
    return try #require(record)
}

@Suite struct UploadsLogTests {
    private let folder = TestFolder()

    /// What the file held whenever a worker was woken.
    private final class Wakes: Sendable {
        let texts = Monitor([String]())
    }

    private func shared(
        _ ledger: Ledger = Ledger(readyMax: 10), wake: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> SharedLedger {
        SharedLedger(
            ledger: ledger, guards: ListGuards(allowsMissing: true, slots: 1), workerCount: 2,
            cleanupBucket: nil, wake: wake)
    }

    private func start(
        _ ledger: SharedLedger, earlier: OpenUploads = OpenUploads()
    ) throws -> Thread {
        let folder = folder
        return try Thread(name: "logs") {
            do throws(SystemError) {
                var writer = try LogWriter(
                    folderPath: folder.path, ledger: ledger, clock: Clock(), earlierAhead: [],
                    earlierUploads: earlier)
                writer.run()
            } catch {
                Issue.record(error)
                ledger.endOfLogs()
            }
        }
    }

    private func end(_ ledger: SharedLedger, _ thread: Thread) {
        for _ in 0..<2 { ledger.workerEnded() }
        thread.join()
    }

    private func recorded(_ ledger: SharedLedger, _ worker: Int) -> [Int] {
        ledger.turn(
            SharedLedger.Request(worker: worker, returned: [], freeSlots: 0, partBytes: 0),
            at: Clock().now
        ).recorded
    }

    private func waits(until isReady: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<6000 {
            if try isReady() { return true }
            usleep(10_000)
        }
        return false
    }

    // MARK: - Writing

    /// The worker is woken when the line is there, and not before; then it is told which slot may go on.
    @Test func acknowledgesWhatIsOnTheDisk() throws {
        let (folder, wakes) = (folder, Wakes())
        let ledger = shared(wake: { worker in
            guard worker == 1 else { return }
            let text = (try? folder.text("uploads.log")) ?? "unreadable"
            wakes.texts.withLock { $0.append(text) }
        })
        ledger.record(try uploadRecord("k", "intent"), worker: 1, slot: 7)
        #expect(recorded(ledger, 1) == [], "nobody has written it yet")
        let thread = try start(ledger)
        #expect(waits { wakes.texts.withLock { !$0.isEmpty } })
        #expect(wakes.texts.withLock { $0.first } == uploadLine("k", "intent"))
        #expect(recorded(ledger, 0) == [])
        #expect(recorded(ledger, 1) == [7])
        #expect(recorded(ledger, 1) == [], "once")
        end(ledger, thread)
    }

    @Test func writesLinesInTheirOrder() throws {
        let ledger = shared()
        let thread = try start(ledger)
        var expected = ""
        for index in 0..<200 {
            let state = ["intent", "open", "completing", "ended"][index % 4]
            let id = state == "intent" ? "-" : "id\(index / 4)"
            ledger.record(try uploadRecord("k\(index / 4)", state, id), worker: 0, slot: index)
            expected += uploadLine("k\(index / 4)", state, id)
        }
        var slots: [Int] = []
        #expect(
            waits {
                slots += recorded(ledger, 0)
                return slots.count == 200
            })
        #expect(slots == Array(0..<200))
        #expect(try folder.text("uploads.log") == expected)
        #expect(ledger.look { $0.ledger.uploads.records.isEmpty })
        end(ledger, thread)
    }

    /// The ledger's books are those of the disk.
    @Test func theLedgerKnowsWhatIsOpen() throws {
        let ledger = shared()
        ledger.record(try uploadRecord("k", "intent"), worker: 0, slot: 0)
        #expect(ledger.look { $0.ledger.uploads.records.isEmpty })
        let thread = try start(ledger)
        #expect(waits { recorded(ledger, 0) == [0] })
        #expect(ledger.look { $0.ledger.uploads.records.map(\.state) } == [.intent])
        end(ledger, thread)
    }

    /// The last lines are written although nobody waits for them any more.
    @Test func writesTheLastLines() throws {
        let ledger = shared()
        for _ in 0..<2 { ledger.workerEnded() }
        ledger.record(try uploadRecord("k", "open", "id1"), worker: 0, slot: 0)
        let thread = try start(ledger)
        thread.join()
        #expect(try folder.text("uploads.log") == uploadLine("k", "open", "id1"))
    }

    // MARK: - The next run

    private func begin(_ start: LogFolder.Start) throws(LogFolderError) -> LogFolder.Earlier {
        try LogFolder(path: folder.path).begin(start)
    }

    private func open(_ uploads: OpenUploads) -> [String] {
        uploads.records.map { "\($0.key) \($0.state.rawValue) \($0.uploadID ?? "-")" }
    }

    @Test func beginsWithWhatIsOpenAndNothingElse() throws {
        let left = uploadLine("c", "completing", "id3") + uploadLine("b", "intent")
        let text =
            uploadLine("a", "intent") + uploadLine("a", "open", "id1") + uploadLine("b", "intent")
            + uploadLine("c", "open", "id3") + uploadLine("a", "ended", "id1")
            + uploadLine("c", "completing", "id3")
        folder.write(text, to: folder.file("uploads.log"))
        let earlier = try begin(.resume)
        #expect(open(earlier.uploads) == ["b intent -", "c completing id3"])
        #expect(earlier.repairs.isEmpty)
        #expect(try folder.text("uploads.log") == text, "reading changes nothing")
        let ledger = shared(Ledger(readyMax: 10, uploads: earlier.uploads))
        let thread = try start(ledger, earlier: earlier.uploads)
        ledger.record(try uploadRecord("b", "ended"), worker: 0, slot: 0)
        #expect(waits { recorded(ledger, 0) == [0] })
        #expect(try folder.text("uploads.log") == left + uploadLine("b", "ended"))
        end(ledger, thread)
        #expect(open(try begin(.resume).uploads) == ["c completing id3"])
    }

    /// What a crash left of a line, or a hole in the file, with all that stands behind it.
    @Test(
        arguments: [
            "k\topen\tid", uploadLine("k", "ended", "id1").dropLast(1), "k\tclosed\tid1\n",
            "\0\0\0\0\0\0\0\0", "\n", "k\topen\t-\t10\tabc\t-\t4\t-\t-\t-\t-\n",
        ] as [Substring])
    func cutsATornTailAndKeepsIt(tail: Substring) throws {
        let good = uploadLine("k", "open", "id1")
        let all = good + tail + uploadLine("z", "open", "id9")
        folder.write(all, to: folder.file("uploads.log"))
        let earlier = try begin(.resume)
        #expect(open(earlier.uploads) == ["k open id1"])
        #expect(earlier.repairs.count == 1)
        #expect(earlier.repairs.first?.contains("uploads.log.cut") == true)
        #expect(try folder.text("uploads.log") == good)
        #expect(try folder.text("uploads.log.cut") == String(all.dropFirst(good.count)))
        #expect(try begin(.resume).repairs.isEmpty)
    }

    @Test func refusesToBeginAfreshWhereUploadsAreOpen() throws {
        folder.write(uploadLine("k", "open", "id1"), to: folder.file("uploads.log"))
        let error = logError { () throws(LogFolderError) in _ = try begin(.fresh) }
        #expect(error?.isUsage == true)
        #expect(error?.description.contains("uploads.log") == true)
    }

    /// A second pass goes on with the upload of what failed; of what is neither failed nor copied nothing is kept.
    @Test func keepsTheUploadsOfWhatFailed() throws {
        folder.write(
            uploadLine("a", "open", "id1") + uploadLine("b", "open", "id2"),
            to: folder.file("uploads.log"))
        folder.write(
            "a\tpart\ttransport\t-\t-\t3\t-\treset\nz\tget\ttransport\t-\t-\t3\t-\treset\n",
            to: folder.file("failed.log"))
        let earlier = try begin(.resume)
        #expect(earlier.failedUploads == [ObjectKey("a")])
        #expect(earlier.repairs.isEmpty)
    }
}
