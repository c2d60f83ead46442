//! Bytes as text: hexadecimal, Base64, percent-encoding, and text that is safe to show.

internal import CCrypto

/// The digits of `bytes` in lower case.
public func hexText(_ bytes: some Collection<UInt8>) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    appendHex(bytes, to: &digits)
    return String(decoding: digits, as: UTF8.self)
}

/// Base64 with padding (RFC 4648, section 4), as `Content-MD5` wants it.
public func base64Text(_ bytes: [UInt8]) -> String {
    let capacity = (bytes.count + 2) / 3 * 4 + 1
    let text = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        count = unsafe Int(EVP_EncodeBlock(buffer.baseAddress, bytes, Int32(bytes.count)))
    }
    return String(decoding: text, as: UTF8.self)
}

func appendHex(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
    var place = text.count
    text.append(contentsOf: repeatElement(0, count: bytes.count * 2))
    var digits = text.mutableSpan
    for byte in bytes {
        digits[place] = lowerHexDigit(byte >> 4)
        digits[place + 1] = lowerHexDigit(byte & 15)
        place += 2
    }
}

/// Appends `bytes` as SigV4's UriEncode does: everything but `A-Z a-z 0-9 - . _ ~` becomes `%XY`
/// with upper-case digits; `/` stays itself in a path ("Create a canonical request", UriEncode).
func appendPercentEncoded(
    _ bytes: some Sequence<UInt8>, keepsSlash: Bool = false, to text: inout [UInt8]
) {
    for byte in bytes {
        if isUnreserved(byte) || (keepsSlash && byte == UInt8(ascii: "/")) {
            text.append(byte)
        } else {
            text.append(UInt8(ascii: "%"))
            text.append(upperHexDigit(byte >> 4))
            text.append(upperHexDigit(byte & 15))
        }
    }
}

/// `text` for a log or a terminal: control and format characters (also those that turn the
/// direction of writing) become spaces, runs of spaces one, and at most `countMax` characters are
/// kept.
func shownText(_ text: some StringProtocol, countMax: Int) -> String {
    var shown = String.UnicodeScalarView()
    var count = 0
    var isAfterSpace = true
    for scalar in text.unicodeScalars {
        let isSpace = scalar.properties.isWhitespace || !isPrintable(scalar)
        if isSpace && isAfterSpace { continue }
        if count == countMax { break }
        shown.append(isSpace ? " " : scalar)
        isAfterSpace = isSpace
        count += 1
    }
    if shown.last == " " { shown.removeLast() }
    return String(shown)
}

private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator, .unassigned: false
    default: true
    }
}

@inline(__always)
private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        true
    default: false
    }
}

@inline(__always)
private func lowerHexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
}

@inline(__always)
private func upperHexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
}
