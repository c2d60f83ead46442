//! The memory of all bodies: blocks of one size, granted by the budget's rules.

internal import Linux
internal import Migration

/// The one pool of the process. Blocks are taken from the system when they are first needed and then kept, the
/// last one given back first, so that a run of small objects touches little of what it may have.
final class BufferPool: Sendable {
    typealias Block = UnsafeMutableRawPointer

    /// A grant that came after a wait.
    struct Grant: @unchecked Sendable {
        var slot: Int
        var blocks: [Block]
    }

    private struct State: @unchecked Sendable {
        var budget: MemoryBudget
        var free: [Block] = []
        /// Grants that their workers have not fetched yet.
        var granted: [[Grant]]

        mutating func take(_ count: Int) -> [Block] {
            (0..<count).map { _ in
                free.popLast()
                    ?? .allocate(byteCount: Limits.blockBytes, alignment: 4096)
            }
        }
    }

    private let state: Monitor<State>
    /// Wakes a worker that waits for its sockets.
    private let wake: @Sendable (_ worker: Int) -> Void

    init(
        blocksMax: Int, usualPerWorker: Int? = nil, workerCount: Int,
        wake: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        state = Monitor(
            State(
                budget: MemoryBudget(blocksMax: blocksMax, usualPerWorker: usualPerWorker),
                granted: Array(repeating: [], count: workerCount)))
        self.wake = wake
    }

    deinit {
        state.withLock { state in
            for block in state.free { block.deallocate() }
        }
    }

    /// Makes `held` as large as the claim wants, or takes it all back and remembers the claim.
    func reserve(
        _ claim: MemoryBudget.Claim, held: inout [Block]
    ) -> MemoryBudget.Verdict {
        let (verdict, told) = state.withLock { state in
            let verdict = state.budget.reserve(claim, held: held.count)
            switch verdict {
            case .granted:
                held += state.take(max(0, claim.blocks - held.count))
                return (verdict, [Int]())
            case .waiting:
                state.free += held
                held.removeAll()
                return (verdict, grantWaiting(&state))
            }
        }
        for worker in told { wake(worker) }
        return verdict
    }

    /// Takes back all that a transfer of this worker holds.
    func release(_ held: inout [Block], worker: Int) {
        guard !held.isEmpty else { return }
        let told = state.withLock { state in
            state.budget.release(held.count, worker: worker)
            state.free += held
            return grantWaiting(&state)
        }
        held.removeAll(keepingCapacity: true)
        for worker in told { wake(worker) }
    }

    /// What this worker was granted since it last asked.
    func takeGrants(worker: Int) -> [Grant] {
        state.withLock { state in
            let grants = state.granted[worker]
            state.granted[worker] = []
            return grants
        }
    }

    /// Forgets a claim, and gives back what was granted for it and not fetched; what is free now goes to the next.
    func withdraw(worker: Int, slot: Int) {
        let told = state.withLock { state in
            state.budget.withdraw(worker: worker, slot: slot)
            for grant in state.granted[worker] where grant.slot == slot {
                state.free += grant.blocks
                state.budget.release(grant.blocks.count, worker: worker)
            }
            state.granted[worker].removeAll { $0.slot == slot }
            return grantWaiting(&state)
        }
        for worker in told { wake(worker) }
    }

    private func grantWaiting(_ state: inout State) -> [Int] {
        guard state.budget.isAnybodyWaiting else { return [] }
        return state.budget.grant().map { claim in
            let blocks = state.take(claim.blocks)
            state.granted[claim.worker].append(Grant(slot: claim.slot, blocks: blocks))
            return claim.worker
        }
    }
}
