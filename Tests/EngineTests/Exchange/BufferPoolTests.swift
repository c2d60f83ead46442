//! The blocks of all bodies, under the hands of many threads.

import Glibc
import Linux
import Migration
import Synchronization
import Testing

@testable import Engine

@Suite struct BufferPoolTests {
    private typealias Blocks = [BufferPool.Block]

    private func claim(_ age: Int, _ blocks: Int, worker: Int = 0) -> MemoryBudget.Claim {
        MemoryBudget.Claim(age: age, blocks: blocks, worker: worker, slot: age)
    }

    private final class Woken: Sendable {
        let workers = Monitor([Int]())
        func wake(_ worker: Int) { workers.withLock { $0.append(worker) } }
        var list: [Int] { workers.withLock { $0 } }
    }

    @Test func growsWhatIsHeld() {
        let pool = BufferPool(blocksMax: 4, workerCount: 1, wake: { _ in })
        var held: Blocks = []
        #expect(pool.reserve(claim(1, 1), held: &held) == .granted(kept: true))
        let first = held[0]
        #expect(pool.reserve(claim(1, 4), held: &held) == .granted(kept: true))
        #expect(held.count == 4)
        #expect(held[0] == first)
        #expect(Set(held).count == 4)
        pool.release(&held, worker: 0)
        #expect(held.isEmpty)
    }

    /// An object that turns out smaller than the list said keeps what it has.
    @Test func keepsWhatIsMoreThanNeeded() {
        let pool = BufferPool(blocksMax: 4, workerCount: 1, wake: { _ in })
        var held: Blocks = []
        _ = pool.reserve(claim(1, 3), held: &held)
        #expect(pool.reserve(claim(1, 1), held: &held) == .granted(kept: true))
        #expect(held.count == 3)
        pool.release(&held, worker: 0)
        var all: Blocks = []
        #expect(pool.reserve(claim(2, 4), held: &all) == .granted(kept: true))
        pool.release(&all, worker: 0)
    }

    @Test func takesBackFromOneWhoWaitsAndTellsItLater() {
        let woken = Woken()
        let pool = BufferPool(blocksMax: 4, workerCount: 8, wake: woken.wake)
        var one: Blocks = []
        var other: Blocks = []
        _ = pool.reserve(claim(1, 2, worker: 3), held: &one)
        _ = pool.reserve(claim(2, 2, worker: 7), held: &other)
        #expect(pool.reserve(claim(2, 4, worker: 7), held: &other) == .waiting)
        #expect(other.isEmpty)
        #expect(pool.takeGrants(worker: 7).isEmpty)
        pool.release(&one, worker: 3)
        #expect(woken.list == [7])
        let grants = pool.takeGrants(worker: 7)
        #expect(grants.map(\.slot) == [2])
        #expect(grants[0].blocks.count == 4)
        #expect(pool.takeGrants(worker: 7).isEmpty)
        other = grants[0].blocks
        pool.release(&other, worker: 7)
    }

    @Test func givesBackWhatWasWithdrawn() {
        let pool = BufferPool(blocksMax: 4, workerCount: 2, wake: { _ in })
        var one: Blocks = []
        var none: Blocks = []
        _ = pool.reserve(claim(1, 4), held: &one)
        _ = pool.reserve(claim(2, 4, worker: 1), held: &none)
        // Once before the grant and once behind it.
        pool.withdraw(worker: 1, slot: 2)
        _ = pool.reserve(claim(3, 4, worker: 1), held: &none)
        pool.release(&one, worker: 0)
        pool.withdraw(worker: 1, slot: 3)
        #expect(pool.takeGrants(worker: 1).isEmpty)
        #expect(pool.reserve(claim(4, 4), held: &one) == .granted(kept: true))
        pool.release(&one, worker: 0)
    }

    /// What one gives up goes to the next, also when it was granted and never fetched.
    @Test func grantsToTheNextWhatWasWithdrawn() {
        let woken = Woken()
        let pool = BufferPool(blocksMax: 4, workerCount: 3, wake: woken.wake)
        var one: Blocks = []
        var none: Blocks = []
        _ = pool.reserve(claim(1, 4), held: &one)
        _ = pool.reserve(claim(2, 4, worker: 1), held: &none)
        _ = pool.reserve(claim(3, 2, worker: 2), held: &none)
        pool.release(&one, worker: 0)
        #expect(woken.list == [1])
        pool.withdraw(worker: 1, slot: 2)
        #expect(woken.list == [1, 2])
        var grants = pool.takeGrants(worker: 2)
        #expect(grants.map(\.slot) == [3])
        if !grants.isEmpty { pool.release(&grants[0].blocks, worker: 2) }
    }

    // MARK: - Threads

    /// Each worker holds, grows, waits and releases; every block that it holds bears its mark to the end.
    @Test func keepsEveryBlockToOneOwner() throws {
        let crowd = Crowd(workerCount: 4, blocksMax: 12)
        let threads = try (0..<crowd.workerCount).map { worker in
            try Thread(name: "worker \(worker)") { crowd.work(worker) }
        }
        for thread in threads { thread.join() }
        #expect(crowd.mixed.load(ordering: .relaxed) == 0)
        #expect(crowd.held.load(ordering: .relaxed) == 0)
        #expect(crowd.heldMax.load(ordering: .relaxed) <= crowd.blocksMax)
        #expect(crowd.finished.load(ordering: .relaxed) == crowd.workerCount * Crowd.rounds)
    }
}

/// Workers that share a pool.
private final class Crowd: Sendable {
    static let rounds = 2000

    let workerCount: Int
    let blocksMax: Int
    let held = Atomic(0)
    let heldMax = Atomic(0)
    /// Blocks that somebody else has written to.
    let mixed = Atomic(0)
    let finished = Atomic(0)
    private let ages = Atomic(0)
    private let pool: BufferPool

    init(workerCount: Int, blocksMax: Int) {
        self.workerCount = workerCount
        self.blocksMax = blocksMax
        pool = BufferPool(blocksMax: blocksMax, workerCount: workerCount, wake: { _ in })
    }

    func work(_ worker: Int) {
        var random = SeededRandom(seed: UInt64(worker))
        for _ in 0..<Crowd.rounds {
            let age = ages.add(1, ordering: .relaxed).newValue
            var blocks: [BufferPool.Block] = []
            reserve(1, age, worker, &blocks)
            reserve(Int.random(in: 1...blocksMax, using: &random), age, worker, &blocks)
            if blocks.contains(where: { $0.load(as: Int.self) != age }) {
                mixed.add(1, ordering: .relaxed)
            }
            held.subtract(blocks.count, ordering: .relaxed)
            pool.release(&blocks, worker: worker)
            finished.add(1, ordering: .relaxed)
        }
    }

    private func reserve(
        _ count: Int, _ age: Int, _ worker: Int, _ blocks: inout [BufferPool.Block]
    ) {
        let claim = MemoryBudget.Claim(age: age, blocks: count, worker: worker, slot: age)
        // What is held is given back within the call, so it is counted as free just before.
        held.subtract(blocks.count, ordering: .relaxed)
        if pool.reserve(claim, held: &blocks) == .waiting { blocks = waitForGrant(worker) }
        let total = held.add(blocks.count, ordering: .relaxed).newValue
        heldMax.max(total, ordering: .relaxed)
        for block in blocks { block.storeBytes(of: age, as: Int.self) }
    }

    private func waitForGrant(_ worker: Int) -> [BufferPool.Block] {
        while true {
            if let grant = pool.takeGrants(worker: worker).first { return grant.blocks }
            sched_yield()
        }
    }
}
