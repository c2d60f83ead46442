//! The driver of the jobs: what the Engine's worker does, in simulated time.

import Migration
import S3

/// One job's place in the worker.
private struct Slot {
    var job: Job?
    /// Which of the worker's jobs it is: what was meant for an earlier one is not for this.
    var number = 0
    var episode: Int?
    var body = Body()
    var blocksHeld = 0
    var flight: Int?
    var wakeAt: Instant?
    var kept: Kept?
}

/// What came of an exchange that got no answer, or was not sent, until it is known why.
private struct Kept {
    var fault: TransportFault
    var order: ExchangeOrder
    var since: Instant
}

struct SimulatedWorker {
    /// What a worker brings back to the ledger.
    enum Return {
        case ended(sequence: Int, record: Ledger.Record)
        case parked(MultipartCopy, Parking)
        case part(number: Int, sequence: Int, PartOutcome)
        case abandoned(sequence: Int)
    }

    let index: Int
    private let world: World
    private let run: Int
    private let process: SimulatedProcess
    private var slots: [Slot]
    private var freeSlots: [Int]
    private var jobCount = 0
    private var context: TransferContext
    private var returned: [Return] = []
    /// Bytes of the parts in its slots.
    private(set) var partBytes: Int64 = 0

    init(
        _ index: Int, of process: SimulatedProcess, _ world: World, run: Int, rules: TransferRules,
        _ random: inout SeededRandom
    ) {
        self.index = index
        self.process = process
        self.world = world
        self.run = run
        slots = Array(repeating: Slot(), count: world.scenario.slotCount)
        freeSlots = Array(slots.indices.reversed())
        context = TransferContext(now: world.now, rules: rules, random: random.fork())
    }

    var freeCount: Int { freeSlots.count }
    var isIdle: Bool { freeSlots.count == slots.count }
    var blocksHeld: Int { slots.reduce(0) { $0 + $1.blocksHeld } }

    /// Hands over what has ended, was parked or was given up since the last time.
    mutating func takeReturned() -> [Return] {
        defer { returned = [] }
        return returned
    }

    // MARK: - Work

    /// Takes up a new object.
    mutating func begin(_ item: WorkItem) {
        if item.isSample {
            let episode = world.beginEpisode(item, run: run)
            return begin(.sample(ListSample(item: item, now: world.now)), .begin, episode)
        }
        if !world.isOurs(item.key) {
            world.record.violated(.strayed, "\(item.key) was begun")
        }
        if world.settled.contains(item.key) {
            world.record.violated(.doneAgain, "\(item.key) was begun again")
        }
        let episode = world.beginEpisode(item, run: run)
        let transfer = Transfer(
            item: item, now: world.now, mayHaveWritten: context.rules.isResumed)
        begin(.transfer(transfer), .begin, episode)
    }

    /// Takes up a piece of a large object, or what is left of an earlier run.
    mutating func begin(_ assignment: Assignment) {
        let episode = assignment.job.item.flatMap { world.episode(of: $0, run: run) }
        begin(assignment.job, assignment.event, episode)
    }

    private mutating func begin(_ job: Job, _ event: TransferEvent, _ episode: Int?) {
        guard let slot = freeSlots.popLast() else { preconditionFailure("no free slot") }
        jobCount += 1
        slots[slot].job = job
        slots[slot].number = jobCount
        slots[slot].episode = episode
        partBytes += job.partBytes
        checkPartBytes(with: job)
        tell(slot, event)
    }

    // MARK: - Events

    mutating func land(_ number: Int) {
        guard let flight = world.land(number, run: run), slots[flight.slot].flight == number,
            let reply = flight.reply
        else { return }
        slots[flight.slot].flight = nil
        switch reply {
        case .broken(let partial, let timesResent):
            if let partial, case .object(let offset, _) = flight.order.sink {
                slots[flight.slot].body.store(partial, at: offset)
            }
            broken(flight, timesResent)
        case .answered(let served, let timesResent):
            let begun = world.record.episodes[flight.episode].steps[flight.step].sentAt
            process.answered(flight.order.side, begunAt: begun)
            tell(flight.slot, .answered(receive(served, timesResent, flight)))
        }
    }

    private mutating func broken(_ flight: Flight, _ timesResent: Int) {
        let fault = TransportFault(
            .broken, message: "simulated", timesResent: told(timesResent))
        guard world.scenario.mutation != .countsOutages else {
            return tell(flight.slot, .broken(fault))
        }
        process.failed(flight.order.side)
        slots[flight.slot].kept = Kept(fault: fault, order: flight.order, since: world.now)
    }

