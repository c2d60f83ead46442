//! Large objects between the threads: who is told of their parts, and when a worker may go home.

import Linux
import S3
import Testing

@testable import Engine
@testable import Migration

@Suite struct SharedLedgerLargeTests {
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

    private func shared(uploads: [UploadRecord] = [], cleansUp: Bool = true) -> SharedLedger {
        var open = OpenUploads()
        for record in uploads { open.take(record) }
        return SharedLedger(
            ledger: Ledger(readyMax: 10, uploads: open),
            guards: ListGuards(allowsMissing: true, slots: 1), workerCount: 3,
            cleanupBucket: cleansUp ? "to" : nil, wake: { [bell] in bell.ring($0) })
    }

    private func turn(
        _ ledger: SharedLedger, worker: Int = 0, _ returned: [SharedLedger.Return] = [],
        free: Int = 1
    ) -> SharedLedger.Turn {
        ledger.turn(
            SharedLedger.Request(
                worker: worker, returned: returned, freeSlots: free, partBytes: 0), at: clock.now)
    }

    private func admit(_ ledger: SharedLedger, _ keys: String...) {
        ledger.withLedger { ledger in
            for key in keys { ledger.admit(ObjectKey(key), listedBytes: nil) }
        }
    }

    private func large(_ sequence: Int, parts: Int) throws -> (MultipartCopy, PartsOrder) {
        var response = Response(status: 200)
        response.headers.append("content-length", "\(parts * 10)")
        let facts = try HeadObject.answer(
            response, to: HeadObject.request(bucket: "from", key: ObjectKey("k")))
        let item = WorkItem(sequence: sequence, key: ObjectKey("k"))
        var rules = TransferRules(sourceBucket: "from", targetBucket: "to")
        rules.partBytes = 10
        let copy = MultipartCopy(
            item: item, facts: facts, tags: [], losses: [], begun: clock.now, restarts: 0,
            attempts: 0, now: clock.now, rules: rules)
        let order = PartsOrder(
            item: item, facts: facts, uploadID: "id1",
            plan: PartPlan(sizeBytes: facts.sizeBytes, partBytes: 10), digest: nil,
            numbers: Array(1...parts))
        return (copy, order)
    }

    private let copiedPart = PartOutcome.copied(PartReceipt(etag: ETag("e"), digest: nil))

    /// One object, as far as its parts, which worker 0 brings.
    private func spread(_ ledger: SharedLedger, parts: Int, free: Int = 1) throws
        -> SharedLedger.Turn
    {
        admit(ledger, "a")
        #expect(turn(ledger).items.count == 1)
        let (copy, order) = try large(0, parts: parts)
        #expect(turn(ledger, [.parked(copy, .forTurn)]).assignments.count == 1)
        return turn(ledger, [.parked(copy, .forParts(order))], free: free)
    }

