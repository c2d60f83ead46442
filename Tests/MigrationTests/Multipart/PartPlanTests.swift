//! The division of objects into parts: every byte once, never too many parts, and nothing that is not so.

import Migration
import Testing

@Suite struct PartPlanTests {
    /// Sizes where something could go wrong, and many between them.
    private static func size(_ random: inout SeededRandom) -> Int64 {
        let edges: [Int64] = [
            1, 2, 5 << 20, 8 << 20, 64 << 20, 5 << 30, 5 << 40, 50 << 40, .max,
        ]
        guard Bool.random(using: &random), let edge = edges.randomElement(using: &random) else {
            return Int64.random(
                in: 1...(1 << Int64.random(in: 1...62, using: &random)), using: &random)
        }
        let (moved, isTooLarge) = edge.addingReportingOverflow(.random(in: -2...2, using: &random))
        return isTooLarge ? edge : max(moved, 1)
    }

    /// First and last parts and some between cover what they should; with few parts, all are looked at.
    private func expectWhole(_ plan: PartPlan, _ hint: String) {
        let numbers =
            plan.count <= 300
            ? Array(1...plan.count)
            : Array(1...100) + Array(plan.count / 2...plan.count / 2 + 50)
                + Array(plan.count - 50...plan.count)
        #expect(plan.bytes(of: 1).lowerBound == 0, "\(hint)")
        #expect(plan.bytes(of: plan.count).upperBound == plan.sizeBytes, "\(hint)")
        for number in numbers {
            let bytes = plan.bytes(of: number)
            #expect(!bytes.isEmpty, "\(hint): part \(number)")
            if number < plan.count {
                #expect(Int64(bytes.count) == plan.partBytes, "\(hint): part \(number)")
                #expect(bytes.upperBound == plan.bytes(of: number + 1).lowerBound, "\(hint)")
            }
        }
    }

    @Test(arguments: 0..<8)
    func ourLayoutCoversEveryByteOnceInFewEnoughParts(block: Int) {
        for seed in (block * 100)..<(block + 1) * 100 {
            var random = SeededRandom(seed: UInt64(seed))
            let size = Self.size(&random)
            let wanted = max(1, min(Self.size(&random), 5 << 30))
            let plan = PartPlan.ours(sizeBytes: size, partBytes: wanted)
            let hint = "seed \(seed): \(size) in parts of \(wanted)"
            #expect(plan.count <= PartPlan.countMax, "\(hint)")
            #expect(plan.sizeBytes == size && plan.partBytes >= wanted, "\(hint)")
            let fits = (size - 1) / wanted < Int64(PartPlan.countMax)
            #expect((plan.partBytes == wanted) == fits, "\(hint): raised in vain, or not")
            expectWhole(plan, hint)
        }
    }

    @Test(arguments: 0..<8)
    func aToldLayoutIsTakenOnlyIfItAgrees(block: Int) {
        for seed in (block * 100)..<(block + 1) * 100 {
            var random = SeededRandom(seed: UInt64(seed))
            let size = Self.size(&random)
            let first = max(1, min(Self.size(&random), size), size >> 40)
            let isTrue = Bool.random(using: &random)
            let right = min((size - 1) / first, 1 << 40) + 1
            let count = Int(right) + (isTrue ? 0 : Int.random(in: 1...3, using: &random))
            let plan = PartPlan.told(sizeBytes: size, count: count, firstPartBytes: first)
            let hint = "seed \(seed): \(size), \(count) parts, the first of \(first)"
            #expect((plan != nil) == (isTrue && count <= PartPlan.countMax), "\(hint)")
            guard let plan else { continue }
            #expect(plan.count == count && plan.partBytes == first, "\(hint)")
            expectWhole(plan, hint)
        }
    }

    @Test(arguments: 0..<8)
    func aGuessedLayoutHasThatManyParts(block: Int) {
        for seed in (block * 100)..<(block + 1) * 100 {
            var random = SeededRandom(seed: UInt64(seed))
            let size = Self.size(&random)
            let count = Int.random(in: 1...PartPlan.countMax + 2, using: &random)
            let hint = "seed \(seed): \(size) in \(count) parts"
            guard let plan = PartPlan.guessed(sizeBytes: size, count: count) else {
                #expect(count > PartPlan.countMax || !isPossible(size, count), "\(hint)")
                continue
            }
            #expect(plan.count == count, "\(hint)")
            expectWhole(plan, hint)
        }
    }

    /// Whether parts of one size, the last not larger, can be so many.
    private func isPossible(_ size: Int64, _ count: Int) -> Bool {
        let least = (size - 1) / Int64(count) + 1
        return (size - 1) / least + 1 == Int64(count)
    }

    /// An object that a common program has written is divided as that did.
    @Test(arguments: [8, 5, 16, 15, 50, 64] as [Int64])
    func aGuessPrefersTheUsualSizes(mebibytes: Int64) {
        let part = mebibytes << 20
        for (count, last) in [(2, 1), (40, part), (700, part - 1), (10_000, 1)] {
            let size = part * Int64(count - 1) + last
            let plan = PartPlan.guessed(sizeBytes: size, count: count)
            #expect(plan?.count == count)
            // Of two parts many usual sizes are possible; with more of them it is this one.
            if count >= 40 {
                #expect(plan?.partBytes == part, "\(count) parts of \(mebibytes) MiB")
            }
        }
    }

    @Test func aGuessPrefersRoundSizesToOddOnes() {
        // 3 MiB is no usual size, and neither is 7 MB.
        #expect(PartPlan.guessed(sizeBytes: 300 << 20, count: 100)?.partBytes == 3 << 20)
        let sevens = PartPlan.guessed(sizeBytes: 7_000_000 * 1000, count: 1000)
        #expect(sevens?.partBytes == 7_000_000)
        #expect(PartPlan.guessed(sizeBytes: 10, count: 3)?.partBytes == 4)
    }

    @Test(
        arguments: [
            (1, 0, 1), (1, 1, 0), (1, 1, 2), (10, 2, 4), (10, 4, 4), (10, 3, -4), (10, -1, 4),
            (20_000, 20_000, 1), (10, .max, 1), (10, .min, 1),
        ] as [(Int64, Int, Int64)])
    func noLayoutIsTold(size: Int64, count: Int, first: Int64) {
        #expect(PartPlan.told(sizeBytes: size, count: count, firstPartBytes: first) == nil)
    }

    /// Six bytes cannot be four parts: of two bytes they are three, of one they are six.
    @Test(
        arguments: [
            (1, 2), (6, 4), (10, 0), (10, -1), (20_001, 10_001), (10, .max), (.max, 10_001),
        ]
            as [(Int64, Int)])
    func noLayoutIsGuessed(size: Int64, count: Int) {
        #expect(PartPlan.guessed(sizeBytes: size, count: count) == nil)
    }

    /// Sizes that no server has are still no reason to trap.
    @Test func theLargestNumberIsASize() {
        #expect(PartPlan.guessed(sizeBytes: .max, count: 1)?.partBytes == .max)
        #expect(PartPlan.told(sizeBytes: .max, count: 1, firstPartBytes: .max)?.count == 1)
        expectWhole(.ours(sizeBytes: .max, partBytes: 1), "the largest number")
        #expect(PartPlan(sizeBytes: .max, partBytes: .max - 1).bytes(of: 2).count == 1)
    }
}
