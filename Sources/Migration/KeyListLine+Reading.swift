//! The reading half of a key list's line: unescaping in place, and the columns behind the key.

public import S3

extension KeyListLine {
    /// Reads a line, given without its newline.
    public init(parsing line: Span<UInt8>) throws(ListLineError) {
        guard line.count > 0 else { throw .empty }
        guard line.count <= Self.byteCountMax else { throw .lineTooLong }
        guard line[line.count - 1] != Self.carriageReturn else { throw .carriageReturn }
        let keyEnd = line.indices.first { line[$0] == Self.tab } ?? line.count
        let key = try Self.unescape(line.extracting(..<keyEnd))
        let columns = try ListColumns(line, from: keyEnd)
        self.init(
            key: key, sizeBytes: try columns.sizeBytes(in: line),
            modified: columns.modified(in: line), etag: columns.etag(in: line))
    }

    /// Checks the rest of a line, from the first tab on; gives the size that it tells, and how many columns
    /// there are. Nothing at all is fine.
    public static func checkColumns(
        _ rest: Span<UInt8>
    ) throws(ListLineError) -> (sizeBytes: Int64?, count: Int) {
        guard !rest.isEmpty else { return (nil, 0) }
        let size = try ListColumns(rest, from: 0).sizeBytes(in: rest)
        return (size, rest.indices.count { rest[$0] == tab })
    }

    /// The key that the first column of a line, or `cut -f1`, shows as `text`.
    public static func unescape(_ text: Span<UInt8>) throws(ListLineError) -> ObjectKey {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in text.indices { bytes.append(text[index]) }
        var span = bytes.mutableSpan
        let count = try unescape(&span, in: 0..<text.count)
        bytes.removeSubrange(count...)
        return ObjectKey(bytes)
    }

    /// Turns the first column of a line into the key, in place; gives the key's length.
    ///
    /// A key is never longer than its written form, so the key stands where that began.
    public static func unescape(
        _ bytes: inout MutableSpan<UInt8>, in range: Range<Int>
    ) throws(ListLineError) -> Int {
        var end = range.upperBound
        if !range.isEmpty, bytes[range.lowerBound] == backslash {
            var reader = range.lowerBound + 1
            end = range.lowerBound
            while reader < range.upperBound {
                bytes[end] = try unescaped(bytes, at: &reader, in: range)
                end += 1
            }
            // A key that needs no escape is never written with one, so this is a plain list's `\name`.
            guard range.count == 1 || end - range.lowerBound < range.count - 1 else {
                throw .plainBackslash
            }
        }
        let count = end - range.lowerBound
        guard count > 0 else { throw .empty }
        guard count <= ObjectKey.byteCountMax else { throw .keyTooLong }
        for index in range.lowerBound..<end where bytes[index] == 0 { throw .nul }
        return count
    }

    /// The byte that stands at `reader`, which moves behind it.
    private static func unescaped(
        _ bytes: borrowing MutableSpan<UInt8>, at reader: inout Int, in range: Range<Int>
    ) throws(ListLineError) -> UInt8 {
        let start = reader
        reader += 1
        guard bytes[start] == backslash else { return bytes[start] }
        let bad = ListLineError.badEscape(offset: start - range.lowerBound)
        guard reader < range.upperBound else { throw bad }
        reader += 1
        switch bytes[start + 1] {
        case backslash: return backslash
        case UInt8(ascii: "t"): return tab
        case UInt8(ascii: "n"): return newline
        case UInt8(ascii: "r"): return carriageReturn
        case UInt8(ascii: "x"):
            reader += 2
            guard reader <= range.upperBound, let high = hexValue(bytes[start + 2]),
                let low = hexValue(bytes[start + 3])
            else { throw bad }
            return high << 4 | low
        default: throw bad
        }
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Where the columns behind the key stand in a line.
struct ListColumns {
    private var ranges: [3 of Range<Int>]

    /// `from` is the place of the tab behind the key, or the line's end.
    init(_ line: Span<UInt8>, from keyEnd: Int) throws(ListLineError) {
        guard line.count - keyEnd <= KeyListLine.columnsByteCountMax else {
            throw .columnsTooLong
        }
        ranges = InlineArray(repeating: 0..<0)
        var number = 2
        var start = keyEnd + 1
        while start <= line.count {
            guard number <= 4 else { throw .badColumn(number) }
            var end = start
            while end < line.count, line[end] != KeyListLine.tab { end += 1 }
            guard start < end else { throw .badColumn(number) }
            ranges[number - 2] = start..<end
            number += 1
            start = end + 1
        }
    }

    func sizeBytes(in line: Span<UInt8>) throws(ListLineError) -> Int64? {
        let range = ranges[0]
        guard !isUnknown(range, in: line) else { return nil }
        var value: Int64 = 0
        for index in range {
            let digit = line[index] &- UInt8(ascii: "0")
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            guard digit < 10, !overflow, tenfold <= .max - Int64(digit) else { throw .badColumn(2) }
            value = tenfold + Int64(digit)
        }
        return value
    }

    func modified(in line: Span<UInt8>) -> String? { text(ranges[1], in: line) }

    func etag(in line: Span<UInt8>) -> ETag? { text(ranges[2], in: line).map { ETag($0) } }

    /// What is no UTF-8 is not known: repaired, it would be another text, and two of them perhaps the same one.
    private func text(_ range: Range<Int>, in line: Span<UInt8>) -> String? {
        isUnknown(range, in: line)
            ? nil : String(validating: range.map { line[$0] }, as: UTF8.self)
    }

    private func isUnknown(_ range: Range<Int>, in line: Span<UInt8>) -> Bool {
        range.isEmpty || (range.count == 1 && line[range.lowerBound] == UInt8(ascii: "-"))
    }
}
