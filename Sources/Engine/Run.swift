//! The run itself: its threads from start to end.

internal import Curl
internal import Linux
internal import Migration
internal import S3

/// What the lists came to, before the first key is read.
struct RunPlan: Sendable {
    var source: [KeyListChunk]
    var target: [KeyListChunk]
    var earlier: LogFolder.Earlier
}

/// The wakers of the workers, which others need before all workers are there.
private final class Wakers: Sendable {
    private let wakers = Monitor([Int: MultiWaker]())

    func set(_ waker: MultiWaker, worker: Int) {
        wakers.withLock { $0[worker] = waker }
    }

    func wake(_ worker: Int) {
        wakers.withLock { $0[worker] }?.wake()
    }
}

/// Starts the list thread, the workers and the log thread, shows the progress, and joins them all.
struct Run: Sendable {
    private let settings: RunSettings
    private let lists: KeyLists
    private let plan: RunPlan
    private let console: Console
    private let signals: Signals
    private let clock: Clock
    private let ledger: SharedLedger
    private let surroundings: WorkerSurroundings
    private let wakers: Wakers

    init(
        _ settings: RunSettings, _ lists: KeyLists, _ plan: RunPlan, _ console: Console,
        _ signals: Signals, _ clock: Clock
    ) throws(RunError) {
        let wakers = Wakers()
        let wake: @Sendable (Int) -> Void = { wakers.wake($0) }
        ledger = SharedLedger(
            ledger: Ledger(
                readyMax: max(Limits.readyMin, settings.slots * Limits.readyPerSlot),
                aheadCount: plan.earlier.ahead.count,
                largeMax: max(Limits.largeObjectsMin, settings.slots / 2),
                workerCount: settings.threads, roundTrip: settings.roundTrip,
                uploads: plan.earlier.uploads, keptUploads: plan.earlier.failedUploads,
                damaged: plan.earlier.damaged),
            guards: ListGuards(
                allowsMissing: settings.allowsMissing, slots: settings.slots,
                failuresMax: settings.failuresMax),
            workerCount: settings.threads,
            cleanupBucket: settings.first == nil && !settings.isDryRun && settings.kind == .copy
                ? settings.target.bucket : nil,
            wake: wake)
        surroundings = try Run.surroundings(settings, ledger, clock, console, wake)
        self.settings = settings
        self.lists = lists
        self.plan = plan
        self.console = console
        self.signals = signals
        self.clock = clock
        self.wakers = wakers
    }

    private static func surroundings(
        _ settings: RunSettings, _ ledger: SharedLedger, _ clock: Clock, _ console: Console,
        _ wake: @escaping @Sendable (Int) -> Void
    ) throws(RunError) -> WorkerSurroundings {
        var rules = settings.rules
        let largest = max(rules.wholeObjectBytesMax, rules.partBytes)
        guard
            let (curl, blocks) = Limits.division(
                ofMemory: settings.memoryBytes, slots: settings.slots, wholeObjectBytesMax: largest)
        else {
            let least = Limits.memoryBytesMin(slots: settings.slots, wholeObjectBytesMax: largest)
            throw .badInput(
                "--memory \(settings.memoryBytes) is too little for \(settings.slots) transfers and "
                    + "objects of \(largest) bytes: give at least \(least), or fewer --threads or "
                    + "--transfers, or a lower --multipart-threshold or --part-size")
        }
        rules.claimBytesMax = Int64(blocks) * Int64(Limits.blockBytes)
        rules.sourcePartBytesMax = min(settings.memoryBytes / 4, rules.claimBytesMax)
        var random = SystemRandomNumberGenerator()
        let sides = SharedSides(
            BothSides(source: settings.source, target: settings.target), slots: settings.slots,
            workerCount: settings.threads, seed: random.next(), wake: wake)
        return WorkerSurroundings(
            source: settings.source, target: settings.target, sides: sides, rules: rules,
            slotCount: settings.transfers, timeout: settings.timeout, curlBuffers: curl,
            isDryRun: settings.isDryRun, verify: settings.verify, clock: clock, ledger: ledger,
            pool: BufferPool(
                blocksMax: blocks,
                usualPerWorker: Limits.blocksUsual(
                    slots: settings.transfers, roundTrip: settings.roundTrip),
                workerCount: settings.threads, wake: wake),
            flows: SharedFlows(),
            warn: { console.say("warning: \(sides.redaction.applied(to: $0))") })
    }

    /// Runs until all is logged; without a log folder nothing is written.
    func run(logFolder: String?) throws(RunError) -> RunSummary {
        let started = clock.now
        let startedAt = clock.timeOfDay
        let logs = try startLogs(logFolder)
        let watches = try startWatches()
        var threads = try startWorkers()
        threads.append(try start("lists") { [self] in listThread() })
        signals.tell { [console, ledger] name, count in
            Run.interrupted(by: name, count, console, ledger)
        }
        let ending = follow()
        for thread in threads { thread.join() }
        logs.join()
        surroundings.sides.end()
        for watch in watches { watch.join() }
        signals.tell(nil)
        return summary(ending, started, startedAt)
    }

    // MARK: - Threads

    private func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(RunError) -> Thread {
        do throws(SystemError) {
            return try Thread(name: name, body)
        } catch {
            throw RunError(error)
        }
    }

