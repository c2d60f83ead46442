//! As many keys as fit into memory, sorted there: the first half of the external sort.

internal import Glibc

/// Records of a key and its columns in one piece of memory: their bytes grow from its front, an entry for each from its
/// back.
///
/// The sort looks at eight bytes of the keys at a time, which are one number in the entry: most comparisons touch
/// no key, and a prefix that all keys share is passed once. It counts on keys having no NUL: so a NUL ends them, and
/// a number with a zero at its end belongs to a key that ends there.
struct KeyBatch: ~Copyable {
    private struct Entry {
        /// Eight bytes of the key as a number that orders as they do.
        var word: UInt64
        /// Where the key begins.
        var offset: Int
    }

    /// An entry, and half of one for the sort to move entries through.
    private static let entryCostBytes = MemoryLayout<Entry>.stride * 3 / 2
    /// So that a word can be read at the very end.
    private static let paddingBytes = 8
    /// So few keys are compared whole.
    private static let fewKeys = 12

    private let memory: UnsafeMutableRawBufferPointer
    private var bytesEnd = 0
    private(set) var count = 0

    /// Takes so many bytes of the machine's memory, bit by bit as it fills.
    init(sizeBytes: Int) {
        let rounded = sizeBytes / MemoryLayout<Entry>.stride * MemoryLayout<Entry>.stride
        memory = .allocate(byteCount: rounded, alignment: MemoryLayout<Entry>.alignment)
    }

    deinit {
        memory.deallocate()
    }

    private var entries: UnsafeMutableBufferPointer<Entry> {
        let size = count * MemoryLayout<Entry>.stride
        return UnsafeMutableRawBufferPointer(rebasing: memory[(memory.count - size)...])
            .assumingMemoryBound(to: Entry.self)
    }

    /// Adds a record, if there is room for it; the columns have no newline.
    mutating func append(key: Span<UInt8>, columns: Span<UInt8>) -> Bool {
        let size = key.count + 1 + columns.count + 1
        let room = memory.count - (count + 1) * Self.entryCostBytes - Self.paddingBytes
        guard bytesEnd + size <= room else { return false }
        count += 1
        entries[0] = Entry(word: 0, offset: bytesEnd)
        put(key, end: 0)
        put(columns, end: UInt8(ascii: "\n"))
        return true
    }

    private mutating func put(_ bytes: Span<UInt8>, end: UInt8) {
        bytes.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: memory[bytesEnd...]).copyMemory(from: bytes)
        }
        bytesEnd += bytes.count
        memory[bytesEnd] = end
        bytesEnd += 1
    }

    mutating func removeAll() {
        bytesEnd = 0
        count = 0
    }
}

// MARK: - Sorting

extension KeyBatch {
    /// Sorts by the bytes of the keys; of equal keys the one that came first is first.
    mutating func sort() {
        // The newest entry is at the front of the others.
        var entries = entries
        entries.reverse()
        sort(entries, at: 0)
    }

    private func sort(_ entries: UnsafeMutableBufferPointer<Entry>, at depth: Int) {
        guard entries.count > Self.fewKeys else { return sortWhole(entries, at: depth) }
        for index in entries.indices { entries[index].word = word(entries[index].offset + depth) }
        var sorted = entries
        sorted.sort { $0.word < $1.word }
        var start = 0
        while start < entries.count {
            let word = entries[start].word
            var end = start + 1
            while end < entries.count, entries[end].word == word { end += 1 }
            if end - start > 1, word & 0xFF != 0 {
                sort(UnsafeMutableBufferPointer(rebasing: entries[start..<end]), at: depth + 8)
            }
            start = end
        }
    }

    private func sortWhole(_ entries: UnsafeMutableBufferPointer<Entry>, at depth: Int) {
        var sorted = entries
        sorted.sort { strcmp(text($0.offset + depth), text($1.offset + depth)) < 0 }
    }

    private func text(_ offset: Int) -> UnsafePointer<CChar> {
        // The place is inside of the memory, which is there.
        UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped + offset)
            .assumingMemoryBound(to: CChar.self)
    }

    /// The eight bytes at a place, the first one weighing most, with zeros from a NUL on.
    private func word(_ offset: Int) -> UInt64 {
        let bytes = UInt64(
            littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let ones: UInt64 = 0x0101_0101_0101_0101
        // The lowest bit of this belongs to the first NUL; higher ones may be wrong.
        let nuls = (bytes &- ones) & ~bytes & (ones << 7)
        let kept = nuls == 0 ? bytes : bytes & ((nuls & (~nuls &+ 1)) >> 7 &- 1)
        return kept.byteSwapped
    }
}

// MARK: - Reading

extension KeyBatch {
    /// Gives each key once, with the columns that came last; after `sort`.
    /// - Returns: how many records were left out, whose key has a later one.
    func forEach(
        _ body: (_ key: Span<UInt8>, _ columns: Span<UInt8>) throws(FindError) -> Void
    ) throws(FindError) -> Int {
        let entries = entries
        var repeated = 0
        for index in entries.indices {
            let key = text(entries[index].offset)
            if index + 1 < entries.count, strcmp(key, text(entries[index + 1].offset)) == 0 {
                repeated += 1
                continue
            }
            let keyBytes = strlen(key)
            let columns = key + keyBytes + 1
            let columnBytes = columns.distance(to: end(of: columns))
            try body(bytes(key, keyBytes).span, bytes(columns, columnBytes).span)
        }
        return repeated
    }

    private func bytes(_ start: UnsafePointer<CChar>, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeRawBufferPointer(start: start, count: count).assumingMemoryBound(to: UInt8.self)
    }

    /// The newline that `put` has written behind the columns.
    private func end(of columns: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
        UnsafePointer(strchr(columns, Int32(UInt8(ascii: "\n"))))
    }
}
