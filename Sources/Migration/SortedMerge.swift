//! Merge: many sorted chunk files become one sorted stream of lines. The first step of an object's way.

public import S3

/// Writes the next block of a file into a range of the storage, no more than its beginning; gives how many bytes there
/// are, and whether the file ends with them.
public typealias ListBlockReading =
    (inout MutableSpan<UInt8>, Range<Int>) throws(ListError) -> (count: Int, isLast: Bool)

/// The merge of sorted chunks, without I/O: it asks for blocks of bytes and gives lines.
///
/// A chunk is opened (asked for its first block) when the merge reaches its first key, and closed at its
/// end, so lists that are sorted as a whole need one at a time. The lines of one chunk are taken in their order; one
/// check at the output, that keys strictly increase, finds every list that is unsorted and every key that
/// is there twice, wherever the two stand. What is declared of a chunk must prove true.
public struct SortedMerge: ~Copyable, Sendable {
    public enum Step: Hashable, Sendable {
        /// A line is ready: `withKey`, `sizeBytes`, `line`.
        case line
        /// `supply` the next block of this chunk, then go on.
        case needsBlock(chunk: Int)
        /// Nothing more is wanted of this chunk.
        case closed(chunk: Int)
        case end
    }

    /// What `supply` takes at most.
    public static let blockSizeBytesMax = 64 * 1024

    /// In the order of their first keys.
    public let chunks: [ListChunk]
    /// Whether a key may be in several chunks; its lines come one after the other then, in any order.
    private let takesRepeats: Bool
    /// Lines of the chunks that lie wholly at or below `after`, which are never opened.
    public let skippedLineCount: Int

    /// A slot of `ListCursor.slotSizeBytes` for each open chunk.
    private(set) var storage: [UInt8] = []
    private var cursors: [ListCursor] = []
    private var freeSlots: [Int] = []
    /// The slot whose line is handed out, or none.
    private var current = SortedMerge.none
    /// The slot whose next line is being read, or none.
    private var reading = SortedMerge.none
    /// The other open slots, the one with the least key last.
    private var waiting: [Int] = []
    private var nextChunk = 0
    /// Whether the next chunk may begin before the open ones end.
    private var nextOverlaps = true
    private var greatestLastKey: ObjectKey?
    /// The slot of the last line that was handed out, or none when that chunk is closed.
    private var lastSlot = SortedMerge.none
    private var closedKey: [UInt8] = []
    private var closedPlace: ListPlace?

    private static let none = -1

    /// `chunks` in any order. Those whose last key is at or below `after` are left out.
    public init(_ chunks: [ListChunk], after: ObjectKey? = nil, takesRepeats: Bool = false) {
        self.takesRepeats = takesRepeats
        let sorted = chunks.sorted(by: Self.beginsFirst)
        let isSkipped = { (chunk: ListChunk) in
            guard let after, let lastKey = chunk.lastKey else { return false }
            return chunk.lineCount != nil && lastKey <= after
        }
        self.skippedLineCount = sorted.filter(isSkipped).reduce(0) { $0 + ($1.lineCount ?? 0) }
        self.chunks = sorted.filter { !isSkipped($0) }
    }

    /// Ends by folder and name, so that the same lists make the same merge.
    private static func beginsFirst(_ one: ListChunk, _ other: ListChunk) -> Bool {
        if one.firstKey != other.firstKey {
            return (one.firstKey ?? ObjectKey([])) < (other.firstKey ?? ObjectKey([]))
        }
        return (one.folder, one.name) < (other.folder, other.name)
    }
}

// MARK: - The current line

// What is asked for every line is inlined: a borrowed merge is copied to the stack for a call.
extension SortedMerge {
    /// The key of the line that `next` gave, unescaped.
    @inline(__always)
    public func withKey<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span.extracting(keyRange))
    }

    /// Where the key stands in the storage.
    @inline(__always)
    var keyRange: Range<Int> { cursors[current].key }

    /// The index of the chunk that the line is of.
    public var chunk: Int { cursors[current].chunk }

    @inline(__always)
    public var sizeBytes: Int64? { cursors[current].sizeBytes }

    /// A copy of the key.
    public func key() -> ObjectKey { withKey { key in ObjectKey(Array(copying: key)) } }

    /// A copy of the line.
    public func line() throws(ListError) -> KeyListLine {
        let cursor = cursors[current]
        let key = key()
        guard !cursor.columns.isEmpty else { return KeyListLine(key: key) }
        let text = storage.span.extracting(cursor.columns)
        do throws(ListLineError) {
            let columns = try ListColumns(text, from: 0)
            return KeyListLine(
                key: key, sizeBytes: cursor.sizeBytes, modified: columns.modified(in: text),
                etag: columns.etag(in: text))
        } catch {
            throw .badLine(error, at: place)
        }
    }

    /// Appends the line as a list has it, newline included.
    public func appendLine(to bytes: inout [UInt8]) {
        withKey { key in
            withColumns { columns in
                KeyListLine.append(key: key, columns: columns, to: &bytes)
            }
        }
    }

    /// The columns of the line as they are written, from the first tab on.
    @inline(__always)
    public func withColumns<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        body(storage.span.extracting(cursors[current].columns))
    }

    public var place: ListPlace { place(ofSlot: current, back: 0) }
}

