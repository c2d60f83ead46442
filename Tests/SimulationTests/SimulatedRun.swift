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
    /// What the pass before has left open of these objects, as it lies beside their list.
    var uploads = OpenUploads()
    /// Copies of ours that it left damaged, likewise.
    var damaged = DamagedCopies()
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
    private let process: SimulatedProcess
    private var workers: [SimulatedWorker]
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
        let rules = scenario.rules(pass.capabilities, isResumed: pass.isResumed)
        process = SimulatedProcess(world, run: number)
        workers = []
        for index in 0..<scenario.workerCount {
            workers.append(
                SimulatedWorker(index, of: process, world, run: number, rules: rules, &random))
        }
        ledger = Ledger(
            readyMax: scenario.readyMax, waitingBytesMax: scenario.waitingBytesMax,
            aheadCount: earlier.ahead.count, largeMax: scenario.largeMax,
            workerCount: scenario.workerCount, uploads: earlier.uploads,
            keptUploads: earlier.handledUploads, damaged: pass.damaged)
        lister = SimulatedLister(
            source: pass.source, target: pass.target, shard: scenario.shard, earlier: earlier,
            takesChanged: scenario.overwrite != .never, &random)
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
            process.checkMemory(
                held: workers.reduce(0) { $0 + $1.blocksHeld }, isIdle: isIdle)
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

    /// What came back may be work for others, and what begins may come back at once.
    private mutating func turn() {
        repeat {
            for index in workers.indices { workers[index].tellKept(isEnding: isDraining) }
            takeReturned()
            if process.stop != nil { drain() }
            guard !isDraining else { return }
            admit()
            if isDry { ledger.cleanUp(targetBucket: "target") }
        } while handOut()
    }

    private mutating func takeReturned() {
        for index in workers.indices {
            for each in workers[index].takeReturned() { take(each) }
        }
    }

    private mutating func take(_ returned: SimulatedWorker.Return) {
        switch returned {
        case .ended(let sequence, let record): ledger.end(sequence, record, at: world.now)
        case .parked(let copy, let parking): ledger.park(copy, parking)
        case .part(let number, let sequence, let outcome):
            ledger.end(part: number, of: sequence, outcome)
        case .abandoned(let sequence): ledger.abandon(sequence)
        }
    }

    private mutating func admit() {
        do throws(ListError) {
            try lister.admit(to: &ledger)
        } catch {
            world.record.violated(.counts, "the lists cannot be read: \(error)")
            drain()
        }
    }

    /// Gives every worker what it has room for; pieces of large objects come first.
    private mutating func handOut() -> Bool {
        var isAny = false
        guard !process.isAnyDown else { return false }
        for index in workers.indices {
            let assignments = ledger.takeLarge(
                workers[index].freeCount, partBytes: workers[index].partBytes)
            for assignment in assignments { workers[index].begin(assignment) }
            let items = ledger.take(workers[index].freeCount)
            for item in items { workers[index].begin(item) }
            isAny = isAny || !assignments.isEmpty || !items.isEmpty
        }
        return isAny
    }

    private mutating func drain() {
        isDraining = true
        ledger.stopHandingOut()
    }

    private var isIdle: Bool { workers.allSatisfy(\.isIdle) }

    /// All is listed, handed out and done.
    private var isDry: Bool {
        lister.isAtEnd && ledger.readyCount == 0 && ledger.inProgress == 0
    }

    private var isOver: Bool { isIdle && (isDraining || isDry) }

    private mutating func handle(_ event: Event, _ logs: inout SimulatedLogs) {
        switch event {
        case .arrives(let flight): world.arrive(flight)
        case .answers(let flight):
            workers[world.flights[flight]?.worker ?? 0].land(flight)
        case .clientActs: world.clientActs()
        case .process(let run, let event) where run == number: handle(event, &logs)
        case .process: break
        }
    }

    private mutating func handle(_ event: ProcessEvent, _ logs: inout SimulatedLogs) {
        switch event {
        case .wakes(let worker, let slot, let job): workers[worker].wake(slot, job: job)
        case .grantsMayBeThere(let worker): workers[worker].fetchGrants()
        case .recorded(let worker, let slot, let job): workers[worker].recorded(slot, job: job)
        case .recordsWait: write(&logs, isLast: false)
        case .logTick:
            write(&logs, isLast: false)
            add(.logTick, after: .milliseconds(100))
        case .probe(let side): process.probe(side)
        case .planned:
            world.record.note(world.now, "planned: \(planned)")
            switch planned {
            case .crash: hasCrashed = true
            case .abort:
                drain()
                for index in workers.indices { workers[index].abandonAll() }
            default: drain()
            }
        }
    }

    // MARK: - The logs

    private mutating func write(_ logs: inout SimulatedLogs, isLast: Bool) {
        do throws(SimulatedLogs.Crash) {
            let records = process.takeRecords()
            try logs.write(records, from: &ledger, at: world.now, isLast: isLast)
            process.tellRecorded(records)
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
        // One that was told to stop leaves uploads that nobody needs to the next.
        return isDraining ? .stopped : .completed
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
