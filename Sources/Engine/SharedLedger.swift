//! The ledger as the threads see it: who waits for what, and who is to be woken.

internal import Linux
internal import Migration
internal import S3

/// The ledger under its lock, with the run's end beside it.
///
/// The list thread waits here for room, the log thread for something to write; a worker never waits here, it is
/// woken at its sockets.
final class SharedLedger: Sendable {
    /// How far the end of the run has come; it only grows.
    enum Ending: Int, Sendable, Comparable {
        case no
        /// Nothing new goes out; what is under way is finished.
        case draining
        /// What is under way is dropped.
        case aborting

        static func < (left: Ending, right: Ending) -> Bool { left.rawValue < right.rawValue }
    }

    /// What ended the run before its lists were done.
    enum Stop: Sendable {
        case signal(String)
        /// The run cannot go on: the text says why and what to check.
        case fault(String)
        /// A list is not in order.
        case badList(String)
    }

    /// What a worker brings back.
    enum Return: Sendable {
        case ended(sequence: Int, record: Ledger.Record)
        case parked(MultipartCopy, Parking)
        case part(number: Int, sequence: Int, PartOutcome)
    }

    /// A line for uploads.log, and who waits for it.
    struct PendingRecord: Sendable {
        var record: UploadRecord
        var worker: Int
        var slot: Int
    }

    struct State: Sendable {
        var ledger: Ledger
        var counters = KeyStreamCounters()
        var ending = Ending.no
        var stop: Stop?
        /// The list thread waits for room.
        var isListerWaiting = false
        /// The list thread has admitted all that there is.
        var isListed = false
        /// Workers that have free slots and found no work.
        var hungry: Set<Int> = []
        var workersRunning: Int
        /// The last line is on the disk.
        var isLogged = false
        var guards: ListGuards
        /// Lines for uploads.log that are not on the disk yet.
        var pendingRecords: [PendingRecord] = []
        /// By worker, the slots whose lines are, and who do not know yet.
        var recorded: [[Int]]
        /// Where uploads that nobody had a use for are aborted at the end; nil when they are not.
        let cleanupBucket: String?

        /// Whether nothing can ever come any more: all is listed, handed out and done.
        var isDry: Bool { isListed && ledger.readyCount == 0 && ledger.inProgress == 0 }

        /// Whether another thread waits for what a worker's turn has brought. To wake them after every turn would cost
        /// more than the turns.
        var concernsOthers: Bool {
            isListerWaiting && ledger.hasRoom || ledger.isCommitDue(bytes: LogWriter.commitBytes)
        }

        /// Those who are to look for work again, if there is any.
        mutating func takeHungry() -> Set<Int> {
            guard ledger.handsOut else { return [] }
            defer { hungry = [] }
            return hungry
        }
    }

    private let state: Monitor<State>
    private let changed = Condition()
    private let wake: @Sendable (_ worker: Int) -> Void
    private let workerCount: Int

    init(
        ledger: Ledger, guards: ListGuards, workerCount: Int, cleanupBucket: String?,
        wake: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        state = Monitor(
            State(
                ledger: ledger, workersRunning: workerCount, guards: guards,
                recorded: Array(repeating: [], count: workerCount), cleanupBucket: cleanupBucket))
        self.wake = wake
        self.workerCount = workerCount
    }

    /// A look at everything, for figures.
    func look<Result>(_ body: (State) -> Result) -> Result {
        state.withLock { body($0) }
    }

    // MARK: - The list thread

    /// Waits for room and admits what the lists gave; false when the run ends and no more is wanted.
    func admit(
        counters: KeyStreamCounters, _ body: (inout Ledger) -> Void
    ) -> Bool {
        let (goesOn, hungry) = state.wait(for: changed) { state -> (Bool, Set<Int>)? in
            guard state.ending == .no else { return (false, []) }
            state.isListerWaiting = !state.ledger.hasRoom
            guard !state.isListerWaiting else { return nil }
            body(&state.ledger)
            state.counters = counters
            return (true, state.takeHungry())
        }
        for worker in hungry { wake(worker) }
        return goesOn
    }

    func endOfLists(counters: KeyStreamCounters) {
        state.withLock { state in
            state.counters = counters
            state.isListed = true
        }
        wakeAll()
    }

    // MARK: - The workers

    /// What a worker has and brings when it asks for more.
    struct Request: Sendable {
        var worker: Int
        var returned: [Return]
        var freeSlots: Int
        var busySlots = 0
        /// Bytes of the parts that it is busy with.
        var partBytes: Int64
    }

    /// What a worker gets for one turn of its loop.
    struct Turn: Sendable {
        /// Pieces of large objects, and what is left of earlier runs.
        var assignments: [Assignment] = []
        /// New objects.
        var items: [WorkItem] = []
        /// Slots whose line of uploads.log is on the disk.
        var recorded: [Int] = []
        var ending = Ending.no
        /// Nothing will ever come for this worker again.
        var isOver = false

        var isEmpty: Bool { assignments.isEmpty && items.isEmpty }
    }

