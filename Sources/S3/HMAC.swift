//! HMAC-SHA256, the step that turns a secret into a signature.

/// A key for HMAC-SHA256 (RFC 2104), ready for many messages: both pads are digested once.
struct HMACKey: ~Copyable, Sendable {
    private static let blockByteCount = 64

    private var inner = DigestContext(.sha256)
    private var outer = DigestContext(.sha256)
    private var work = DigestContext(.sha256)

    init(_ key: [UInt8]) {
        let key = key.count > Self.blockByteCount ? SHA256.digest(of: key) : key
        var pad = [UInt8](repeating: 0x36, count: Self.blockByteCount)
        for index in key.indices { pad[index] ^= key[index] }
        inner.update(pad)
        for index in pad.indices { pad[index] ^= 0x36 ^ 0x5c }
        outer.update(pad)
    }

    /// Writes the 32 bytes of the code over `code`.
    mutating func authenticate(_ message: [UInt8], into code: inout [UInt8]) {
        work.copy(inner)
        work.update(message)
        work.finish(into: &code)
        work.copy(outer)
        work.update(code)
        work.finish(into: &code)
    }
}

/// HMAC-SHA256 in one go.
public enum HMACSHA256 {
    /// The 32 bytes of the code of `message` under `key`, which may have any length.
    public static func code(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        var key = HMACKey(key)
        key.authenticate(message, into: &code)
        return code
    }
}
