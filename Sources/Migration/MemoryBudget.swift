//! Who may hold how much of the buffers: granted whole, to the oldest first, so that nobody waits while holding.

/// The bound on the memory of all transfers together, counted in blocks.
///
/// A transfer asks for all that its next exchange needs. It either gets it, or gives back what it holds and waits;
/// then it is granted everything at once, oldest first. Nobody holds and waits, so there is no deadlock as long as
/// no single wish exceeds the whole (`blocksMax`), which `reserve` makes a precondition.
///
/// What could be granted is not always good to grant: bodies that have left the processor's caches before they are
/// sent on cost twice. So each worker has a usual bound as well (`usualPerWorker`); only wishes that are large for it
/// go beyond, two at a time.
public struct MemoryBudget: Sendable {
    /// One who waits: its age (the object's sequence number), its wish, and who is to be told.
    public struct Claim: Sendable, Equatable {
        public var age: Int
        public var blocks: Int
        public var worker: Int
        public var slot: Int

        public init(age: Int, blocks: Int, worker: Int, slot: Int) {
            self.age = age
            self.blocks = blocks
            self.worker = worker
            self.slot = slot
        }
    }

    public enum Verdict: Sendable, Equatable {
        /// The claim is granted; `kept` says whether the blocks that were held stay.
        case granted(kept: Bool)
        /// What was held has to be given back; the grant comes later.
        case waiting
    }

    public let blocksMax: Int
    public let usualPerWorker: Int
    public private(set) var blocksFree: Int
    private var heldByWorker: [Int: Int] = [:]
    /// Oldest first.
    private var waiting: [Claim] = []

    public init(blocksMax: Int, usualPerWorker: Int? = nil) {
        precondition(blocksMax > 0, "a budget of nothing")
        self.blocksMax = blocksMax
        self.usualPerWorker = usualPerWorker ?? blocksMax
        self.blocksFree = blocksMax
    }

    public var isAnybodyWaiting: Bool { !waiting.isEmpty }

    /// Asks that `claim.blocks` be held where `held` are held now.
    public mutating func reserve(_ claim: Claim, held: Int) -> Verdict {
        precondition(claim.blocks <= blocksMax, "a claim that no budget could grant")
        let more = claim.blocks - held
        if more <= 0 || (fits(claim, held: held) && !overtakes(claim)) {
            hold(max(more, 0), worker: claim.worker)
            return .granted(kept: true)
        }
        hold(-held, worker: claim.worker)
        let place = waiting.firstIndex { $0.age > claim.age } ?? waiting.endIndex
        waiting.insert(claim, at: place)
        return .waiting
    }

    /// Gives back blocks.
    public mutating func release(_ blocks: Int, worker: Int) {
        hold(-blocks, worker: worker)
        precondition(blocksFree <= blocksMax, "more blocks given back than were granted")
    }

    /// The claims that can be granted now. The oldest is never overtaken, however small the wishes behind it; but what
    /// waits for its worker's own bound does not keep the other workers.
    public mutating func grant() -> [Claim] {
        var granted: [Claim] = []
        var index = 0
        var full: Set<Int> = []
        while index < waiting.count {
            let claim = waiting[index]
            guard claim.blocks <= blocksFree else { break }
            if full.contains(claim.worker) || !fits(claim, held: 0) {
                full.insert(claim.worker)
                index += 1
                continue
            }
            hold(claim.blocks, worker: claim.worker)
            granted.append(claim)
            waiting.remove(at: index)
        }
        return granted
    }

    private mutating func hold(_ blocks: Int, worker: Int) {
        blocksFree -= blocks
        heldByWorker[worker, default: 0] += blocks
    }

    private func fits(_ claim: Claim, held: Int) -> Bool {
        let bound = max(usualPerWorker, 2 * claim.blocks)
        return claim.blocks - held <= blocksFree
            && heldByWorker[claim.worker, default: 0] - held + claim.blocks <= bound
    }

    /// Whether an older claim waits that this one must not pass: one of the same worker, or one that the whole has no
    /// room for.
    private func overtakes(_ claim: Claim) -> Bool {
        waiting.contains { older in
            older.age <= claim.age && (older.worker == claim.worker || older.blocks > blocksFree)
        }
    }

    /// Takes back a claim that nobody waits for any more.
    public mutating func withdraw(worker: Int, slot: Int) {
        waiting.removeAll { $0.worker == worker && $0.slot == slot }
    }
}
