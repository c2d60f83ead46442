//! The host of an endpoint in the one form that is signed and sent.

/// The host in libcurl's own form, so that the `Host` field it writes is the one that was signed.
func endpointHost(_ text: Substring) throws(EndpointError) -> String {
    guard !text.isEmpty else { throw .hostEmpty }
    if text.hasPrefix("[") {
        guard text.hasSuffix("]") else { throw .host("\"[\" without \"]\"") }
        guard let groups = ipv6Groups(text.dropFirst().dropLast()) else {
            throw .host("what stands in brackets is no IPv6 address (zones are not supported)")
        }
        return ipv6Text(groups)
    }
    let name = text.lowercased()
    guard name.utf8.allSatisfy(isHostByte) else {
        throw .host("only letters, digits, \"-\", \".\" and \"_\" may stand in a name")
    }
    try checkLabels(name)
    return name
}

/// libcurl takes `127.1` and `0x7f.1` as addresses and writes them anew, and a dot at the end is
/// treated differently by different versions: such hosts would be signed in one form and sent in
/// another.
private func checkLabels(_ name: String) throws(EndpointError) {
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.allSatisfy({ (1...63).contains($0.utf8.count) }), name.utf8.count <= 253 else {
        throw .host("a label between dots is empty or too long")
    }
    guard let last = labels.last, isNumeric(last) else { return }
    guard labels.count == 4, labels.allSatisfy(isIPv4Octet) else {
        throw .host("an IPv4 address has four decimal numbers from 0 to 255")
    }
}

private func isNumeric(_ label: Substring) -> Bool {
    label.utf8.allSatisfy(isDigit)
        || (label.hasPrefix("0x") && Int(label.dropFirst(2), radix: 16) != nil)
        || label == "0x"
}

private func isIPv4Octet(_ label: Substring) -> Bool {
    guard label.utf8.allSatisfy(isDigit), let value = UInt8(label) else { return false }
    return label == String(value)
}

private func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
    default: false
    }
}

func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// The eight groups of an IPv6 address (RFC 4291, section 2.2); nil when it is none.
private func ipv6Groups(_ text: Substring) -> [UInt16]? {
    guard let gap = text.firstRange(of: "::") else {
        return groups(of: text).flatMap { $0.count == 8 ? $0 : nil }
    }
    guard let head = groups(of: text[..<gap.lowerBound], isLast: false),
        let tail = groups(of: text[gap.upperBound...]), head.count + tail.count <= 7
    else { return nil }
    return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
}

private func groups(of text: Substring, isLast: Bool = true) -> [UInt16]? {
    if text.isEmpty { return [] }
    var pieces = text.split(separator: ":", omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    var ipv4: [UInt16] = []
    if isLast, let last = pieces.last, last.contains(".") {
        guard let pair = ipv4Groups(last) else { return nil }
        ipv4 = pair
        pieces.removeLast()
    }
    for piece in pieces {
        guard (1...4).contains(piece.utf8.count),
            piece.utf8.allSatisfy({ isDigit($0) || isHexLetter($0) }),
            let group = UInt16(piece, radix: 16)
        else { return nil }
        groups.append(group)
    }
    return groups + ipv4
}

private func ipv4Groups(_ text: Substring) -> [UInt16]? {
    let octets = text.split(separator: ".", omittingEmptySubsequences: false)
    guard octets.count == 4, octets.allSatisfy(isIPv4Octet) else { return nil }
    let values = octets.compactMap { UInt16($0) }
    return [values[0] << 8 | values[1], values[2] << 8 | values[3]]
}

private func isHexLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
}

/// The shortest form (RFC 5952): the longest run of two or more zero groups, the first if there are
/// several, becomes `::`.
private func ipv6Text(_ groups: [UInt16]) -> String {
    func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard let gap = longestZeroRun(groups) else { return joined(groups[...]) }
    return joined(groups[..<gap.lowerBound]) + "::" + joined(groups[gap.upperBound...])
}

private func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
    var longest: Range<Int>?
    var start = 0
    for index in groups.indices {
        if groups[index] != 0 { start = index + 1 }
        let run = start..<index + 1
        if run.count > max(1, longest?.count ?? 1) { longest = run }
    }
    return longest
}