    private func startLogs(_ folder: String?) throws(RunError) -> Thread {
        guard let folder else {
            return try start("no logs") { [ledger] in LogWriter.discard(ledger) }
        }
        let writer: Handover
        do throws(SystemError) {
            writer = Handover(
                try LogWriter(
                    folderPath: folder, kind: settings.kind, ledger: ledger, clock: clock,
                    earlierAhead: plan.earlier.ahead, earlierUploads: plan.earlier.uploads))
        } catch {
            throw RunError(error)
        }
        return try start("logs") {
            var writer = writer.take()
            writer.run()
        }
    }

    private func startWorkers() throws(RunError) -> [Thread] {
        var threads: [Thread] = []
        for index in 0..<settings.threads {
            threads.append(try start("worker \(index)") { [self] in workerThread(index) })
        }
        return threads
    }

    private func startWatches() throws(RunError) -> [Thread] {
        var threads: [Thread] = []
        for side in Side.allCases {
            let watch = SideWatch(
                side: side, sides: surroundings.sides, clock: clock, timeout: settings.timeout)
            threads.append(try start("watch \(side.rawValue)") { watch.run() })
        }
        return threads
    }

    private func workerThread(_ index: Int) {
        var random = SystemRandomNumberGenerator()
        do throws(CurlError) {
            var worker = try Worker(index: index, surroundings, seed: random.next())
            wakers.set(worker.waker, worker: index)
            do throws(CurlError) {
                try worker.run()
            } catch {
                ledger.end(.aborting, because: .fault("\(error)"))
            }
            worker.close()
        } catch {
            ledger.end(.aborting, because: .fault("\(error)"))
        }
        ledger.workerEnded()
    }

    private func listThread() {
        var selection = KeySelection(
            after: plan.earlier.start, shard: settings.shard,
            ahead: plan.earlier.ahead.map(\.key),
            takesChanged: settings.rules.overwrite != .never, first: settings.first,
            samplesExist: settings.kind == .copy)
        selection.takesUnion = settings.kind == .verify
        selection.writesExist = !settings.isDryRun
        let reader = KeyListReader(source: plan.source, target: plan.target, selection: selection)
        Lister(reader: reader, ledger: ledger, ahead: plan.earlier.ahead).run()
    }

    private static func interrupted(
        by name: String, _ count: Int, _ console: Console, _ ledger: SharedLedger
    ) {
        if count == 1 {
            console.say(
                "\(name): finishing what is under way (at most \(Limits.drainMax.components.seconds) s); "
                    + "once more stops at once")
            ledger.end(.draining, because: .signal(name))
        } else {
            console.say("\(name): stopping at once")
            ledger.end(.aborting, because: .signal(name))
        }
    }

    /// Shows the progress until the last line is logged.
    private func follow() -> String {
        var progress = Progress(
            ledger: ledger, flows: surroundings.flows, sides: surroundings.sides, clock: clock,
            console: console, lists: lists.source,
            statusFile: settings.isDryRun ? nil : settings.statusFile)
        var outages = OutageReporter(
            surroundings.sides, timeout: settings.outageTimeout, console: console)
        while !ledger.waitForEnd(atMost: .seconds(1)) {
            progress.tick()
            if let reason = outages.tick(at: clock.now) {
                ledger.end(.aborting, because: .fault(reason))
            }
        }
        let ending = endingWord
        progress.finish(state: ending)
        return ending
    }

    private var endingWord: String {
        switch ledger.look(\.stop) {
        case .signal: "interrupted"
        case .fault, .badList: "stopped"
        case nil: settings.first == nil ? "finished" : "first"
        }
    }

    // MARK: - The sum

    private func summary(
        _ ending: String, _ started: Instant, _ startedAt: Timestamp
    ) -> RunSummary {
        var summary = RunSummary()
        summary.program = settings.program
        summary.ending = ending
        summary.started = startedAt.iso8601
        summary.seconds = (clock.now - started).inSeconds
        summary.isDryRun = settings.isDryRun
        summary.hashCount = settings.shard.count
        summary.hashValue = settings.shard.value
        summary.bytesListed = lists.source.objectBytes
        let rules = settings.rules
        summary.weakConditions =
            !rules.target.conditionalPut
            || rules.overwrite != .never && rules.target.ifMatchOnPut == nil
        summary.weakCompletes = !settings.rules.target.conditionalComplete
        summary.verify = settings.verify.map { VerifySummary(depth: $0) }
        ledger.look { state in
            summary.take(state.ledger, state.counters, objects: lists.source.objectCount)
            summary.failedBefore = plan.earlier.failed
            let (code, reason) = exit(state)
            summary.exitCode = code.rawValue
            summary.reason = reason
        }
        return summary
    }

    private func exit(_ state: SharedLedger.State) -> (ExitStatus, reason: String?) {
        switch state.stop {
        case .signal(let name): (.interrupted, name)
        case .fault(let text): (.cannotGoOn, text)
        case .badList(let text): (.badInput, text)
        case nil:
            // What an earlier part of this run failed to copy is not handled by its continuation.
            (
                state.ledger.tally.unsettled + plan.earlier.failed > 0 ? .someFailed : .handled,
                nil
            )
        }
    }
}

/// Carries something that cannot be copied into the thread that will own it.
private final class Handover: @unchecked Sendable {
    private var writer: LogWriter?

    init(_ writer: consuming LogWriter) {
        self.writer = consume writer
    }

    func take() -> LogWriter {
        guard let writer = writer.take() else { preconditionFailure("handed over twice") }
        return writer
    }
}
