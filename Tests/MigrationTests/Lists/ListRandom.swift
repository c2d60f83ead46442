//! Random keys that a seed brings back.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine.
struct ListRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 1 to `countMax` bytes, rich in what lists must escape and in what sorts around `/`.
    mutating func keyBytes(countMax: Int) -> [UInt8] {
        let rich = Array("\\\\\t\n\r//ab-.é\u{1}".utf8) + [0xFF, 0xC3, 0x80]
        return (0..<Int.random(in: 1...countMax, using: &self)).map { _ in
            Bool.random(using: &self)
                ? UInt8.random(in: 1...255, using: &self) : rich.randomElement(using: &self) ?? 1
        }
    }
}
