//! The quick way through a list: lines that need no care, eight bytes at a time.

internal import S3

/// A line that needed no care, by places in the bytes that it stands in.
struct PlainLine {
    var keyEnd: Int
    /// Where the line behind it begins.
    var next: Int
    var sizeBytes: Int64?
    /// The fourth column; empty where there is none.
    var etag: Range<Int>
}

/// Plain lines of a chunk, one after the other: a key as it is, above the key before it, without control bytes, and
/// perhaps columns.
///
/// Nothing here fails: at a line that is anything else, in order or not, it stops, and `ListCursor`, which knows what
/// can be wrong with a line, takes that one. Few lists have many lines that are not plain.
struct PlainLines {
    /// The key of the line that was passed last.
    private(set) var key: Range<Int>
    /// What that line tells of the object's size.
    private(set) var sizeBytes: Int64?
    /// Where the next line begins.
    private(set) var next: Int
    /// How many lines were passed.
    private(set) var count = 0
    /// Where the bytes end.
    private let end: Int

    /// `key` is the one before `next`; behind it stands a tab or a newline.
    init(behind key: Range<Int>, next: Int, end: Int) {
        precondition(key.lowerBound >= 0 && key.upperBound < next && next <= end)
        self.key = key
        self.next = next
        self.end = end
    }

    /// Passes the next line, if it is plain.
    @inline(__always)
    mutating func pass(in bytes: Span<UInt8>) -> Bool {
        guard let keyEnd = keyEnd(in: bytes, like: bytes, at: next, end: end) else { return false }
        if bytes[keyEnd] == KeyListLine.newline {
            takeBareKey(endingAt: keyEnd)
        } else {
            guard let line = PlainLine(behind: keyEnd, in: bytes, end: end) else { return false }
            take(line)
        }
        return true
    }

    /// Passes the next line here and in another chunk, if both are plain and have the same key; as the last ones had,
    /// so that one look at the order is enough. Nor must there be two ETags that look different.
    @inline(__always)
    mutating func pass(
        in bytes: Span<UInt8>, with other: inout PlainLines, in others: Span<UInt8>
    ) -> Bool {
        guard let keyEnd = keyEnd(in: bytes, like: others, at: other.next, end: other.end)
        else { return false }
        let otherKeyEnd = other.next + keyEnd - next
        if bytes[keyEnd] == KeyListLine.newline, others[otherKeyEnd] == KeyListLine.newline {
            takeBareKey(endingAt: keyEnd)
            other.takeBareKey(endingAt: otherKeyEnd)
        } else {
            guard let line = PlainLine(behind: keyEnd, in: bytes, end: end),
                let otherLine = PlainLine(behind: otherKeyEnd, in: others, end: other.end),
                line.etag.isEmpty || otherLine.etag.isEmpty
                    || bytes.order(of: line.etag, to: otherLine.etag, in: others) == 0
            else { return false }
            take(line)
            other.take(otherLine)
        }
        return true
    }

    @inline(__always)
    private mutating func takeBareKey(endingAt keyEnd: Int) {
        key = next..<keyEnd
        sizeBytes = nil
        next = keyEnd + 1
        count += 1
    }

    private mutating func take(_ line: PlainLine) {
        takeBareKey(endingAt: line.keyEnd)
        sizeBytes = line.sizeBytes
        next = line.next
    }

