//! Characters that XML cannot hold: mended where servers send them, escaped where we do.

/// The document with every character that XML 1.0 (section 2.2) forbids replaced by U+FFFD, written
/// as it is or as a reference (`&#x8;`), and with bytes that are no UTF-8 repaired; nil when there
/// was nothing to mend.
func mendedXML(_ bytes: [UInt8]) -> [UInt8]? {
    let source = withoutForbiddenCharacters(bytes)
    var mended: [UInt8] = []
    mended.reserveCapacity(source.count)
    var index = 0
    while index < source.count {
        if let end = endOfForbiddenReference(source, from: index) {
            mended.append(contentsOf: "\u{fffd}".utf8)
            index = end
        } else {
            mended.append(source[index])
            index += 1
        }
    }
    return mended == bytes ? nil : mended
}

/// `text` for the content of an element; control characters become references, since a bare
/// carriage return would be read as a newline (XML 1.0, section 2.11).
func appendXMLEscaped(_ text: String, to xml: inout [UInt8]) {
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "&"): xml.append(contentsOf: "&amp;".utf8)
        case UInt8(ascii: "<"): xml.append(contentsOf: "&lt;".utf8)
        case UInt8(ascii: ">"): xml.append(contentsOf: "&gt;".utf8)
        case UInt8(ascii: "\""): xml.append(contentsOf: "&quot;".utf8)
        case UInt8(ascii: "'"): xml.append(contentsOf: "&apos;".utf8)
        case 0..<0x20, 0x7f: xml.append(contentsOf: "&#x\(String(byte, radix: 16));".utf8)
        default: xml.append(byte)
        }
    }
}

/// The repair of UTF-8 is `String`'s own.
private func withoutForbiddenCharacters(_ bytes: [UInt8]) -> [UInt8] {
    var text = String.UnicodeScalarView()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
        text.append(isXMLCharacter(scalar.value) ? scalar : "\u{fffd}")
    }
    return Array(String(text).utf8)
}

/// Where the character reference that begins at `start` ends, when there is one and it stands for a
/// forbidden character.
private func endOfForbiddenReference(_ text: [UInt8], from start: Int) -> Int? {
    guard text[start] == UInt8(ascii: "&"), text[start...].starts(with: "&#".utf8) else {
        return nil
    }
    let limit = min(start + 16, text.count)
    guard let end = text[start..<limit].firstIndex(of: UInt8(ascii: ";")) else { return nil }
    let digits = String(decoding: text[start + 2..<end], as: UTF8.self)
    let value =
        digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    guard let value, !isXMLCharacter(value) else { return nil }
    return end + 1
}

private func isXMLCharacter(_ value: UInt32) -> Bool {
    switch value {
    case 0x09, 0x0a, 0x0d, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: true
    default: false
    }
}