    @Test func tellsAllWhoFoundNothingThatThereAreParts() throws {
        let ledger = shared()
        for worker in [1, 2] { #expect(turn(ledger, worker: worker).isEmpty) }
        _ = bell.takeRung()
        let first = try spread(ledger, parts: 3)
        #expect(first.assignments.count == 1)
        #expect(bell.takeRung().sorted() == [1, 2])
        for worker in [1, 2] { #expect(turn(ledger, worker: worker).assignments.count == 1) }
        #expect(turn(ledger).isEmpty)
    }

    /// Where one worker can take all, nobody else is disturbed.
    @Test func wakesNobodyForWhatIsTaken() throws {
        let ledger = shared()
        for worker in [1, 2] { _ = turn(ledger, worker: worker) }
        #expect(try spread(ledger, parts: 3, free: 9).assignments.count == 3)
        #expect(bell.takeRung() == [])
    }

    @Test func isNotOverWhileAnObjectIsParked() throws {
        let ledger = shared()
        _ = try spread(ledger, parts: 1)
        ledger.endOfLists(counters: KeyStreamCounters())
        _ = bell.takeRung()
        #expect(!turn(ledger, worker: 1).isOver)
        #expect(!turn(ledger, worker: 2).isOver)
        // The last part makes a piece of work, for the worker that brings it.
        let turn = turn(ledger, [.part(number: 1, sequence: 0, copiedPart)])
        #expect(turn.assignments.count == 1)
        #expect(!turn.isOver)
    }

    @Test func tellsAllThatTheLastObjectHasEnded() throws {
        let ledger = shared()
        admit(ledger, "a")
        _ = turn(ledger)
        ledger.endOfLists(counters: KeyStreamCounters())
        for worker in [1, 2] { #expect(!turn(ledger, worker: worker).isOver) }
        _ = bell.takeRung()
        let last = turn(ledger, [.ended(sequence: 0, record: record("a"))])
        #expect(last.isOver)
        #expect(bell.takeRung().sorted() == [1, 2])
        for worker in [1, 2] { #expect(turn(ledger, worker: worker).isOver) }
    }

    // MARK: - Uploads that nobody had a use for

    private func left(_ count: Int) throws -> [UploadRecord] {
        try (0..<count).map { try uploadRecord("gone \($0)", "open", "id\($0)") }
    }

    @Test func cleansUpWhenAllIsDone() throws {
        let ledger = shared(uploads: try left(2))
        admit(ledger, "a")
        #expect(turn(ledger, free: 5).items.count == 1)
        ledger.endOfLists(counters: KeyStreamCounters())
        #expect(turn(ledger, worker: 1, free: 5).isEmpty, "not while an object is under way")
        let last = turn(ledger, [.ended(sequence: 0, record: record("a"))], free: 5)
        #expect(last.assignments.count == 2)
        #expect(!last.isOver)
        #expect(turn(ledger, free: 3).isOver)
    }

    /// A worker whose slots are all busy with them does not go home while there are more.
    @Test func isNotOverWhileUploadsAreLeftToCleanUp() throws {
        let ledger = shared(uploads: try left(3))
        ledger.endOfLists(counters: KeyStreamCounters())
        #expect(turn(ledger, free: 2).assignments.count == 2)
        #expect(!turn(ledger, free: 0).isOver)
        #expect(turn(ledger, free: 2).assignments.count == 1)
        #expect(turn(ledger, free: 1).isOver)
    }

    @Test func othersHelpToCleanUp() throws {
        let ledger = shared(uploads: try left(3))
        admit(ledger, "a")
        _ = turn(ledger)
        ledger.endOfLists(counters: KeyStreamCounters())
        for worker in [1, 2] { _ = turn(ledger, worker: worker) }
        _ = bell.takeRung()
        _ = turn(ledger, [.ended(sequence: 0, record: record("a"))])
        #expect(bell.takeRung().sorted() == [1, 2])
        for worker in [1, 2] {
            #expect(turn(ledger, worker: worker).assignments.count == 1)
        }
    }

    @Test func cleansUpNothingWhereItMayNot() throws {
        let ledger = shared(uploads: try left(3), cleansUp: false)
        ledger.endOfLists(counters: KeyStreamCounters())
        #expect(turn(ledger).isOver)
    }

    @Test func cleansUpNothingAfterTheEnd() throws {
        let ledger = shared(uploads: try left(3))
        ledger.endOfLists(counters: KeyStreamCounters())
        ledger.end(.draining, because: .signal("CTRL-C"))
        let turn = turn(ledger, free: 5)
        #expect(turn.assignments.isEmpty && turn.isOver)
    }

    // MARK: - The end

    /// Parts in flight are taken back and acknowledgements go on; nothing new goes out, not even a Complete.
    @Test func drains() throws {
        let ledger = shared()
        let part = try spread(ledger, parts: 2)
        #expect(part.assignments.count == 1)
        ledger.record(try uploadRecord("b", "open", "id2"), worker: 0, slot: 5)
        ledger.end(.draining, because: .signal("CTRL-C"))
        let writing = ledger.waitForLogs(atMost: .zero, bytes: .max)
        #expect(writing.records.map(\.slot) == [5])
        ledger.recorded(writing.records)
        let turn = turn(ledger, [.part(number: 1, sequence: 0, copiedPart)])
        #expect(turn.assignments.isEmpty && turn.isOver)
        #expect(turn.recorded == [5])
    }
}
