//! A digest of a request's body that the server compares with what it received.

internal import CCrypto

/// The digest of one body, in one of the ways in which a server can be made to check it.
///
/// S3 User Guide, "Checking object integrity"; for `md5` and `sha256` RFC 1864 and SigV4.
public enum BodyDigest: Hashable, Sendable {
    /// `x-amz-checksum-crc32c`.
    case crc32c(UInt32)
    /// `x-amz-checksum-crc64nvme`.
    case crc64nvme(UInt64)
    /// The 32 bytes that the signature covers (`x-amz-content-sha256`).
    case sha256([UInt8])
    /// The 16 bytes of `Content-MD5`.
    case md5([UInt8])

    /// In the order of what they cost, the cheapest first.
    public enum Algorithm: String, Sendable, CaseIterable, Codable {
        case crc32c
        case crc64nvme
        case sha256
        case md5
    }

    public var algorithm: Algorithm {
        switch self {
        case .crc32c: .crc32c
        case .crc64nvme: .crc64nvme
        case .sha256: .sha256
        case .md5: .md5
        }
    }

    /// The digest as S3 writes it: Base64 of its bytes, a number's most significant byte first.
    var base64: String { base64Text(bytes) }

    private var bytes: [UInt8] {
        switch self {
        case .crc32c(let value): bigEndianBytes(value)
        case .crc64nvme(let value): bigEndianBytes(value)
        case .sha256(let bytes), .md5(let bytes): bytes
        }
    }
}

extension BodyDigest {
    /// Adds the digest to the request of a body, where its algorithm has its place.
    func cover(_ request: inout Request) {
        switch self {
        case .crc32c: request.headers.append("x-amz-checksum-crc32c", base64)
        case .crc64nvme: request.headers.append("x-amz-checksum-crc64nvme", base64)
        case .sha256(let bytes):
            precondition(bytes.count == SHA256.byteCount, "a SHA-256 has 32 bytes")
            request.payloadHash = .sha256(bytes)
        case .md5(let bytes):
            precondition(bytes.count == 16, "an MD5 has 16 bytes")
            request.headers.append("content-md5", base64)
        }
    }

    /// Reads the `ChecksumCRC32C` of an answer; nil for a text that is none.
    init?(crc32c text: String) {
        guard let value = bigEndian(UInt32.self, ofBase64: text) else { return nil }
        self = .crc32c(value)
    }

    /// Reads the `ChecksumCRC64NVME` of an answer; nil for a text that is none.
    init?(crc64nvme text: String) {
        guard let value = bigEndian(UInt64.self, ofBase64: text) else { return nil }
        self = .crc64nvme(value)
    }
}

private func bigEndianBytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

private func bigEndian<Number: FixedWidthInteger & UnsignedInteger>(
    _: Number.Type, ofBase64 text: String
) -> Number? {
    let byteCount = Number.bitWidth / 8
    // libcrypto is lenient about what it decodes; only the one spelling of these bytes counts.
    guard let bytes = base64Bytes(text)?.prefix(byteCount), bytes.count == byteCount,
        base64Text(Array(bytes)) == text
    else { return nil }
    return bytes.reduce(0) { $0 << 8 | Number($1) }
}

/// What `text` decodes to, and a zero for each `=` of its padding.
private func base64Bytes(_ text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard !characters.isEmpty, characters.count <= 64 else { return nil }
    var bytes = [UInt8](repeating: 0, count: characters.count)
    let count = unsafe EVP_DecodeBlock(&bytes, characters, Int32(characters.count))
    return count < 0 ? nil : Array(bytes.prefix(Int(count)))
}
