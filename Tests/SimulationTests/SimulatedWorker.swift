//! The driver of the transfers: what the Engine's worker and its pool do, in simulated time.

import Migration
import S3

/// One object's place in the worker.
private struct Slot {
    var transfer: Transfer?
    var episode = 0
    var body = Body()
    var blocksHeld = 0
    var flight: Int?
    var step: Int?
    var wakeAt: Instant?
}

struct SimulatedWorker {
    private let world: World
    private let run: Int
    private var slots: [Slot]
    private var freeSlots: [Int]
    private var context: TransferContext
    private var budget: MemoryBudget
    /// Grants that came after a wait, not yet fetched.
    private var granted: [MemoryBudget.Claim] = []
    /// By how much the servers' clocks are ahead of ours, as far as they have complained.
    private var offsetSeconds: [Side: Int64] = [:]
    private(set) var ended: [(sequence: Int, record: Ledger.Record)] = []
    private(set) var abandoned: [Int] = []
    /// Why the run has to stop, once a transfer says so.
    private(set) var stop: Failure?

    init(_ world: World, run: Int, rules: TransferRules, _ random: inout SeededRandom) {
        self.world = world
        self.run = run
        let scenario = world.scenario
        slots = Array(repeating: Slot(), count: scenario.slotCount)
        freeSlots = Array(slots.indices.reversed())
        context = TransferContext(now: world.now, rules: rules, random: random.fork())
        budget = MemoryBudget(blocksMax: scenario.blocksMax)
    }

    var freeCount: Int { freeSlots.count }
    var isIdle: Bool { freeSlots.count == slots.count }

    /// Hands over what has ended or was given up since the last time.
    mutating func takeEnded() -> (
        ended: [(sequence: Int, record: Ledger.Record)], abandoned: [Int]
    ) {
        defer { (ended, abandoned) = ([], []) }
        return (ended, abandoned)
    }

    // MARK: - Events

    mutating func begin(_ item: WorkItem) {
        guard let slot = freeSlots.popLast() else { preconditionFailure("no free slot") }
        if !world.isOurs(item.key) {
            world.record.violated(.strayed, "\(item.key) was begun")
        }
        if world.settled.contains(item.key) {
            world.record.violated(.doneAgain, "\(item.key) was begun again")
        }
        slots[slot].transfer = Transfer(
            item: item, now: world.now, mayHaveWritten: context.rules.isResumed)
        slots[slot].episode = world.record.episodes.count
        world.record.episodes.append(
            Episode(pass: world.passNumber, run: run, item: item, begun: world.now))
        world.record.note(world.now, "begin \(item.key) #\(slots[slot].episode)")
        tell(slot, .begin)
    }

    mutating func land(_ number: Int) {
        guard let flight = world.land(number, run: run), slots[flight.slot].flight == number,
            let reply = flight.reply
        else { return }
        slots[flight.slot].flight = nil
        switch reply {
        case .broken(let partial):
            if let partial, case .object(let offset, _) = flight.order.sink {
                slots[flight.slot].body.store(partial, at: offset)
            }
            tell(flight.slot, .broken(TransportFault(.broken, message: "simulated")))
        case .answered(let served, let wasResent):
            tell(flight.slot, .answered(receive(served, wasResent, flight)))
        }
    }

    mutating func wake(_ slot: Int, episode: Int) {
        guard slots[slot].episode == episode, let wakeAt = slots[slot].wakeAt,
            wakeAt <= world.now
        else { return }
        slots[slot].wakeAt = nil
        tell(slot, .woken)
    }

    mutating func fetchGrants() {
        let claims = granted
        granted = []
        for claim in claims {
            slots[claim.slot].blocksHeld = claim.blocks
            slots[claim.slot].body = Body()
            tell(claim.slot, .granted(kept: false))
        }
    }

    /// Drops what is under way.
    mutating func abandonAll() {
        for slot in slots.indices where slots[slot].transfer != nil {
            budget.withdraw(worker: 0, slot: slot)
            for claim in granted where claim.slot == slot { budget.release(claim.blocks) }
            granted.removeAll { $0.slot == slot }
            abandon(slot)
        }
    }

    // MARK: - Doing

    private mutating func tell(_ slot: Int, _ event: TransferEvent) {
        var event = event
        context.now = world.now
        while let action = slots[slot].transfer?.handle(event, in: &context) {
            guard let next = perform(action, slot) else { return }
            event = next
        }
    }

