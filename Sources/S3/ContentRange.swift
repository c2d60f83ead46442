//! Ranges of an object's bytes, as requests ask for them and answers tell them.

/// Which bytes an answer holds, and of how many (RFC 9110, section 14.4).
struct ContentRange: Equatable {
    /// Half-open: `bytes 0-9/100` is 0..<10.
    let bytes: Range<Int64>
    let totalSizeBytes: Int64

    /// Parses `bytes FIRST-LAST/TOTAL`. nil for anything else, also for an unknown total (`*`) and
    /// for numbers that contradict each other.
    init?(_ value: some Collection<UInt8>) {
        guard let (range, total) = Self.sides(value),
            let dash = range.firstIndex(of: UInt8(ascii: "-")),
            let first = decimalNumber(range[..<dash]),
            let last = decimalNumber(range[range.index(after: dash)...]),
            let totalSizeBytes = decimalNumber(total), first <= last, last < totalSizeBytes
        else { return nil }
        self.bytes = first..<last + 1
        self.totalSizeBytes = totalSizeBytes
    }

    /// The total of `bytes */TOTAL`, which comes with a 416.
    static func unsatisfiedTotal(_ value: some Collection<UInt8>) -> Int64? {
        guard let (range, total) = sides(value), range.elementsEqual("*".utf8) else { return nil }
        return decimalNumber(total)
    }

    /// `bytes=FIRST-LAST` (RFC 9110, section 14.2).
    static func header(_ bytes: Range<Int64>) -> String {
        precondition(!bytes.isEmpty && bytes.lowerBound >= 0, "a range has bytes")
        return "bytes=\(bytes.lowerBound)-\(bytes.upperBound - 1)"
    }

    /// What stands before and after the slash of `bytes …/…`.
    private static func sides<Bytes: Collection<UInt8>>(
        _ value: Bytes
    ) -> (range: Bytes.SubSequence, total: Bytes.SubSequence)? {
        let unit = value.prefix(6)
        guard unit.map(asciiLowered).elementsEqual("bytes ".utf8) else { return nil }
        let rest = value[unit.endIndex...]
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        return (rest[..<slash], rest[rest.index(after: slash)...])
    }
}