    /// Tells the jobs what has become clear; a run that ends does not wait for a side that is down.
    mutating func tellKept(isEnding: Bool) {
        for slot in slots.indices {
            guard let kept = slots[slot].kept else { continue }
            let side = kept.order.side
            if isEnding, process.isAnyDown {
                abandon(slot)
                continue
            }
            let cause = process.cause(ofFaultAt: kept.since, side)
            let isUnsent = kept.fault.hadNoEffect
            guard isUnsent ? !process.isDown(side) : cause != .notKnownYet else { continue }
            slots[slot].kept = nil
            if isUnsent, world.scenario.mutation == .sendsLate {
                start(kept.order, slot)
                continue
            }
            var fault = kept.fault
            fault.isForgiven = isUnsent || cause == .outage
            tell(slot, .broken(fault))
        }
    }

    mutating func wake(_ slot: Int, job: Int) {
        guard slots[slot].number == job, let wakeAt = slots[slot].wakeAt, wakeAt <= world.now
        else { return }
        slots[slot].wakeAt = nil
        tell(slot, .woken)
    }

    /// The line of uploads.log is on the disk.
    mutating func recorded(_ slot: Int, job: Int) {
        guard slots[slot].number == job, slots[slot].job != nil else { return }
        tell(slot, .recorded)
    }

    mutating func fetchGrants() {
        for claim in process.takeGrants(worker: index) {
            slots[claim.slot].blocksHeld = claim.blocks
            slots[claim.slot].body = Body()
            tell(claim.slot, .granted(kept: false))
        }
    }

    /// Drops what is under way.
    mutating func abandonAll() {
        for slot in slots.indices where slots[slot].job != nil {
            process.withdraw(worker: index, slot: slot)
            abandon(slot)
        }
    }

    // MARK: - Doing

    private mutating func tell(_ slot: Int, _ event: TransferEvent) {
        var event = event
        context.now = world.now
        while let action = slots[slot].job?.handle(event, in: &context) {
            guard let next = perform(action, slot) else { return }
            event = next
        }
    }

    private mutating func perform(_ action: TransferAction, _ slot: Int) -> TransferEvent? {
        switch action {
        case .reserve(let bytes): return reserve(bytes, slot)
        case .exchange(let order): start(order, slot)
        case .hash(let algorithm, let byteCount):
            return .digested(slots[slot].body[0..<byteCount].digest(algorithm))
        case .wait(let until, let clock): wait(until, clock, slot)
        case .record(let record):
            world.record.note(
                world.now, "uploads.log: \(record.key) \(record.state) \(record.uploadID ?? "-")")
            process.add(
                PendingRecord(
                    record: record, worker: index, slot: slot, job: slots[slot].number))
        case .become(let job):
            giveBackMemory(of: slot)
            slots[slot].job = job
            return .begin
        case .park(let parking): park(slot, parking)
        case .finish(let outcome): finish(slot, outcome)
        case .finishPart(let outcome): finishPart(slot, outcome)
        case .finishCleanup(let warning):
            if warning?.contains("left alone") == true, let episode = slots[slot].episode {
                world.uploadBook.leftAlone.insert(world.record.episodes[episode].item.key)
            }
            free(slot)
        case .stopRun(let failure):
            process.stop = process.stop ?? failure
            abandon(slot)
        }
        return nil
    }

    private mutating func wait(_ until: Instant, _ clock: ServerClock?, _ slot: Int) {
        if let clock {
            process.offsetSeconds[clock.side] =
                clock.now.secondsSince1970 - world.timeOfDay.secondsSince1970
        }
        slots[slot].wakeAt = until
        let event = ProcessEvent.wakes(worker: index, slot: slot, job: slots[slot].number)
        world.queue.add(.process(run: run, event), at: until)
    }

    private mutating func reserve(_ bytes: Int64, _ slot: Int) -> TransferEvent? {
        let claim = MemoryBudget.Claim(
            age: slots[slot].job?.item?.sequence ?? 0, blocks: Int(Limits.blocks(for: bytes)),
            worker: index, slot: slot)
        let held = slots[slot].blocksHeld
        // What is waited for is given back at once, before others are granted it.
        slots[slot].blocksHeld = 0
        switch process.reserve(claim, held: held) {
        case .granted(let kept):
            slots[slot].blocksHeld = max(claim.blocks, held)
            return .granted(kept: kept)
        case .waiting:
            slots[slot].body = Body()
            return nil
        }
    }

