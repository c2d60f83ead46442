//! The memory bound: never exceeded, never a deadlock, the oldest first.

import Migration
import Testing

@Suite struct MemoryBudgetTests {
    private func claim(_ age: Int, _ blocks: Int) -> MemoryBudget.Claim {
        MemoryBudget.Claim(age: age, blocks: blocks, worker: age % 3, slot: age)
    }

    @Test func grantsWhatIsThere() {
        var budget = MemoryBudget(blocksMax: 10)
        #expect(budget.reserve(claim(1, 4), held: 0) == .granted(kept: true))
        #expect(budget.reserve(claim(2, 6), held: 0) == .granted(kept: true))
        #expect(budget.blocksFree == 0)
        budget.release(4, worker: 1)
        #expect(budget.blocksFree == 4)
    }

    @Test func takesBackWhatIsHeldByOneWhoWaits() {
        var budget = MemoryBudget(blocksMax: 10)
        _ = budget.reserve(claim(1, 8), held: 0)
        _ = budget.reserve(claim(2, 2), held: 0)
        #expect(budget.reserve(claim(2, 5), held: 2) == .waiting)
        #expect(budget.blocksFree == 2)
        #expect(budget.grant().isEmpty)
        budget.release(8, worker: 1)
        #expect(budget.grant() == [claim(2, 5)])
        #expect(budget.blocksFree == 5)
        #expect(!budget.isAnybodyWaiting)
    }

    @Test func letsNobodyOvertakeTheOldest() {
        var budget = MemoryBudget(blocksMax: 10)
        _ = budget.reserve(claim(1, 5), held: 0)
        #expect(budget.reserve(claim(2, 10), held: 0) == .waiting)
        #expect(budget.reserve(claim(3, 1), held: 0) == .waiting)
        #expect(budget.grant().isEmpty)
        // An older one comes back for more and is not held up by the younger.
        #expect(budget.reserve(claim(1, 6), held: 5) == .granted(kept: true))
        budget.release(6, worker: 1)
        #expect(budget.grant() == [claim(2, 10)])
        budget.release(10, worker: 2)
        #expect(budget.grant() == [claim(3, 1)])
    }

    @Test func sortsByAgeNotByArrival() {
        var budget = MemoryBudget(blocksMax: 4)
        _ = budget.reserve(claim(1, 4), held: 0)
        for age in [9, 3, 7, 5] { #expect(budget.reserve(claim(age, 1), held: 0) == .waiting) }
        budget.release(4, worker: 1)
        #expect(budget.grant().map(\.age) == [3, 5, 7, 9])
    }

    // MARK: - The bound of each worker

    private func claim(_ age: Int, _ blocks: Int, worker: Int) -> MemoryBudget.Claim {
        MemoryBudget.Claim(age: age, blocks: blocks, worker: worker, slot: age)
    }

    @Test func keepsAWorkerToItsUsualBound() {
        var budget = MemoryBudget(blocksMax: 100, usualPerWorker: 10)
        #expect(budget.reserve(claim(1, 5, worker: 1), held: 0) == .granted(kept: true))
        #expect(budget.reserve(claim(2, 5, worker: 1), held: 0) == .granted(kept: true))
        #expect(budget.reserve(claim(3, 1, worker: 1), held: 0) == .waiting)
        #expect(budget.grant().isEmpty)
        // Another worker, with younger objects, is not kept by that.
        #expect(budget.reserve(claim(4, 10, worker: 2), held: 0) == .granted(kept: true))
        budget.release(5, worker: 1)
        #expect(budget.grant() == [claim(3, 1, worker: 1)])
    }

    @Test func grantsTwoThatAreLargerThanUsual() {
        var budget = MemoryBudget(blocksMax: 100, usualPerWorker: 10)
        for age in 1...2 {
            #expect(budget.reserve(claim(age, 20, worker: 1), held: 0) == .granted(kept: true))
        }
        #expect(budget.reserve(claim(3, 20, worker: 1), held: 0) == .waiting)
        #expect(budget.reserve(claim(4, 1, worker: 1), held: 0) == .waiting)
        budget.release(20, worker: 1)
        #expect(budget.grant() == [claim(3, 20, worker: 1)])
        #expect(budget.isAnybodyWaiting)
    }

    /// The oldest waits for the whole: then nobody behind it gets anything, of whatever worker.
    @Test func letsNobodyOvertakeWhoWaitsForTheWhole() {
        var budget = MemoryBudget(blocksMax: 20, usualPerWorker: 10)
        _ = budget.reserve(claim(1, 10, worker: 1), held: 0)
        #expect(budget.reserve(claim(2, 15, worker: 2), held: 0) == .waiting)
        #expect(budget.reserve(claim(3, 1, worker: 3), held: 0) == .waiting)
        #expect(budget.grant().isEmpty)
        budget.release(10, worker: 1)
        #expect(budget.grant().map(\.age) == [2, 3])
    }

    @Test func letsOneWhoNeedsLessKeepAll() {
        var budget = MemoryBudget(blocksMax: 10)
        _ = budget.reserve(claim(1, 8), held: 0)
        _ = budget.reserve(claim(2, 9), held: 0)
        #expect(budget.reserve(claim(1, 2), held: 8) == .granted(kept: true))
        #expect(budget.blocksFree == 2)
    }

    @Test func forgetsAClaimThatIsWithdrawn() {
        var budget = MemoryBudget(blocksMax: 4)
        _ = budget.reserve(claim(1, 4), held: 0)
        _ = budget.reserve(claim(2, 4), held: 0)
        _ = budget.reserve(claim(3, 1), held: 0)
        budget.withdraw(worker: 2, slot: 2)
        budget.release(4, worker: 1)
        #expect(budget.grant().map(\.age) == [3])
        budget.withdraw(worker: 9, slot: 9)
        #expect(budget.blocksFree == 3)
    }

    @Test func trapsOnAClaimThatNobodyCouldGrant() async {
        await #expect(processExitsWith: .failure) {
            var budget = MemoryBudget(blocksMax: 4)
            let claim = MemoryBudget.Claim(age: 1, blocks: 5, worker: 0, slot: 0)
            _ = budget.reserve(claim, held: 0)
        }
    }

