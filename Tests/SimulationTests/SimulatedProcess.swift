//! What the workers of a simulated run share: the memory, the clock, and the lines that wait for uploads.log.

import Migration
import S3

/// A line for uploads.log, and who waits for it.
struct PendingRecord: Sendable {
    var record: UploadRecord
    var worker: Int
    var slot: Int
    /// The number of the slot's job.
    var job: Int
}

final class SimulatedProcess {
    private let world: World
    private let run: Int
    private var budget: MemoryBudget
    /// Grants that came after a wait, not yet fetched.
    private var granted: [MemoryBudget.Claim] = []
    private var pendingRecords: [PendingRecord] = []
    /// By how much the servers' clocks are ahead of ours, as far as they have complained.
    var offsetSeconds: [Side: Int64] = [:]
    /// What is known of the sides.
    private var health = BothSides { _ in SideHealth() }
    private var isAsking = BothSides(source: false, target: false)
    private var failedProbes = BothSides(source: 0, target: 0)
    /// Why the run has to stop, once a job says so.
    var stop: Failure?

    init(_ world: World, run: Int) {
        self.world = world
        self.run = run
        let blocksMax = world.scenario.blocksMax
        budget = MemoryBudget(blocksMax: blocksMax, usualPerWorker: max(1, blocksMax / 2))
    }

    // MARK: - Sides that are down

    func isDown(_ side: Side) -> Bool { health[side].state != .up }

    var isAnyDown: Bool { isDown(.source) || isDown(.target) }

    func answered(_ side: Side, begunAt: Instant) {
        health[side].answered(begunAt: begunAt, endedAt: world.now)
    }

    func failed(_ side: Side) {
        health[side].failed(at: world.now, because: "simulated")
        guard !isAsking[side] else { return }
        failedProbes[side] = 0
        ask(side)
    }

    func cause(ofFaultAt time: Instant, _ side: Side) -> SideHealth.Cause {
        health[side].cause(ofFaultAt: time)
    }

    /// Asks later whether a side in doubt is up.
    private func ask(_ side: Side) {
        isAsking[side] = health[side].isInDoubt
        guard isAsking[side] else { return }
        let delay = SideHealth.probeDelay(
            failedCount: failedProbes[side], random: &world.random)
        world.queue.add(.process(run: run, .probe(side)), at: world.now + delay)
    }

    func probe(_ side: Side) {
        if world.isDown(side) {
            health[side].failed(at: world.now, because: "simulated")
            failedProbes[side] += 1
        } else {
            health[side].answered(begunAt: world.now, endedAt: world.now + .milliseconds(1))
            failedProbes[side] = 0
        }
        ask(side)
    }

    // MARK: - Memory

    func reserve(_ claim: MemoryBudget.Claim, held: Int) -> MemoryBudget.Verdict {
        let verdict = budget.reserve(claim, held: held)
        if case .waiting = verdict { grantWaiting() }
        return verdict
    }

    func release(_ blocks: Int, worker: Int) {
        if world.scenario.mutation != .keepsMemory { budget.release(blocks, worker: worker) }
        grantWaiting()
    }

    func withdraw(worker: Int, slot: Int) {
        budget.withdraw(worker: worker, slot: slot)
        let isTheirs = { (claim: MemoryBudget.Claim) in claim.worker == worker && claim.slot == slot
        }
        for claim in granted.filter(isTheirs) { budget.release(claim.blocks, worker: worker) }
        granted.removeAll(where: isTheirs)
    }

    func takeGrants(worker: Int) -> [MemoryBudget.Claim] {
        defer { granted.removeAll { $0.worker == worker } }
        return granted.filter { $0.worker == worker }
    }

    private func grantWaiting() {
        let claims = budget.grant()
        granted += claims
        for worker in Set(claims.map(\.worker)).sorted() {
            let fetched = world.now + world.random.milliseconds(0...5)
            world.queue.add(.process(run: run, .grantsMayBeThere(worker: worker)), at: fetched)
        }
    }

    /// All blocks are somewhere, and none twice.
    func checkMemory(held: Int, isIdle: Bool) {
        let sum = held + granted.reduce(0) { $0 + $1.blocks }
        if sum + budget.blocksFree != world.scenario.blocksMax {
            world.record.violated(
                .memory,
                "\(sum) blocks held and \(budget.blocksFree) free of \(world.scenario.blocksMax)")
        }
        if isIdle, budget.isAnybodyWaiting {
            world.record.violated(.memory, "a claim of nobody waits")
        }
    }

    // MARK: - Lines of uploads.log

    var hasRecords: Bool { !pendingRecords.isEmpty }

    /// The log thread is woken, and comes when it can.
    func add(_ record: PendingRecord) {
        if pendingRecords.isEmpty {
            let seen = world.now + world.random.milliseconds(0...20)
            world.queue.add(.process(run: run, .recordsWait), at: seen)
        }
        pendingRecords.append(record)
    }

    func takeRecords() -> [PendingRecord] {
        defer { pendingRecords = [] }
        return pendingRecords
    }

    /// The lines are on the disk; whoever waits hears of it in a moment.
    func tellRecorded(_ records: [PendingRecord]) {
        for record in records {
            let heard = world.now + world.random.milliseconds(0...3)
            let event = ProcessEvent.recorded(
                worker: record.worker, slot: record.slot, job: record.job)
            world.queue.add(.process(run: run, event), at: heard)
        }
    }
}
