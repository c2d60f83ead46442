//! One run of the program in the simulated world, from its lists to its last log line, or to its death.

import Migration
import S3

/// What a run is given: its lists, and where its logs stand.
struct Pass {
    var source: [KeyListLine]
    var target: [KeyListLine]
    var capabilities: TargetCapabilities
    /// An earlier run has worked on it.
    var isResumed = false
}

struct SimulatedRun: ~Copyable {
    enum Ending: Equatable {
        case completed
        /// By a signal or a fault of the whole run; the logs were brought to an end.
        case stopped
        case crashed
        /// It would not have ended.
        case hopeless
    }

    private let world: World
    private let number: Int
    private var worker: SimulatedWorker
    private var ledger: Ledger
    private var lister: SimulatedLister
    private var planned: PlannedEnding
    /// Nothing new goes out.
    private var isDraining = false
    private var hasCrashed = false
    private var eventCount = 0

    /// No world that is drawn here needs more to come to its end.
    private static let eventCountMax = 200_000

    init(
        _ world: World, number: Int, pass: Pass, earlier: Earlier, planned: PlannedEnding,
        _ random: inout SeededRandom
    ) {
        self.world = world
        self.number = number
        self.planned = planned
        let scenario = world.scenario
        worker = SimulatedWorker(
            world, run: number,
            rules: scenario.rules(pass.capabilities, isResumed: pass.isResumed), &random)
        ledger = Ledger(
            readyMax: scenario.readyMax, waitingBytesMax: scenario.waitingBytesMax,
            aheadCount: earlier.ahead.count)
        lister = SimulatedLister(
            source: pass.source, target: pass.target, shard: scenario.shard, earlier: earlier,
            &random)
    }

    var tally: Tally { ledger.tally }
    var counters: KeyStreamCounters { lister.counters }

    // MARK: - The loop

    mutating func run(_ logs: inout SimulatedLogs, _ earlier: Earlier) -> Ending {
        begin(&logs, earlier)
        while !hasCrashed {
            turn()
            if isOver { return end(&logs) }
            guard let (time, event) = world.queue.next(), eventCount < Self.eventCountMax,
                !world.isHopeless
            else {
                world.record.violated(.endless, "run \(number) does not end: \(eventCount) events")
                return .hopeless
            }
            eventCount += 1
            world.now = time
            handle(event, &logs)
            worker.checkMemory()
        }
        world.record.note(world.now, "run \(number) crashes")
        return .crashed
    }

    private mutating func begin(_ logs: inout SimulatedLogs, _ earlier: Earlier) {
        world.record.note(world.now, "run \(number) begins, planned: \(planned)")
        add(.logTick, after: .milliseconds(100))
        switch planned {
        case .crash(let time), .drain(let time), .abort(let time): add(.planned, after: time)
        case .crashInLogs(let count): logs.writesUntilCrash = count
        case .none: break
        }
        do throws(SimulatedLogs.Crash) {
            try logs.open(earlier, at: world.now)
        } catch {
            hasCrashed = true
        }
    }

    private func add(_ event: ProcessEvent, after delay: Duration) {
        world.queue.add(.process(run: number, event), at: world.now + delay)
    }

    private mutating func turn() {
        let (ended, abandoned) = worker.takeEnded()
        for (sequence, record) in ended { ledger.end(sequence, record, at: world.now) }
        for sequence in abandoned { ledger.abandon(sequence) }
        if worker.stop != nil { drain() }
        guard !isDraining else { return }
        do throws(ListError) {
            try lister.admit(to: &ledger)
        } catch {
            world.record.violated(.counts, "the lists cannot be read: \(error)")
            drain()
        }
        for item in ledger.take(worker.freeCount) { worker.begin(item) }
    }

    private mutating func drain() {
        isDraining = true
        ledger.stopHandingOut()
    }

    private var isOver: Bool {
        worker.isIdle && (isDraining || lister.isAtEnd && ledger.readyCount == 0)
    }

    private mutating func handle(_ event: Event, _ logs: inout SimulatedLogs) {
        switch event {
        case .arrives(let flight): world.arrive(flight)
        case .answers(let flight): worker.land(flight)
        case .clientActs: world.clientActs()
        case .process(let run, let event) where run == number: handle(event, &logs)
        case .process: break
        }
    }

    private mutating func handle(_ event: ProcessEvent, _ logs: inout SimulatedLogs) {
        switch event {
        case .wakes(let slot, let episode): worker.wake(slot, episode: episode)
        case .grantsMayBeThere: worker.fetchGrants()
        case .logTick:
            write(&logs, isLast: false)
            add(.logTick, after: .milliseconds(100))
        case .planned:
            world.record.note(world.now, "planned: \(planned)")
            switch planned {
            case .crash: hasCrashed = true
            case .abort:
                drain()
                worker.abandonAll()
            default: drain()
            }
        }
    }

    // MARK: - The logs

    private mutating func write(_ logs: inout SimulatedLogs, isLast: Bool) {
        do throws(SimulatedLogs.Crash) {
            try logs.write(from: &ledger, at: world.now, isLast: isLast)
        } catch {
            hasCrashed = true
        }
    }

    private mutating func end(_ logs: inout SimulatedLogs) -> Ending {
        turn()
        write(&logs, isLast: true)
        guard !hasCrashed else { return .crashed }
        logs.writesUntilCrash = nil
        world.record.note(world.now, "run \(number) ends")
        guard lister.isAtEnd, ledger.isEmpty else { return .stopped }
        checkCounts()
        return .completed
    }

    private func checkCounts() {
        let counters = lister.counters
        let handled = counters.known + counters.exist + counters.work
        world.record.knownCount += counters.known
        let sum = counters.before + counters.ignored + handled
        if counters.listed != sum || ledger.tally.handled != handled {
            world.record.violated(
                .counts, "handled \(ledger.tally.handled) of \(counters)")
        }
        if ledger.aheadCount != 0 || ledger.waitingBytes != 0 || ledger.unloggedCount() != 0 {
            world.record.violated(
                .counts,
                "at the end \(ledger.aheadCount) lines are ahead, \(ledger.waitingBytes) bytes wait, "
                    + "\(ledger.unloggedCount()) are not logged")
        }
    }
}
