//! Who may hold how much of the buffers: granted whole, to the oldest first, so that nobody waits while holding.

/// The bound on the memory of all transfers together, counted in blocks.
///
/// A transfer asks for all that its next exchange needs. It either gets it, or gives back what it holds and waits;
/// then it is granted everything at once, oldest first. Nobody holds and waits, so there is no deadlock as long as
/// no single wish exceeds the whole (`blocksMax`), which `reserve` makes a precondition.
///
/// What could be granted is not always good to grant: bodies that have left the processor's caches before they are sent
/// on cost twice. So the usual bound is lower (`blocksUsual`), and only wishes that are large for it go beyond, two at
/// a time.
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
    public let blocksUsual: Int
    public private(set) var blocksFree: Int
    /// Oldest first.
    private var waiting: [Claim] = []

    public init(blocksMax: Int, blocksUsual: Int? = nil) {
        precondition(blocksMax > 0, "a budget of nothing")
        self.blocksMax = blocksMax
        self.blocksUsual = min(blocksUsual ?? blocksMax, blocksMax)
        self.blocksFree = blocksMax
    }

    /// Whether somebody who holds `held` blocks may hold `wanted`.
    private func hasRoom(for wanted: Int, held: Int = 0) -> Bool {
        let bound = min(blocksMax, max(blocksUsual, 2 * wanted))
        return blocksMax - blocksFree - held + wanted <= bound
    }

    public var isAnybodyWaiting: Bool { !waiting.isEmpty }

    /// Asks that `claim.blocks` be held where `held` are held now.
    public mutating func reserve(_ claim: Claim, held: Int) -> Verdict {
        precondition(claim.blocks <= blocksMax, "a claim that no budget could grant")
        let more = claim.blocks - held
        let isNext = waiting.first.map { claim.age < $0.age } ?? true
        if more <= 0 || (isNext && hasRoom(for: claim.blocks, held: held)) {
            blocksFree -= max(more, 0)
            return .granted(kept: true)
        }
        blocksFree += held
        let place = waiting.firstIndex { $0.age > claim.age } ?? waiting.endIndex
        waiting.insert(claim, at: place)
        return .waiting
    }

    /// Gives back blocks.
    public mutating func release(_ blocks: Int) {
        blocksFree += blocks
        precondition(blocksFree <= blocksMax, "more blocks given back than were granted")
    }

    /// The claims that can be granted now. The oldest is never overtaken, however small the wishes behind it.
    public mutating func grant() -> [Claim] {
        var granted: [Claim] = []
        while let claim = waiting.first, hasRoom(for: claim.blocks) {
            blocksFree -= claim.blocks
            granted.append(claim)
            waiting.removeFirst()
        }
        return granted
    }

    /// Takes back a claim that nobody waits for any more.
    public mutating func withdraw(worker: Int, slot: Int) {
        waiting.removeAll { $0.worker == worker && $0.slot == slot }
    }
}
