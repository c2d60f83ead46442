//! One chunk's place in the merge: it cuts blocks of bytes into lines, and copies none of them.

internal import S3

/// The current line of one chunk.
///
/// The bytes live in the merge's storage, one slot for each open chunk; a cursor is only numbers. A line that a block's
/// end cuts in two is carried to the slot's beginning, and the key before it too, for the order check.
struct ListCursor: Sendable {
    enum Advance {
        case line
        case needsBlock
        case end
    }

    /// A block, and before it the line that was handed out and the one that is cut.
    static let slotSizeBytes = SortedMerge.blockSizeBytesMax + 2 * KeyListLine.byteCountMax

    /// Index of the chunk in the merge's list.
    let chunk: Int
    /// Counted from 1; 0 before the first line.
    private(set) var lineNumber = 0
    /// Where the key stands in the storage, unescaped.
    private(set) var key: Range<Int>
    /// Where the key of the line before stands; good until the next block.
    private(set) var previousKey: Range<Int>
    /// The rest of the line, from the first tab on.
    private(set) var columns: Range<Int>
    private(set) var sizeBytes: Int64?

    private let slotStart: Int
    /// Where the next line begins.
    private var next: Int
    /// Where the bytes that were supplied end.
    private var end: Int
    private var isLast = false
    /// The first tab from the current line on; below `next` it is not known.
    private var tab = -1
    /// The first NUL in the slot, or beyond everything.
    private var nul = Int.max

    init(chunk: Int, slot: Int) {
        self.chunk = chunk
        slotStart = slot * Self.slotSizeBytes
        next = slotStart
        end = slotStart
        key = slotStart..<slotStart
        previousKey = key
        columns = key
    }

    /// Goes to the next line.
    @inline(__always)
    mutating func advance(in storage: inout [UInt8]) throws(ListLineError) -> Advance {
        var lineEnd = storage.span.firstIndex(of: KeyListLine.newline, in: next..<end)
        if lineEnd == nil, isLast, next < end { lineEnd = end }
        guard let lineEnd else {
            guard end - next <= KeyListLine.byteCountMax else { throw tooLong() }
            return isLast ? .end : .needsBlock
        }
        try take(next..<lineEnd, in: &storage)
        return .line
    }

    /// Whether the line is known to be the last.
    var isAtEnd: Bool { isLast && next == end }

    /// The plain lines behind the current one, whose key must stand there as it is, with a tab or newline behind it.
    @inline(__always)
    var plainLines: PlainLines? {
        guard lineNumber > 0, key.upperBound == columns.lowerBound, columns.upperBound + 1 == next
        else { return nil }
        return PlainLines(behind: key, next: next, end: end)
    }

    /// Goes over lines that were passed; the last of them is the current one.
    mutating func advance(over lines: PlainLines) {
        guard lines.count > 0 else { return }
        lineNumber += lines.count
        next = lines.next
        key = lines.key
        columns = key.upperBound..<next - 1
        sizeBytes = lines.sizeBytes
    }

    /// Adds a block behind what is there, of which only the last key and the cut line are kept.
    mutating func supply(
        in storage: inout [UInt8], _ read: ListBlockReading
    ) throws(ListError) {
        precondition(!isLast, "a block after the last one")
        let kept = lineNumber > 0 ? key.lowerBound : next
        storage.move(kept..<end, to: slotStart)
        shift(by: slotStart - kept)
        let room = end..<end + SortedMerge.blockSizeBytesMax
        var span = storage.mutableSpan
        let block = try read(&span, room)
        precondition(block.isLast || block.count > 0, "an empty block before the last")
        precondition(block.count <= room.count, "\(block.count) bytes at once")
        end += block.count
        isLast = block.isLast
        tab = -1
        nul = storage.span.firstIndex(of: 0, in: next..<end) ?? .max
    }

    private mutating func shift(by distance: Int) {
        next += distance
        end += distance
        key = key.lowerBound + distance..<key.upperBound + distance
        columns = columns.lowerBound + distance..<columns.upperBound + distance
    }

    @inline(__always)
    private mutating func take(
        _ line: Range<Int>, in storage: inout [UInt8]
    ) throws(ListLineError) {
        lineNumber += 1
        previousKey = key
        next = min(line.upperBound + 1, end)
        try check(line, in: storage)
        let keyEnd = endOfKey(in: line, storage)
        if storage[line.lowerBound] == KeyListLine.backslash {
            var span = storage.mutableSpan
            let count = try KeyListLine.unescape(&span, in: line.lowerBound..<keyEnd)
            key = line.lowerBound..<line.lowerBound + count
        } else {
            key = line.lowerBound..<keyEnd
            guard !key.isEmpty else { throw .empty }
            guard key.count <= ObjectKey.byteCountMax else { throw .keyTooLong }
        }
        columns = keyEnd..<line.upperBound
        sizeBytes = columns.isEmpty ? nil : try size(in: storage)
    }

    @inline(__always)
    private func check(_ line: Range<Int>, in storage: [UInt8]) throws(ListLineError) {
        guard !line.isEmpty else { throw .empty }
        guard line.count <= KeyListLine.byteCountMax else { throw .lineTooLong }
        guard storage[line.upperBound - 1] != KeyListLine.carriageReturn else {
            throw .carriageReturn
        }
        guard nul >= line.upperBound else { throw .nul }
    }

    /// The place of the line's first tab. The search runs on into later lines, so that a list of
    /// bare keys is searched once a block.
    @inline(__always)
    private mutating func endOfKey(in line: Range<Int>, _ storage: [UInt8]) -> Int {
        if tab < line.lowerBound {
            let found = storage.span.firstIndex(of: KeyListLine.tab, in: line.lowerBound..<end)
            tab = found ?? end
        }
        return min(tab, line.upperBound)
    }

    private func size(in storage: [UInt8]) throws(ListLineError) -> Int64? {
        let text = storage.span.extracting(columns)
        return try ListColumns(text, from: 0).sizeBytes(in: text)
    }

    /// An endless line is an error of the line that it would be.
    private mutating func tooLong() -> ListLineError {
        lineNumber += 1
        return .lineTooLong
    }
}
