//! Every input that taught something, once more; and what chance makes of them.

import FuzzTargets
import Glibc
import Testing

@Suite struct CorpusTests {
    /// A crash ends the whole test run, and the last line tells of which input; `make fuzz` finds more.
    @Test(arguments: FuzzTarget.allCases)
    func bearsWhatIsInTheTree(target: FuzzTarget) throws {
        let inputs = try inputs(of: target)
        #expect(inputs.count >= 3, "\(target.rawValue) has a corpus")
        for input in inputs { target.read(input) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func bearsWhatChanceMakesOfThem(target: FuzzTarget) throws {
        var random = Chance(state: 20_261_121)
        let inputs = try inputs(of: target)
        for _ in 0..<2000 {
            guard var input = inputs.randomElement(using: &random) else { return }
            for _ in 0..<Int.random(in: 1...8, using: &random) { damage(&input, &random) }
            target.read(input)
        }
    }

    private func damage(_ input: inout [UInt8], _ random: inout Chance) {
        guard let place = input.indices.randomElement(using: &random) else {
            return input.append(UInt8.random(in: 0...255, using: &random))
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: input[place] = UInt8.random(in: 0...255, using: &random)
        case 1: input.remove(at: place)
        case 2: input.insert(contentsOf: input[place...].prefix(9), at: place)
        default: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
    }

    private func inputs(of target: FuzzTarget) throws -> [[UInt8]] {
        let folder = Self.corpus + "/" + target.rawValue
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { read(folder + "/" + $0) }
    }

    private func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    private static let corpus =
        String(#filePath.dropLast("/FuzzTests/CorpusTests.swift".count)) + "/FuzzTargets/Corpus"
}

/// SplitMix64, so that the same inputs are tried each time.
private struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