    /// Takes what has ended and hands out new work, in one go.
    func turn(_ request: Request, at now: Instant) -> Turn {
        let (turn, alarm, hungry, concernsOthers) = state.withLock { state in
            let wasDry = state.isDry
            let alarm = SharedLedger.take(request.returned, &state, at: now)
            var turn = SharedLedger.handOut(request, &state)
            // Uploads to clean up are handed out when all else is done, perhaps more than there are free slots.
            let isDry = state.isDry && turn.isEmpty && !state.ledger.handsOut
            turn.isOver = isDry || state.ending > .no
            // What came back may be work for the others, or the end of all work.
            var hungry = request.returned.isEmpty ? [] : state.takeHungry()
            if state.isDry, !wasDry { hungry = Set(0..<state.recorded.count) }
            hungry.remove(request.worker)
            if turn.assignments.count + turn.items.count < request.freeSlots {
                state.hungry.insert(request.worker)
            }
            return (turn, alarm, hungry, state.concernsOthers)
        }
        if let alarm { end(.draining, because: .fault(alarm)) }
        if concernsOthers { changed.wakeAll() }
        for worker in hungry { wake(worker) }
        return turn
    }

    private static func take(
        _ returned: [Return], _ state: inout State, at now: Instant
    ) -> String? {
        var alarm: String?
        for each in returned {
            switch each {
            case .ended(let sequence, let record):
                state.ledger.end(sequence, record, at: now)
                alarm = state.guards.take(record.outcome, of: record.key) ?? alarm
            case .parked(let copy, let parking):
                state.ledger.park(copy, parking)
            case .part(let number, let sequence, let outcome):
                state.ledger.end(part: number, of: sequence, outcome)
            }
        }
        return alarm
    }

    private static func handOut(_ request: Request, _ state: inout State) -> Turn {
        var turn = Turn()
        turn.ending = state.ending
        turn.recorded = state.recorded[request.worker]
        state.recorded[request.worker] = []
        guard state.ending == .no else { return turn }
        if state.isDry, let bucket = state.cleanupBucket {
            state.ledger.cleanUp(targetBucket: bucket)
        }
        turn.assignments = state.ledger.takeLarge(request.freeSlots, partBytes: request.partBytes)
        let free = request.freeSlots - turn.assignments.count
        turn.items = state.ledger.take(min(free, fairShare(request, state)))
        return turn
    }

    /// How many new objects a worker may take: as many as leave the others theirs. Where few are left and they are
    /// large, one worker with all of them would be busy while the others are idle.
    private static func fairShare(_ request: Request, _ state: State) -> Int {
        let workers = state.recorded.count
        let known = state.ledger.readyCount + state.ledger.inProgress
        return max(1, (known + workers - 1) / workers - request.busySlots)
    }

    /// Puts a line into uploads.log; the worker is woken when it is on the disk.
    func record(_ record: UploadRecord, worker: Int, slot: Int) {
        state.withLock {
            $0.pendingRecords.append(PendingRecord(record: record, worker: worker, slot: slot))
        }
        changed.wakeAll()
    }

    func abandon(_ sequences: [Int]) {
        state.withLock { state in
            for sequence in sequences { state.ledger.abandon(sequence) }
        }
    }

    func workerEnded() {
        state.withLock { $0.workersRunning -= 1 }
        changed.wakeAll()
    }

    // MARK: - The log thread

    /// What there is to write.
    struct Writing: Sendable {
        /// No worker will bring anything any more, and this is all that there was.
        var isLast: Bool
        var commit: Ledger.Commit
        var records: [PendingRecord]
    }

    /// Waits until there may be something to write, and looks.
    func waitForLogs(atMost timeout: Duration, bytes: Int) -> Writing {
        let (writing, hungry) = state.wait(
            for: changed, atMost: timeout,
            until: {
                $0.workersRunning == 0 || $0.ledger.isCommitDue(bytes: bytes)
                    || !$0.pendingRecords.isEmpty
            },
            then: { state in
                let commit = state.ledger.commit(bytesMax: LogWriter.commitBytesMax)
                let writing = Writing(
                    isLast: state.workersRunning == 0 && !state.ledger.canCommit, commit: commit,
                    records: state.pendingRecords)
                state.pendingRecords = []
                // At the bound nothing goes out; what a commit frees is for those who found nothing then.
                return (writing, state.takeHungry())
            })
        changed.wakeAll()
        for worker in hungry { wake(worker) }
        return writing
    }

    /// These lines of uploads.log are on the disk.
    func recorded(_ records: [PendingRecord]) {
        state.withLock { state in
            for record in records {
                state.ledger.take(record.record)
                state.recorded[record.worker].append(record.slot)
            }
        }
        for worker in Set(records.map(\.worker)) { wake(worker) }
    }

    func endOfLogs() {
        state.withLock { $0.isLogged = true }
        changed.wakeAll()
    }

    /// Waits until the last line is written, or the time is over; true when it is written.
    func waitForEnd(atMost timeout: Duration) -> Bool {
        state.wait(
            for: changed, atMost: timeout, until: { $0.isLogged }, then: { $0.isLogged })
    }

    func withLedger<Result>(_ body: (inout Ledger) -> Result) -> Result {
        state.withLock { body(&$0.ledger) }
    }

    // MARK: - The end

    /// Lets the run end; a later, milder call changes nothing.
    func end(_ ending: Ending, because stop: Stop) {
        state.withLock { state in
            state.stop = state.stop ?? stop
            state.ending = max(state.ending, ending)
            state.ledger.stopHandingOut()
        }
        wakeAll()
    }

    private func wakeAll() {
        changed.wakeAll()
        for worker in 0..<workerCount { wake(worker) }
    }
}
