//! A whole story from one seed: a probe, runs that crash and resume until all is handled, and a second pass.

import Migration
import S3

struct Simulation {
    let world: World
    private let scenario: Scenario
    private var random: SeededRandom
    private var runCount = 0

    init(seed: UInt64, mutation: Mutation? = nil, print: ((String) -> Void)? = nil) {
        var random = SeededRandom(seed: seed)
        scenario = Scenario(seed: seed, mutation: mutation, &random)
        world = World(scenario, &random)
        world.record.print = print
        self.random = random
        world.tellBeginning()
    }

    /// Runs to the end; what is returned should be nothing.
    mutating func run() -> [Violation] {
        let capabilities = probe()
        world.capabilities = capabilities
        for _ in 0..<min(3, scenario.clientActionCount) { world.scheduleClients() }
        let target = world.targetListed.sorted().map { KeyListLine(key: $0) }
        let first = Pass(source: firstList(), target: target, capabilities: capabilities)
        guard let logs = migrate(first, scenario.endings) else { return world.record.violations }
        world.checkLogs(logs, listed: scenario.listed)
        secondPass(logs, capabilities)
        world.checkEnd()
        return world.record.violations
    }

    /// The source's lists: a size is a hint, which may be missing or wrong.
    private mutating func firstList() -> [KeyListLine] {
        scenario.listed.map { key in
            let size = world.source[key]?.body.byteCount
            return KeyListLine(
                key: key, sizeBytes: random.pick([nil, size, size, random.pick([0, 5, 3 << 20])]))
        }
    }

    // MARK: - The probe

    private func probe() -> TargetCapabilities {
        var probe = TargetProbe(bucket: "target", token: "simulated")
        var action = probe.begin()
        while true {
            switch action {
            case .exchange(let order): action = probe.answered(answer(order))
            case .finished(let found, let warnings):
                if found != scenario.capabilities || !warnings.isEmpty || hasLeftovers {
                    world.record.violated(
                        .probe, "found \(found), should be \(scenario.capabilities); \(warnings)")
                }
                return mutated(found)
            case .refused(let fault):
                world.record.violated(.probe, "refused: \(fault)")
                return scenario.capabilities
            }
        }
    }

    private func answer(_ order: ExchangeOrder) -> Response { serve(order).response }

    /// Serves a request of a process that does nothing but ask.
    private func serve(_ order: ExchangeOrder) -> Served {
        let arrival = Arrival(
            request: order.request, upload: Body(text: order.request.body), now: world.now,
            time: world.timeOfDay(at: .target), serial: world.nextSerial(), author: .probe)
        var served = world.target.serve(arrival)
        world.record.note(
            world.now,
            "probe: \(order.request.operation) \(order.request.trace): \(served.trace)")
        if order.request.method == .head { served.response.body = [] }
        return served
    }

    private var hasLeftovers: Bool {
        world.target.keys.contains { world.target[$0]?.author == .probe }
            || world.target.uploads.values.contains { $0.author == .probe }
    }

    private func mutated(_ capabilities: TargetCapabilities) -> TargetCapabilities {
        var capabilities = capabilities
        if scenario.mutation == .ignoresCondition {
            (capabilities.conditionalPut, capabilities.conditionalComplete) = (true, true)
        }
        if scenario.mutation == .ignoresDigest {
            (capabilities.checksContentMD5, capabilities.partDigest) = (true, .crc32c)
        }
        return capabilities
    }

    // MARK: - Passes

