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

    struct State: Sendable {
        var ledger: Ledger
        var counters = KeyStreamCounters()
        var ending = Ending.no
        var stop: Stop?
        /// The list thread has admitted all that there is.
        var isListed = false
        /// Workers that have free slots and found no work.
        var hungry: Set<Int> = []
        var workersRunning: Int
        /// The last line is on the disk.
        var isLogged = false
        var guards: ListGuards
    }

    private let state: Monitor<State>
    private let changed = Condition()
    private let wake: @Sendable (_ worker: Int) -> Void
    private let workerCount: Int

    init(
        ledger: Ledger, guards: ListGuards, workerCount: Int,
        wake: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        state = Monitor(State(ledger: ledger, workersRunning: workerCount, guards: guards))
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
        let (goesOn, hungry) = state.wait(
            for: changed,
            until: { $0.ledger.hasRoom || $0.ending > .no },
            then: { state -> (Bool, Set<Int>) in
                guard state.ending == .no else { return (false, []) }
                body(&state.ledger)
                state.counters = counters
                guard state.ledger.readyCount > 0 else { return (true, []) }
                defer { state.hungry = [] }
                return (true, state.hungry)
            })
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

    /// What a worker gets for one turn of its loop.
    struct Turn: Sendable {
        var items: [WorkItem]
        var ending: Ending
        /// Nothing will ever come for this worker again.
        var isOver: Bool
    }

    /// Takes what has ended and hands out new work, in one go.
    func turn(
        worker: Int, ended: [(sequence: Int, record: Ledger.Record)], free: Int, at now: Instant
    ) -> Turn {
        let (turn, alarm) = state.withLock { state in
            var alarm: String?
            for (sequence, record) in ended {
                state.ledger.end(sequence, record, at: now)
                alarm = state.guards.take(record.outcome) ?? alarm
            }
            let items = state.ending == .no ? state.ledger.take(free) : []
            if items.count < free { state.hungry.insert(worker) }
            let isDry = state.isListed && state.ledger.readyCount == 0
            let turn = Turn(
                items: items, ending: state.ending, isOver: isDry || state.ending > .no)
            return (turn, alarm)
        }
        if let alarm { end(.draining, because: .fault(alarm)) }
        if !ended.isEmpty || !turn.items.isEmpty { changed.wakeAll() }
        return turn
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

    /// Waits until there may be something to write, and looks.
    func waitForLogs(atMost timeout: Duration, bytes: Int) -> (isLast: Bool, commit: Ledger.Commit)
    {
        let result = state.wait(
            for: changed, atMost: timeout,
            until: { $0.workersRunning == 0 || $0.ledger.waitingBytes >= bytes },
            then: { state in (state.workersRunning == 0, state.ledger.commit()) })
        changed.wakeAll()
        return result
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
