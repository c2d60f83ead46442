//! The CRCs against published vectors and against the definition, bit by bit.

import Testing

@testable import S3

@Suite struct CRCTests {
    /// The definition: one bit after the other.
    private func reference(
        _ bytes: some Sequence<UInt8>, _ polynomial: UInt64, allOnes: UInt64
    ) -> UInt64 {
        var state = allOnes
        for byte in bytes {
            state ^= UInt64(byte)
            for _ in 0..<8 { state = state >> 1 ^ (state & 1 == 0 ? 0 : polynomial) }
        }
        return state ^ allOnes
    }

    private func reference32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        UInt32(reference(bytes, 0x82f6_3b78, allOnes: 0xffff_ffff))
    }

    private func reference64(_ bytes: some Sequence<UInt8>) -> UInt64 {
        reference(bytes, 0x9a6c_9329_ac4b_c9b5, allOnes: .max)
    }

    /// The check values of the CRC catalogue, and RFC 3720, B.4.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xe306_9283), ([], 0),
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e), (Array((0..<32).reversed()), 0x113f_db5c),
        ] as [([UInt8], UInt32)])
    func crc32cOfVectors(bytes: [UInt8], value: UInt32) {
        #expect(CRC32C.value(of: bytes) == value)
        #expect(reference32(bytes) == value)
    }

    /// The check value of the CRC catalogue, and NVM Command Set Specification, section 5.2.1.3.5: 4 KiB each.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xae8b_1486_0a79_9888), ([], 0),
            ([UInt8](repeating: 0, count: 4096), 0x6482_d367_eb22_b64e),
            ([UInt8](repeating: 0xff, count: 4096), 0xc0dd_ba73_02ec_a3ac),
            ((0..<4096).map { UInt8(truncatingIfNeeded: $0) }, 0x3e72_9f5f_6750_449c),
            ((0..<4096).map { ~UInt8(truncatingIfNeeded: $0) }, 0x9a2d_f64b_8e9e_517e),
        ] as [([UInt8], UInt64)])
    func crc64nvmeOfVectors(bytes: [UInt8], value: UInt64) {
        #expect(CRC64NVME.value(of: bytes) == value)
        #expect(reference64(bytes) == value)
    }

    /// Every length around the blocks of 8, 16 and 64 bytes, at every alignment.
    @Test(arguments: 0..<16)
    func everyLengthAtEveryAlignment(start: Int) {
        var random = SeededGenerator(seed: UInt64(start))
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
        for end in start...bytes.count {
            let piece = bytes[start..<end]
            var (crc32c, crc64nvme) = (CRC32C(), CRC64NVME())
            piece.withUnsafeBytes {
                crc32c.update($0)
                crc64nvme.update($0)
            }
            #expect(crc32c.value == reference32(piece))
            #expect(crc64nvme.value == reference64(piece))
        }
    }

    /// What a processor without the instructions computes.
    @Test func tablesAgree() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            let count = Int.random(in: 0...2000, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            for polynomial in [CRCPolynomial.crc32c, .crc64nvme] {
                let before = UInt64.random(in: 0...polynomial.allOnes, using: &random)
                #expect(
                    polynomial.stateByTables(before, after: bytes.span.bytes)
                        == polynomial.state(before, after: bytes.span.bytes))
            }
        }
        let digits = Array("123456789".utf8)
        let value = CRCPolynomial.crc32c.stateByTables(0xffff_ffff, after: digits.span.bytes)
        #expect(value ^ 0xffff_ffff == 0xe306_9283)
    }

    @Test(arguments: 0..<8)
    func piecesSumAsTheWhole(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var (crc32c, crc64nvme) = (CRC32C(), CRC64NVME())
        var start = 0
        while start < bytes.count {
            let longest = [3, 64, 5000].randomElement(using: &random) ?? 1
            let end = min(bytes.count, start + Int.random(in: 0...longest, using: &random))
            bytes[start..<end].withUnsafeBytes {
                crc32c.update($0)
                crc64nvme.update($0)
            }
            start = end
            // A value may be asked for on the way.
            #expect(crc32c.value == CRC32C.value(of: Array(bytes[..<end])))
        }
        #expect(crc32c.value == CRC32C.value(of: bytes))
        #expect(crc64nvme.value == CRC64NVME.value(of: bytes))
        #expect(crc64nvme.value == reference64(bytes))
    }
}