// MARK: - The way on

extension SortedMerge {
    /// Goes to the next line, or asks for what it takes to get there. After an error there is no way on.
    public mutating func next() throws(ListError) -> Step {
        if current != Self.none {
            reading = current
            current = Self.none
        }
        while true {
            var candidate = Self.none
            if reading != Self.none {
                switch try read() {
                case .needsBlock: return .needsBlock(chunk: cursors[reading].chunk)
                case .end: return .closed(chunk: try close())
                case .line: candidate = leastAfterReading()
                }
            } else if let least = waiting.popLast() {
                candidate = least
            }
            if opensNext(before: candidate) {
                if candidate != Self.none { waiting.append(candidate) }
                open()
                continue
            }
            guard candidate != Self.none else { return .end }
            try checkOrder(of: candidate)
            current = candidate
            lastSlot = candidate
            return .line
        }
    }

    /// Gives the next block of a chunk; `isLast` when the file ends with it (which may be empty).
    public mutating func supply(chunk: Int, _ block: Span<UInt8>, isLast: Bool) {
        do throws(ListError) {
            try supply(chunk: chunk) { storage, room throws(ListError) in
                storage.write(block, at: room)
                return (block.count, isLast)
            }
        } catch {
            preconditionFailure("a copy failed: \(error)")
        }
    }

    /// Lets `read` write the next block of a chunk to its place.
    public mutating func supply(chunk: Int, _ read: ListBlockReading) throws(ListError) {
        precondition(
            reading != Self.none && cursors[reading].chunk == chunk,
            "a block of chunk \(chunk), which was not asked for")
        try cursors[reading].supply(in: &storage, read)
    }

    @inline(__always)
    private mutating func read() throws(ListError) -> ListCursor.Advance {
        let advance: ListCursor.Advance
        do throws(ListLineError) {
            advance = try cursors[reading].advance(in: &storage)
        } catch {
            throw .badLine(error, at: place(ofSlot: reading, back: 0))
        }
        if advance == .line {
            if cursors[reading].lineNumber == 1 { try checkFirstKey() }
            // A line that was cut off must not be handed out as if it were one.
            if cursors[reading].isAtEnd { try checkEnd(of: cursors[reading]) }
        }
        return advance
    }

    /// The slot with the least key, now that the one that was read has its line.
    @inline(__always)
    private mutating func leastAfterReading() -> Int {
        let slot = reading
        reading = Self.none
        guard let least = waiting.last, isBelow(least, slot) else { return slot }
        waiting.removeLast()
        waiting.insert(slot, at: place(in: waiting, of: slot))
        return least
    }

