//! CRC32C and CRC64NVME: the checksums that cover a part for a fraction of what an MD5 costs.

/// An incremental CRC32C (RFC 3720, section 12.1; "Castagnoli").
public struct CRC32C: Sendable {
    private var sum = CRCSum(.crc32c)

    public init() {}

    public mutating func update(_ bytes: RawSpan) { sum.update(bytes) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe sum.update(bytes.bytes)
    }

    /// The checksum of all bytes so far.
    public var value: UInt32 { UInt32(truncatingIfNeeded: sum.value) }

    public static func value(of bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        unsafe crc.update(bytes.span.bytes)
        return crc.value
    }
}

/// An incremental CRC64NVME (NVM Express NVM Command Set Specification, section 5.2.1.3.4).
public struct CRC64NVME: Sendable {
    private var sum = CRCSum(.crc64nvme)

    public init() {}

    public mutating func update(_ bytes: RawSpan) { sum.update(bytes) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe sum.update(bytes.bytes)
    }

    /// The checksum of all bytes so far.
    public var value: UInt64 { sum.value }

    public static func value(of bytes: [UInt8]) -> UInt64 {
        var crc = CRC64NVME()
        unsafe crc.update(bytes.span.bytes)
        return crc.value
    }
}

/// A checksum in progress: both begin with all ones, and are inverted at the end.
private struct CRCSum: Sendable {
    private let polynomial: CRCPolynomial
    private var state: UInt64

    init(_ polynomial: CRCPolynomial) {
        self.polynomial = polynomial
        state = polynomial.allOnes
    }

    mutating func update(_ bytes: RawSpan) {
        state = polynomial.state(state, after: bytes)
    }

    var value: UInt64 { state ^ polynomial.allOnes }
}