    /// The end of the next line's key: the line's first control byte, whichever it is. The key is above the one before
    /// it, and stands in `others` too. At least one byte is left over behind the end.
    ///
    /// Bytes are ordered as keys are here, since what ends a key is below all that such a key has.
    @inline(__always)
    private func keyEnd(
        in bytes: Span<UInt8>, like others: Span<UInt8>, at otherNext: Int, end otherEnd: Int
    ) -> Int? {
        precondition(end <= bytes.count && otherEnd <= others.count && otherNext >= 0)
        // At this place and before it, all three words lie in the spans.
        let last = min(end - next, otherEnd - otherNext, ObjectKey.byteCountMax + 9) - 9
        var isAbove = false
        var place = 0
        while place <= last {
            let word = unsafe bytes.word(at: next &+ place)
            let twin = unsafe others.word(at: otherNext &+ place)
            let below = unsafe bytes.word(at: key.lowerBound &+ place)
            let control = word.firstControlByte
            guard control == 0 else {
                let bits = UInt64(control.trailingZeroBitCount &- 7)
                let mask = (1 &<< bits) &- 1 as UInt64
                guard (word ^ twin) & mask == 0,
                    isAbove || (word & mask).bigEndian > (below & mask).bigEndian,
                    bytes[next] != KeyListLine.backslash
                else { return nil }
                let count = place &+ Int(bits / 8)
                return count <= ObjectKey.byteCountMax ? next &+ count : nil
            }
            guard word == twin else { return nil }
            if !isAbove, word != below {
                guard word.bigEndian > below.bigEndian else { return nil }
                isAbove = true
            }
            place &+= 8
        }
        return nil
    }
}

extension PlainLine {
    /// Columns that are longer are left to the reader that knows how long they may be.
    private static let columnsByteCountMax = 256

    /// The rest of a line, from the end of its key on; nil where it is not plain.
    ///
    /// At least one byte is left over behind it, so that a chunk's last line, which has checks of its own, is none.
    @inline(never)
    init?(behind keyEnd: Int, in bytes: Span<UInt8>, end: Int) {
        self.init(keyEnd: keyEnd, next: keyEnd + 1, sizeBytes: nil, etag: keyEnd..<keyEnd)
        guard keyEnd + 1 < end else { return nil }
        if bytes[keyEnd] == KeyListLine.newline { return }
        guard bytes[keyEnd] == KeyListLine.tab, readColumns(in: bytes, end: end) else { return nil }
    }

    /// Reads the columns; false where they are not plain.
    private mutating func readColumns(in bytes: Span<UInt8>, end: Int) -> Bool {
        guard var place = readSize(in: bytes, end: end) else { return false }
        for column in 3...5 {
            // Here stands what ended the column before.
            next = place + 1
            guard next < end else { return false }
            if bytes[place] == KeyListLine.newline { return true }
            guard bytes[place] == KeyListLine.tab, column < 5,
                let columnEnd = bytes.controlByte(from: next, end: end), columnEnd > next,
                columnEnd - keyEnd <= Self.columnsByteCountMax
            else { return false }
            if column == 4 { etag = next..<columnEnd }
            place = columnEnd
        }
        return false
    }

    /// Reads the size, or the `-` in its place; gives where it ends.
    private mutating func readSize(in bytes: Span<UInt8>, end: Int) -> Int? {
        var place = keyEnd + 1
        if place < end, bytes[place] == UInt8(ascii: "-") {
            return place + 1 < end ? place + 1 : nil
        }
        var value: Int64 = 0
        // As many digits as always fit.
        let last = min(end, keyEnd + 19)
        while place < last {
            let digit = bytes[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ Int64(digit)
            place += 1
        }
        guard place > keyEnd + 1, place < end else { return nil }
        sizeBytes = value
        return place
    }
}

extension Span<UInt8> {
    /// Eight bytes, the first one lowest. The caller sees to it that they lie inside.
    @inline(__always)
    @unsafe
    fileprivate func word(at place: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: place, as: UInt64.self))
    }

    /// Where the first byte below 0x20 stands; nil where there is none well before `end`.
    fileprivate func controlByte(from start: Int, end: Int) -> Int? {
        precondition(start >= 0 && end <= count)
        var place = start
        while place + 8 <= end {
            let control = unsafe word(at: place).firstControlByte
            guard control == 0 else { return place + control.trailingZeroBitCount / 8 }
            place += 8
        }
        return nil
    }
}

extension UInt64 {
    /// The high bit of the lowest byte below 0x20, and no lower bit; 0 where there is no such byte.
    @inline(__always)
    fileprivate var firstControlByte: UInt64 {
        // Such a byte borrows into its high bit. Above it the borrow can spoil other bytes.
        (self &- 0x2020_2020_2020_2020) & ~self & 0x8080_8080_8080_8080
    }
}
