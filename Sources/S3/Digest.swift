//! Digests over bytes, by libcrypto's EVP: what the signature and the proofs of a copy are made of.

internal import CCrypto

/// An incremental MD5 (RFC 1321), the digest of `Content-MD5` and of most ETags.
public struct MD5: ~Copyable, Sendable {
    private var context = DigestContext(.md5)

    public init() {}

    public mutating func update(_ bytes: RawSpan) { context.update(bytes) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe context.update(bytes.bytes)
    }

    /// The 16 bytes of the digest.
    public consuming func finalize() -> [UInt8] { context.finish() }

    public static func digest(of bytes: RawSpan) -> [UInt8] {
        var digest = MD5()
        digest.update(bytes)
        return digest.finalize()
    }

    public static func digest(of bytes: [UInt8]) -> [UInt8] {
        unsafe digest(of: bytes.span.bytes)
    }
}

/// An incremental SHA-256 (FIPS 180-4), the digest of SigV4.
public struct SHA256: ~Copyable, Sendable {
    /// The length of the digest.
    public static let byteCount = 32

    private var context = DigestContext(.sha256)

    public init() {}

    public mutating func update(_ bytes: RawSpan) { context.update(bytes) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe context.update(bytes.bytes)
    }

    /// The 32 bytes of the digest.
    public consuming func finalize() -> [UInt8] { context.finish() }

    public static func digest(of bytes: RawSpan) -> [UInt8] {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finalize()
    }

    public static func digest(of bytes: [UInt8]) -> [UInt8] {
        unsafe digest(of: bytes.span.bytes)
    }
}

/// A digest in progress: owns one `EVP_MD_CTX`, which can be used again and copied from another.
@safe
struct DigestContext: ~Copyable, @unchecked Sendable {
    private let context: OpaquePointer
    private let byteCount: Int

    init(_ algorithm: DigestAlgorithm) {
        guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        unsafe self.context = context
        self.byteCount = algorithm.byteCount
        unsafe check(EVP_DigestInit_ex(context, algorithm.method, nil))
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
        }
    }

    mutating func update(_ bytes: [UInt8]) {
        unsafe update(bytes.span.bytes)
    }

    /// Takes over what `other` has digested so far: dearer than nothing, cheaper than digesting it
    /// again.
    mutating func copy(_ other: borrowing DigestContext) {
        unsafe check(EVP_MD_CTX_copy_ex(context, other.context))
    }

    /// Begins anew, with the same algorithm.
    mutating func restart() {
        unsafe check(EVP_DigestInit_ex(context, nil, nil))
    }

    mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        finish(into: &digest)
        return digest
    }

    /// Writes the digest over `target`, which has the digest's length.
    mutating func finish(into target: inout [UInt8]) {
        precondition(target.count == byteCount, "a digest's buffer has the digest's length")
        unsafe target.withUnsafeMutableBufferPointer { buffer in
            unsafe check(EVP_DigestFinal_ex(context, buffer.baseAddress, nil))
        }
    }
}

/// A digest method as libcrypto's providers have it, fetched once: a fetch costs more than the
/// digest of a small text.
@safe
struct DigestAlgorithm: @unchecked Sendable {
    static let md5 = DigestAlgorithm("MD5", byteCount: 16)
    static let sha256 = DigestAlgorithm("SHA256", byteCount: 32)

    let method: OpaquePointer
    let byteCount: Int

    private init(_ name: String, byteCount: Int) {
        // Whoever comes first to libcrypto decides whether it cleans up at exit.
        check(s3_crypto_init())
        guard let method = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("libcrypto offers no \(name): is it in FIPS mode?")
        }
        unsafe self.method = method
        self.byteCount = byteCount
    }
}

/// EVP's calls answer 1 or have failed; with fetched methods and own contexts only memory can be
/// lacking.
private func check(_ result: Int32) {
    precondition(result == 1, "libcrypto failed")
}
