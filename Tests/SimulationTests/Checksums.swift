//! The CRCs of S3 bit by bit, apart from the product's own, so that each can be held against the other.

import S3

extension Body {
    /// As the product's digests of the bytes would be: the same for the same bytes.
    func digest(_ algorithm: BodyDigest.Algorithm) -> BodyDigest {
        switch algorithm {
        case .md5: .md5(md5)
        case .sha256: .sha256(sha256)
        case .crc32c: .crc32c(BitwiseCRC.crc32c(fingerprint))
        case .crc64nvme: .crc64nvme(BitwiseCRC.crc64nvme(fingerprint))
        }
    }

    /// What `x-amz-checksum-…` has to say; nil for an algorithm that the world does not know.
    func checksum(_ name: String) -> String? {
        switch name {
        case "crc32c": bigEndianBase64(BitwiseCRC.crc32c(fingerprint))
        case "crc64nvme": bigEndianBase64(BitwiseCRC.crc64nvme(fingerprint))
        default: nil
        }
    }
}

/// Reflected, begun and ended with all bits set, as both of S3's are.
enum BitwiseCRC {
    /// Castagnoli (RFC 3720, appendix B.4).
    static func crc32c(_ bytes: [UInt8]) -> UInt32 { crc(bytes, polynomial: 0x82f6_3b78) }

    /// NVM Express (NVM Command Set 1.0, section 5.2.1.3.4).
    static func crc64nvme(_ bytes: [UInt8]) -> UInt64 {
        crc(bytes, polynomial: 0x9a6c_9329_ac4b_c9b5)
    }

    private static func crc<Number: FixedWidthInteger & UnsignedInteger>(
        _ bytes: [UInt8], polynomial: Number
    ) -> Number {
        var value = Number.max
        for byte in bytes {
            value ^= Number(byte)
            for _ in 0..<8 { value = (value >> 1) ^ (value & 1 == 1 ? polynomial : 0) }
        }
        return ~value
    }
}

private func bigEndianBase64<Number: FixedWidthInteger>(_ value: Number) -> String {
    let bytes = (0..<Number.bitWidth / 8).reversed()
        .map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    return base64Text(bytes)
}