    private mutating func perform(_ action: TransferAction, _ slot: Int) -> TransferEvent? {
        switch action {
        case .reserve(let bytes): return reserve(bytes, slot)
        case .exchange(let order): start(order, slot)
        case .hash(_, let byteCount):
            return .digested(.md5(slots[slot].body[0..<byteCount].md5))
        case .wait(let until, let clock):
            if let clock {
                offsetSeconds[clock.side] =
                    clock.now.secondsSince1970 - world.timeOfDay.secondsSince1970
            }
            slots[slot].wakeAt = until
            let event = ProcessEvent.wakes(slot: slot, episode: slots[slot].episode)
            world.queue.add(.process(run: run, event), at: until)
        case .finish(let outcome): finish(slot, outcome)
        case .stopRun(let failure):
            stop = stop ?? failure
            abandon(slot)
        case .become, .record, .park, .finishPart, .finishCleanup:
            preconditionFailure("no object of this world moves in parts")
        }
        return nil
    }

    private mutating func reserve(_ bytes: Int64, _ slot: Int) -> TransferEvent? {
        let claim = MemoryBudget.Claim(
            age: slots[slot].transfer?.item.sequence ?? 0, blocks: Int(Limits.blocks(for: bytes)),
            worker: 0, slot: slot)
        switch budget.reserve(claim, held: slots[slot].blocksHeld) {
        case .granted(let kept):
            slots[slot].blocksHeld = max(claim.blocks, slots[slot].blocksHeld)
            return .granted(kept: kept)
        case .waiting:
            slots[slot].blocksHeld = 0
            slots[slot].body = Body()
            grantWaiting()
            return nil
        }
    }

    private mutating func grantWaiting() {
        let claims = budget.grant()
        guard !claims.isEmpty else { return }
        granted += claims
        let fetched = world.now + world.random.milliseconds(0...5)
        world.queue.add(.process(run: run, .grantsMayBeThere), at: fetched)
    }

    private mutating func start(_ order: ExchangeOrder, _ slot: Int) {
        var upload = Body()
        switch order.upload {
        case .object(let byteCount): upload = slots[slot].body[0..<byteCount]
        case .request: upload = Body(text: order.request.body)
        }
        let episode = slots[slot].episode
        let step = Episode.Step(
            side: order.side, operation: order.request.operation, sentAt: world.now)
        world.record.episodes[episode].steps.append(step)
        slots[slot].flight = world.send(
            Flight(
                order: order, upload: upload, run: run, slot: slot, episode: episode,
                step: world.record.episodes[episode].steps.count - 1,
                signedOffsetSeconds: offsetSeconds[order.side, default: 0]))
        world.checkBound(episode)
    }

    /// Puts an answer's body where the order wants it.
    private mutating func receive(
        _ served: Served, _ wasResent: Bool, _ flight: Flight
    ) -> ExchangeResult {
        var result = ExchangeResult(
            response: served.response,
            wasResent: wasResent && world.scenario.mutation != .hidesResending)
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

    // MARK: - The end of a transfer

    private mutating func finish(_ slot: Int, _ outcome: Outcome) {
        guard let item = slots[slot].transfer?.item else { preconditionFailure("nobody's end") }
        ended.append((item.sequence, Ledger.Record(key: item.key, outcome: outcome)))
        world.end(slots[slot].episode, outcome)
        free(slot)
    }

    private mutating func abandon(_ slot: Int) {
        guard let item = slots[slot].transfer?.item else { return }
        abandoned.append(item.sequence)
        free(slot)
    }

    private mutating func free(_ slot: Int) {
        checkMemory(of: slot)
        if world.scenario.mutation != .keepsMemory { budget.release(slots[slot].blocksHeld) }
        slots[slot] = Slot()
        freeSlots.append(slot)
        grantWaiting()
    }

    // MARK: - Memory

    private func checkMemory(of slot: Int) {
        let room = Int64(slots[slot].blocksHeld * Limits.blockBytes)
        if slots[slot].body.byteCount > room {
            world.record.violated(
                .memory, "\(slots[slot].body.byteCount) bytes in \(slots[slot].blocksHeld) blocks")
        }
    }

    /// All blocks are somewhere, and none twice.
    func checkMemory() {
        let held = slots.reduce(0) { $0 + $1.blocksHeld } + granted.reduce(0) { $0 + $1.blocks }
        if held + budget.blocksFree != world.scenario.blocksMax {
            world.record.violated(
                .memory,
                "\(held) blocks held and \(budget.blocksFree) free of \(world.scenario.blocksMax)")
        }
        if isIdle, budget.isAnybodyWaiting {
            world.record.violated(.memory, "a claim of nobody waits")
        }
    }
}
