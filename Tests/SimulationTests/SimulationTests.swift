//! The simulation under test: thousands of worlds, each from a seed that can be run again.

import Glibc
import Migration
import Testing

@Suite struct SimulationTests {
    private static let blockCount = 20
    private static let seedsPerBlock: UInt64 = 100

    @Test(.enabled(if: Replay.seed == nil && Replay.seeds == nil), arguments: 0..<blockCount)
    func holds(block: Int) {
        let first = UInt64(block) * Self.seedsPerBlock
        for seed in first..<first + Self.seedsPerBlock { check(seed) }
    }

    /// `SIMULATION_SEED=n`: one world, with everything that happens in it.
    @Test(.enabled(if: Replay.seed != nil))
    func replay() throws {
        let seed = try #require(Replay.seed)
        check(seed) { print($0) }
    }

    /// `SIMULATION_SEEDS=from..to`, or a count.
    @Test(.enabled(if: Replay.seeds != nil))
    func many() throws {
        for seed in try #require(Replay.seeds) {
            // If the product traps, the last line tells where; so it must not wait in a buffer.
            let line = Array("seed \(seed)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            check(seed)
        }
    }

    private func check(_ seed: UInt64, print: ((String) -> Void)? = nil) {
        var simulation = Simulation(seed: seed, print: print)
        let violations = simulation.run()
        guard let first = violations.first else { return }
        Issue.record(
            """
            seed \(seed): \(first.rule.rawValue): \(first.message) (\(violations.count) in all)
              SIMULATION_SEED=\(seed) swift test --filter SimulationTests
            """)
    }
}

/// The simulation itself under test: a mistake that nobody notices would make it worthless.
@Suite(.enabled(if: Replay.seed == nil && Replay.seeds == nil))
struct MutationTests {
    @Test(arguments: Mutation.allCases)
    func isNoticed(mutation: Mutation) {
        for rule in mutation.rules {
            let seed = (0..<300 as Range<UInt64>).first { seed in
                var simulation = Simulation(seed: seed, mutation: mutation)
                return simulation.run().contains { $0.rule == rule }
            }
            #expect(seed != nil, "\(rule) did not notice in 300 worlds")
        }
    }

    /// What never happens is not tested.
    @Test func everythingHappens() {
        var mishaps: Set<Mishap> = []
        var outcomes: Set<Outcome.Kind> = []
        var operations: Set<String> = []
        var proofs: Set<Proof> = []
        var (knownCount, outageFaultCount) = (0, 0)
        for seed in 0..<400 as Range<UInt64> {
            var simulation = Simulation(seed: seed)
            _ = simulation.run()
            let record = simulation.world.record
            mishaps.formUnion(record.episodes.flatMap(\.steps).compactMap(\.mishap))
            outcomes.formUnion(record.episodes.compactMap(\.outcome?.kind))
            operations.formUnion(record.episodes.flatMap(\.steps).map(\.operation))
            proofs.formUnion(record.episodes.compactMap(\.outcome?.proof))
            knownCount += record.knownCount
            outageFaultCount += record.outageFaultCount
        }
        #expect(mishaps == Set(Mishap.allCases))
        #expect(operations.isSuperset(of: Self.operationsOfUploads))
        #expect(outcomes.union([.exist]) == Set(RunKind.copy.outcomes))
        #expect(proofs == Set(Proof.allCases))
        #expect(knownCount > 0)
        #expect(outageFaultCount > 100)
    }

    private static let operationsOfUploads: Set<String> = [
        "CreateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload",
        "AbortMultipartUpload", "ListMultipartUploads",
    ]

    @Test func sameSeedSameStory() {
        func story(_ seed: UInt64) -> [String] {
            var lines: [String] = []
            var simulation = Simulation(seed: seed) { lines.append($0) }
            _ = simulation.run()
            return lines
        }
        for seed in 0..<20 as Range<UInt64> { #expect(story(seed) == story(seed)) }
    }
}

/// What the environment asks for.
private enum Replay {
    static let seed = value("SIMULATION_SEED").flatMap { UInt64($0) }

    static let seeds: Range<UInt64>? = value("SIMULATION_SEEDS").flatMap { text in
        let numbers = text.split(separator: ".").compactMap { UInt64($0) }
        return switch numbers.count {
        case 1: 0..<numbers[0]
        case 2 where numbers[0] <= numbers[1]: numbers[0]..<numbers[1] + 1
        default: nil
        }
    }

    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
