//! What a server calls the content of an object.

/// An entity tag, without its quotes.
///
/// S3 says that it is the MD5 of the body for objects of a single PUT without KMS or customer keys,
/// and the MD5 of the parts' MD5s followed by `-N` for N parts (API reference, Object, ETag). Other
/// servers keep to neither, so both are guesses to be checked, never facts.
public struct ETag: Hashable, Sendable {
    public let text: String

    /// Takes the header's or XML's text, with or without quotes, weak or not.
    public init(_ raw: some StringProtocol) {
        // Bytes: as characters, a quote and an accent behind it are one, and no quote.
        var text = Substring(raw).utf8
        if text.starts(with: "W/".utf8) { text = text.dropFirst(2) }
        let quote = UInt8(ascii: "\"")
        if text.count >= 2, text.first == quote, text.last == quote {
            text = text.dropFirst().dropLast()
        }
        self.text = String(Substring(text))
    }

    /// The form for `If-Match` (RFC 9110, section 8.8.3).
    public var quoted: String { "\"\(text)\"" }

    /// The 16 bytes of the MD5 that this tag may be; nil when it cannot be one, as a placeholder.
    public var md5: [UInt8]? {
        guard text.utf8.count == 32, let digest = bytes(ofHex: Array(text.utf8)) else { return nil }
        return digest.contains { $0 != 0 } ? digest : nil
    }

    /// The number of parts when the tag has the form of a multipart object's.
    public var partCount: Int? {
        // Every object is asked, and most have no room for a number.
        guard text.utf8.count > 33 else { return nil }
        let tag = Array(text.utf8)
        guard tag[32] == UInt8(ascii: "-"), bytes(ofHex: tag[..<32]) != nil else { return nil }
        guard let count = decimalNumber(tag[33...]), count > 0 else { return nil }
        return Int(count)
    }
}

extension ETag {
    /// The tag of an object of parts with these MD5s, 16 bytes each: the MD5 of them all in a row,
    /// and their number.
    public static func composite(ofPartMD5s digests: [[UInt8]]) -> ETag {
        precondition(!digests.isEmpty, "an object has at least one part")
        precondition(digests.allSatisfy { $0.count == 16 }, "an MD5 has 16 bytes")
        let digest = MD5.digest(of: Array(digests.joined()))
        return ETag("\(hexText(digest))-\(digests.count)")
    }

    /// The hash is all zeros, as from servers under which files change without their knowing (a
    /// mounted file system): the tag says nothing of the content, and stays the same when it changes.
    public var isPlaceholder: Bool {
        var zeroCount = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-") { break }
            guard byte == UInt8(ascii: "0") else { return false }
            zeroCount += 1
        }
        return zeroCount > 0
    }
}

extension ETag {
    /// Whether it has the form of a digest: an MD5, or that of the parts' MD5s. Any other is a server's own name for a
    /// write, or the same for all, and says nothing of what another server has.
    public var isDigest: Bool { md5 != nil || partCount != nil && !isPlaceholder }
}

extension ETag: CustomStringConvertible {
    public var description: String { text }
}

/// The bytes that a text of hexadecimal digits stands for; nil when it is not one.
func bytes(ofHex digits: some Collection<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
        guard let value = hexValue(digit) else { return nil }
        if let first = high {
            result.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return result
}

private func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