    @Test func trapsWhenMoreComesBackThanWasGranted() async {
        await #expect(processExitsWith: .failure) {
            var budget = MemoryBudget(blocksMax: 4)
            budget.release(1, worker: 0)
        }
    }

    // MARK: - In random orders

    /// Transfers that come, want more, wait, go and are dropped.
    @Test(arguments: 0..<100)
    func neverExceedsAndNeverStands(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let blocksMax = Int.random(in: 1...30, using: &random)
        var budget = MemoryBudget(blocksMax: blocksMax)
        var held: [Int: Int] = [:]
        var waiting: [Int: Int] = [:]

        func take(_ grants: [MemoryBudget.Claim]) {
            for grant in grants {
                #expect(waiting[grant.age] == grant.blocks, "seed \(seed)")
                waiting[grant.age] = nil
                #expect(waiting.keys.allSatisfy { $0 > grant.age }, "seed \(seed): overtaken")
                held[grant.age] = grant.blocks
            }
        }

        for age in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                // A new transfer, or one that has come to know how much it needs.
                let isOld = Bool.random(using: &random)
                let who = isOld ? held.keys.randomElement(using: &random) ?? age : age
                let claim = claim(who, Int.random(in: 1...blocksMax, using: &random))
                let had = held[who] ?? 0
                switch budget.reserve(claim, held: had) {
                case .granted:
                    let isMore = claim.blocks > had
                    #expect(
                        !isMore || waiting.keys.allSatisfy { $0 > who }, "seed \(seed): overtaken")
                    held[who] = max(had, claim.blocks)
                case .waiting:
                    held[who] = nil
                    waiting[who] = claim.blocks
                }
            case 5..<9:
                guard let who = held.keys.randomElement(using: &random) else { break }
                budget.release(held.removeValue(forKey: who) ?? 0, worker: who % 3)
            default:
                guard let who = waiting.keys.randomElement(using: &random) else { break }
                waiting[who] = nil
                budget.withdraw(worker: who % 3, slot: who)
            }
            take(budget.grant())
            #expect(held.values.reduce(0, +) + budget.blocksFree == blocksMax, "seed \(seed)")
            #expect(budget.blocksFree >= 0, "seed \(seed)")
            #expect(budget.isAnybodyWaiting == !waiting.isEmpty, "seed \(seed)")
            // Where nobody holds anything, nobody waits.
            #expect(!held.isEmpty || waiting.isEmpty, "seed \(seed): all wait")
        }
    }
}
