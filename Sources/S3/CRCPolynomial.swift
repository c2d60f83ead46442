//! The arithmetic of a CRC: by the processor's instructions where it has them, else by tables.

internal import CChecksum

/// A polynomial of degree 32 or 64, with all that is computed from it once.
///
/// Polynomials are reflected, as both CRCs are: the lowest bit is the highest power of x.
final class CRCPolynomial: Sendable {
    static let crc32c = CRCPolynomial(0x82f6_3b78, degree: 32)
    /// 0xad93d23594c93659 reflected.
    static let crc64nvme = CRCPolynomial(0x9a6c_9329_ac4b_c9b5, degree: 64)

    let allOnes: UInt64

    /// Eight tables in a row: what a byte becomes after 0 to 7 bytes of zeros behind it.
    private let tables: [UInt64]
    /// What moves the two halves of 16 bytes up by 64 bytes, and by 16.
    private let far: [UInt64]
    private let near: [UInt64]

    private init(_ polynomial: UInt64, degree: Int) {
        allOnes = .max >> (64 - degree)
        tables = Self.tables(polynomial)
        far = Self.powers(distanceBits: 512, polynomial, degree: degree)
        near = Self.powers(distanceBits: 128, polynomial, degree: degree)
    }

    /// The state of the CRC after `bytes`, when it was `state` before them.
    func state(_ state: UInt64, after bytes: RawSpan) -> UInt64 {
        guard Self.canFold, bytes.byteCount >= Int(S3_FOLD_MIN) else {
            return stateByTables(state, after: bytes)
        }
        let foldedCount = bytes.byteCount & ~15
        let folded = folded(bytes.extracting(first: foldedCount), state)
        let rest = bytes.extracting(droppingFirst: foldedCount)
        return unsafe stateByTables(stateByTables(0, after: folded.span.bytes), after: rest)
    }

    /// The same for any processor, eight bytes at a time.
    func stateByTables(_ state: UInt64, after bytes: RawSpan) -> UInt64 {
        var state = state
        var offset = 0
        while bytes.byteCount - offset >= 8 {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            state = shifted(state ^ UInt64(littleEndian: word))
            offset += 8
        }
        while offset < bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            state = state >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
            offset += 1
        }
        return state
    }

    private func shifted(_ word: UInt64) -> UInt64 {
        var sum: UInt64 = 0
        for place in 0..<8 {
            let byte = Int(UInt8(truncatingIfNeeded: word >> (place * 8)))
            sum ^= tables[(7 - place) * 256 + byte]
        }
        return sum
    }

    private static let canFold = s3_can_fold() != 0

    /// 16 bytes that have the same CRC from 0 on as `bytes` have from `state` on.
    private func folded(_ bytes: RawSpan, _ state: UInt64) -> [16 of UInt8] {
        var folded = [16 of UInt8](repeating: 0)
        unsafe bytes.withUnsafeBytes { bytes in
            var target = folded.mutableSpan
            unsafe target.withUnsafeMutableBytes { target in
                unsafe s3_fold(
                    bytes.baseAddress, bytes.count, state, far, near, target.baseAddress)
            }
        }
        return folded
    }
}

extension CRCPolynomial {
    private static func tables(_ polynomial: UInt64) -> [UInt64] {
        var tables = (0..<256).map { byte in
            (0..<8).reduce(UInt64(byte)) { state, _ in timesX(state, polynomial) }
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(before >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: before))])
        }
        return tables
    }

    /// For the first and the second eight of 16 bytes, the power of x that moves them up by a
    /// distance; less one, because the product of two reflected factors is one place too high.
    private static func powers(
        distanceBits: Int, _ polynomial: UInt64, degree: Int
    ) -> [UInt64] {
        [distanceBits + 63, distanceBits - 1].map { exponent in
            let one = UInt64(1) << (degree - 1)
            let power = (0..<exponent).reduce(one) { power, _ in timesX(power, polynomial) }
            return power << (64 - degree)
        }
    }

    private static func timesX(_ value: UInt64, _ polynomial: UInt64) -> UInt64 {
        value >> 1 ^ (value & 1 == 0 ? 0 : polynomial)
    }
}