    /// Where a slot belongs among those that wait: binary search, which for a hundred open files costs as much as a
    /// heap and is simpler.
    private func place(in slots: [Int], of slot: Int) -> Int {
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(slot, slots[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    @inline(__always)
    private func isBelow(_ one: Int, _ other: Int) -> Bool {
        let span = storage.span
        return span.order(of: cursors[one].key, to: cursors[other].key, in: span) < 0
    }
}

// MARK: - The quick way

extension SortedMerge {
    /// Passes plain lines behind the current one, if that is one; the last of them is the current line then.
    ///
    /// - Returns: how many, and the sum of their sizes, nil where one has none. None passed says nothing about the
    ///   next line.
    public mutating func passPlainLines() -> (count: Int, sizeBytes: Int64?) {
        guard var lines = plainLines else { return (0, 0) }
        let sizeBytes = Self.pass(&lines, in: storage.span)
        advance(over: lines)
        return (lines.count, sizeBytes)
    }

    private static func pass(_ lines: inout PlainLines, in bytes: Span<UInt8>) -> Int64? {
        var sum: Int64 = 0
        var unsizedCount = 0
        while lines.pass(in: bytes) {
            if let sizeBytes = lines.sizeBytes { sum &+= sizeBytes } else { unsizedCount += 1 }
        }
        return unsizedCount > 0 ? nil : sum
    }

    /// The plain lines behind the current one, where no other chunk can have a line between them.
    @inline(__always)
    var plainLines: PlainLines? {
        guard current != Self.none, waiting.isEmpty, nextChunk == chunks.count || !nextOverlaps
        else { return nil }
        return cursors[current].plainLines
    }

    mutating func advance(over lines: PlainLines) { cursors[current].advance(over: lines) }
}

// MARK: - Opening and closing

extension SortedMerge {
    @inline(__always)
    private func opensNext(before candidate: Int) -> Bool {
        guard nextChunk < chunks.count else { return false }
        guard candidate != Self.none else { return true }
        guard nextOverlaps else { return false }
        guard let firstKey = chunks[nextChunk].firstKey?.bytes else { return true }
        return storage.span.order(
            of: cursors[candidate].key, to: 0..<firstKey.count, in: firstKey.span) >= 0
    }

    private mutating func open() {
        let slot = freeSlots.popLast() ?? addSlot()
        cursors[slot] = ListCursor(chunk: nextChunk, slot: slot)
        reading = slot
        noteOverlap(of: chunks[nextChunk])
        nextChunk += 1
    }

    private mutating func addSlot() -> Int {
        let slot = cursors.count
        storage += [UInt8](repeating: 0, count: ListCursor.slotSizeBytes)
        cursors.append(ListCursor(chunk: nextChunk, slot: slot))
        return slot
    }

    /// Where all open chunks are declared to end before the next begins, no line need be compared with it.
    private mutating func noteOverlap(of opened: ListChunk) {
        if nextChunk == 0 {
            greatestLastKey = opened.lastKey
        } else if let greatest = greatestLastKey {
            greatestLastKey = opened.lastKey.map { max($0, greatest) }
        }
        guard nextChunk + 1 < chunks.count else { return }
        guard let greatestLastKey, let firstKey = chunks[nextChunk + 1].firstKey else {
            nextOverlaps = true
            return
        }
        nextOverlaps = firstKey <= greatestLastKey
    }

    private mutating func close() throws(ListError) -> Int {
        let cursor = cursors[reading]
        try checkEnd(of: cursor)
        if lastSlot == reading {
            closedKey = Array(copying: storage.span.extracting(cursor.key))
            closedPlace = place(ofSlot: reading, back: 0)
            lastSlot = Self.none
        }
        freeSlots.append(reading)
        reading = Self.none
        return cursor.chunk
    }

    /// The last key of the chunk that was closed last: for one chunk, the last key there is.
    public var lastKeyClosed: ObjectKey? { closedPlace == nil ? nil : ObjectKey(closedKey) }
}

// MARK: - Checks

extension SortedMerge {
    /// Mutating, as what it calls, though neither changes anything: a borrowed merge is copied to the stack
    /// for such a call, and that for every line.
    @inline(__always)
    private mutating func checkOrder(of slot: Int) throws(ListError) {
        let key = cursors[slot].key
        let order: Int
        if lastSlot != Self.none {
            // The slot that gave the last line has been read on since.
            order = storage.span.order(of: cursors[lastSlot].previousKey, to: key, in: storage.span)
        } else {
            order = closedKey.span.order(of: 0..<closedKey.count, to: key, in: storage.span)
        }
        guard order < 0 || (order == 0 && takesRepeats) else {
            throw orderError(order, slot: slot)
        }
    }

    private mutating func orderError(_ order: Int, slot: Int) -> ListError {
        let place = place(ofSlot: slot, back: 0)
        let lastPlace = lastSlot == Self.none ? closedPlace : self.place(ofSlot: lastSlot, back: 1)
        guard let lastPlace else { preconditionFailure("a key below no key") }
        let key = ObjectKey(Array(copying: storage.span.extracting(cursors[slot].key)))
        guard order > 0 else { return .duplicateKey(key, first: lastPlace, second: place) }
        return .outOfOrder(key: key, at: place, greater: lastKey, greaterAt: lastPlace)
    }

    private var lastKey: ObjectKey {
        guard lastSlot != Self.none else { return ObjectKey(closedKey) }
        return ObjectKey(Array(copying: storage.span.extracting(cursors[lastSlot].previousKey)))
    }

    private func place(ofSlot slot: Int, back lineCount: Int) -> ListPlace {
        let cursor = cursors[slot]
        return ListPlace(path: chunks[cursor.chunk].path, line: cursor.lineNumber - lineCount)
    }

    private func checkFirstKey() throws(ListError) {
        let cursor = cursors[reading]
        try check(chunks[cursor.chunk].firstKey, is: cursor.key, called: "first", of: cursor)
    }

    private func checkEnd(of cursor: ListCursor) throws(ListError) {
        let chunk = chunks[cursor.chunk]
        if let lineCount = chunk.lineCount, cursor.lineNumber != lineCount {
            throw .changed(
                path: chunk.path, detail: "it has \(cursor.lineNumber) lines, not \(lineCount)")
        }
        try check(chunk.lastKey, is: cursor.key, called: "last", of: cursor)
    }

    private func check(
        _ declared: ObjectKey?, is range: Range<Int>, called name: String, of cursor: ListCursor
    ) throws(ListError) {
        guard let declared else { return }
        let key = ObjectKey(Array(copying: storage.span.extracting(range)))
        guard key != declared else { return }
        throw .changed(
            path: chunks[cursor.chunk].path,
            detail: "its \(name) key is \(KeyListLine.escaped(key)), not"
                + " \(KeyListLine.escaped(declared))")
    }
}

extension [UInt8] {
    /// The bytes of a span.
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