    private mutating func start(_ order: ExchangeOrder, _ slot: Int) {
        guard !process.isDown(order.side) else {
            var fault = TransportFault(.broken, message: "not sent")
            fault.hadNoEffect = true
            slots[slot].kept = Kept(fault: fault, order: order, since: world.now)
            return
        }
        var upload = Body()
        switch order.upload {
        case .object(let byteCount): upload = slots[slot].body[0..<byteCount]
        case .request: upload = Body(text: order.request.body)
        }
        let episode = slots[slot].episode ?? world.beginCleanup(order, run: run)
        slots[slot].episode = episode
        var step = Episode.Step(
            side: order.side, operation: order.request.operation, sentAt: world.now)
        step.isForLayout =
            order.request.method == .head
            && order.request.query.contains { $0.name == "partNumber" }
        world.record.episodes[episode].steps.append(step)
        var flight = Flight(
            order: order, upload: upload, run: run, slot: slot, episode: episode,
            step: world.record.episodes[episode].steps.count - 1,
            signedOffsetSeconds: process.offsetSeconds[order.side, default: 0])
        flight.worker = index
        slots[slot].flight = world.send(flight)
        world.checkBound(episode)
    }

    private func told(_ timesResent: Int) -> Int {
        world.scenario.mutation == .hidesResending ? 0 : timesResent
    }

    /// Puts an answer's body where the order wants it.
    private mutating func receive(
        _ served: Served, _ timesResent: Int, _ flight: Flight
    ) -> ExchangeResult {
        var result = ExchangeResult(
            response: served.response, timesResent: told(timesResent))
        guard let object = served.object, case .object(let offset, let capacity) = flight.order.sink
        else { return result }
        guard object.byteCount <= capacity else {
            result.overflowed = true
            return result
        }
        slots[flight.slot].body.store(object, at: offset)
        result.objectBytes = object.byteCount
        return result
    }

    // MARK: - The end of a job

    private mutating func finish(_ slot: Int, _ outcome: Outcome) {
        guard let item = slots[slot].job?.item, let episode = slots[slot].episode else {
            preconditionFailure("nobody's end")
        }
        returned.append(
            .ended(
                sequence: item.sequence, record: Ledger.Record(key: item.key, outcome: outcome)))
        world.end(episode, outcome)
        free(slot)
    }

    private mutating func park(_ slot: Int, _ parking: Parking) {
        guard case .multipart(let copy) = slots[slot].job else {
            preconditionFailure("only a multipart copy steps aside")
        }
        returned.append(.parked(copy, parking))
        free(slot)
    }

    private mutating func finishPart(_ slot: Int, _ outcome: PartOutcome) {
        guard case .part(let copy) = slots[slot].job else { preconditionFailure("nobody's part") }
        let part = copy.part
        returned.append(.part(number: part.number, sequence: part.item.sequence, outcome))
        free(slot)
    }

    /// An object is given back; a part or a cleanup is not the ledger's to take back.
    private mutating func abandon(_ slot: Int) {
        switch slots[slot].job {
        case .transfer(let transfer):
            returned.append(.abandoned(sequence: transfer.item.sequence))
        case .multipart(let copy): returned.append(.abandoned(sequence: copy.item.sequence))
        case .sample(let sample): returned.append(.abandoned(sequence: sample.item.sequence))
        case .part, .cleanup, .inspection, .comparison, nil: break
        }
        free(slot)
    }

    private mutating func free(_ slot: Int) {
        giveBackMemory(of: slot)
        partBytes -= slots[slot].job?.partBytes ?? 0
        slots[slot] = Slot()
        freeSlots.append(slot)
    }

    // MARK: - Bounds

    private mutating func giveBackMemory(of slot: Int) {
        let blocks = slots[slot].blocksHeld
        let byteCount = slots[slot].body.byteCount
        if byteCount > Int64(blocks * Limits.blockBytes) {
            world.record.violated(.memory, "\(byteCount) bytes in \(blocks) blocks")
        }
        slots[slot].blocksHeld = 0
        slots[slot].body = Body()
        process.release(blocks, worker: index)
    }

    private func checkPartBytes(with job: Job) {
        guard partBytes > Limits.partBytesInFlightMax, partBytes > job.partBytes,
            job.partBytes > 0
        else { return }
        world.record.violated(.memory, "parts of \(partBytes) bytes are with worker \(index)")
    }
}