    /// Runs and resumes until everything is handled; nil when that does not come to an end.
    private mutating func migrate(_ pass: Pass, _ endings: [PlannedEnding]) -> SimulatedLogs? {
        var logs = SimulatedLogs(scenario)
        world.listOfPass = pass.source.map(\.key)
        var endings = endings
        var pass = pass
        // A run can also be stopped by a fault of the whole run, but not for ever.
        for attempt in 0..<30 {
            if attempt == 20 { world.isCalm = true }
            var earlier = resumed(&logs)
            if !pass.isResumed { earlier.uploads = pass.uploads }
            let planned = endings.isEmpty ? PlannedEnding.none : endings.removeFirst()
            var run = SimulatedRun(
                world, number: runCount, pass: pass, earlier: earlier, planned: planned, &random)
            runCount += 1
            pass.isResumed = true
            world.runningRun = runCount - 1
            let ending = run.run(&logs, earlier)
            world.runningRun = nil
            switch ending {
            case .completed:
                checkUploads(logs)
                return logs
            case .hopeless: return nil
            case .stopped:
                world.forgetCompletions(except: logs, run: runCount - 1)
                world.excuseSentAgain(logs, run: runCount - 1)
                world.checkRemembered(logs, run: runCount - 1, endedFor: .zero)
            case .crashed:
                // A second and a sync until it is in ahead.log, and two ticks of the log thread.
                logs.crash(&random)
                world.forgetAnswers(except: logs, run: runCount - 1)
                world.checkRemembered(
                    logs, run: runCount - 1, endedFor: .milliseconds(2300))
            }
            world.pass(pauseAfterRun())
        }
        world.record.violated(.endless, "30 runs were not enough")
        return nil
    }

    private func checkUploads(_ logs: SimulatedLogs) {
        if scenario.mutation == .abortsUploads { world.target.uploads = [:] }
        if logs.failedKeys.isEmpty {
            world.checkNoUploadsLeft(after: "a run without failures", allowsKept: true)
        }
    }

    // MARK: - Cancel

    /// What `s3migrate cancel` does with a log folder.
    private mutating func cancel(_ logs: inout SimulatedLogs) {
        let records = logs.openUploads.records
        for (index, record) in records.enumerated() {
            var others = records
            others.remove(at: index)
            let isLeft = cancel(record, others)
            world.record.note(
                world.now, "cancel: \(record.key) \(record.uploadID ?? "-"), left: \(isLeft)")
            if !isLeft { logs.forget(record) }
        }
    }

    private func cancel(_ record: UploadRecord, _ others: [UploadRecord]) -> Bool {
        var cancellation = UploadCancellation(record, bucket: "target", others: others)
        var action = cancellation.begin()
        while true {
            switch action {
            case .exchange(let order):
                let served = serve(order)
                if let upload = served.upload, !upload.isOurs, record.uploadID == nil {
                    world.uploadBook.mistaken.insert(upload.id)
                }
                action = cancellation.answered(served.response)
            case .done: return false
            case .unsure, .failed: return true
            }
        }
    }

    private mutating func resumed(_ logs: inout SimulatedLogs) -> Earlier {
        var earlier = logs.reopen()
        world.settled = logs.settledKeys
        world.uploadBook.kept.formUnion(earlier.handledUploads)
        world.excuseEaten(earlier.uploads)
        if scenario.mutation == .overlooksAhead { earlier.ahead = [] }
        return earlier
    }

    /// Where nothing guards a write but a look before it, what an earlier run has sent must have
    /// arrived before the next one begins; no program could see it.
    private mutating func pauseAfterRun() -> Duration {
        world.capabilities.conditionalPut ? random.milliseconds(0...2000) : .seconds(10)
    }

    /// What failed, or everything with the lists of what is there by now.
    private mutating func secondPass(
        _ firstLogs: SimulatedLogs, _ capabilities: TargetCapabilities
    ) {
        var logs = firstLogs
        world.isCalm = true
        world.clockOffsetSeconds = [:]
        world.settled = []
        world.passNumber = 1
        let isAll = random.isTrue(0.5)
        let keys = isAll ? scenario.listed : logs.failedKeys
        world.targetListed = isAll ? Set(world.target.keys) : []
        world.record.note(world.now, "second pass, \(isAll ? "all" : "failed")")
        var pass = Pass(
            source: keys.map { KeyListLine(key: $0) },
            target: world.targetListed.sorted().map { KeyListLine(key: $0) },
            capabilities: capabilities)
        if isAll {
            cancel(&logs)
            world.checkNoUploadsLeft(after: "cancel")
        } else {
            world.excuseEaten(logs.openUploads)
            pass.uploads = logs.handover
            pass.damaged = logs.damaged
        }
        guard var secondLogs = migrate(pass, []) else { return }
        world.checkLogs(secondLogs, listed: keys)
        if !isAll { cancel(&logs) }
        cancel(&secondLogs)
        world.checkNoUploadsLeft(after: "cancel")
    }
}
