//! The quick way through a list: lines that need no care, eight bytes at a time.

internal import S3

/// Plain lines of a chunk, one after the other: a bare key without control bytes, above the key before it.
///
/// Nothing here fails: at a line that is anything else, in order or not, it stops, and `ListCursor`, which knows what
/// can be wrong with a line, takes that one. Most lists have few such lines or none.
struct PlainLines {
    /// Where the line before `next` begins; it ends in a newline, too.
    private(set) var previous: Int
    /// Where the next line begins.
    private(set) var next: Int
    /// How many lines were passed.
    private(set) var count = 0
    /// At least one byte is left over, so that a chunk's last line, which has checks of its own, is never passed.
    private let end: Int

    /// `end` is where the bytes end; beyond the newline of the last line that can be passed some are looked at.
    init(previous: Int, next: Int, end: Int) {
        precondition(previous >= 0 && previous < next && next <= end)
        self.previous = previous
        self.next = next
        self.end = end
    }

    /// The same lines as far as another chunk can have them too, whose next one begins `distance` bytes further on.
    func limited(to other: PlainLines, atDistance distance: Int) -> PlainLines {
        PlainLines(previous: previous, next: next, end: max(next, min(end, other.end - distance)))
    }

    /// Passes the next line, where it is plain and stands in `other` too, `distance` bytes further on; gives its key.
    ///
    /// Within a line that has no other control byte than its newline, bytes are ordered as keys are: the newline is
    /// below all others.
    @inline(__always)
    mutating func pass(
        in bytes: Span<UInt8>, like other: Span<UInt8>, atDistance distance: Int
    ) -> Range<Int>? {
        var isAbove = false
        var place = next
        let last = min(end - 9, next + ObjectKey.byteCountMax)
        while place <= last {
            let word = bytes.word(at: place)
            let below = bytes.word(at: previous + (place - next))
            let control = Self.controlBytes(of: word)
            let twin = other.word(at: place + distance)
            guard control == 0 else {
                let bits = UInt64(control.trailingZeroBitCount - 7)
                guard UInt8(truncatingIfNeeded: word >> bits) == KeyListLine.newline,
                    (word ^ twin) << (56 - bits) == 0
                else { return nil }
                let keyBits = (1 << bits) - 1 as UInt64
                guard isAbove || (word & keyBits).bigEndian > (below & keyBits).bigEndian,
                    bytes[next] != KeyListLine.backslash
                else { return nil }
                return take(next..<place + Int(bits / 8))
            }
            guard word == twin else { return nil }
            if !isAbove, word != below {
                guard word.bigEndian > below.bigEndian else { return nil }
                isAbove = true
            }
            place += 8
        }
        return nil
    }

    @inline(__always)
    private mutating func take(_ key: Range<Int>) -> Range<Int>? {
        guard key.count <= ObjectKey.byteCountMax else { return nil }
        previous = next
        next = key.upperBound + 1
        count += 1
        return key
    }

    /// The high bit of the first byte below 0x20, and nothing below it; 0 where there is none.
    @inline(__always)
    private static func controlBytes(of word: UInt64) -> UInt64 {
        // The first such byte borrows into its high bit; beyond it the borrow can spoil others.
        (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
    }
}

extension Span<UInt8> {
    /// Eight bytes, the first one lowest.
    @inline(__always)
    fileprivate func word(at place: Int) -> UInt64 {
        UInt64(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
    }
}
