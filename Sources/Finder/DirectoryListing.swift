//! The entries of one directory that are listed or entered, in key order.

/// The files and subdirectories of a directory, sorted so that walking them depth-first gives all keys below it in
/// byte order.
///
/// The trick is the slash: a subdirectory `a` counts as `a/`, since that is how the keys below it begin. So it
/// stands behind `a-b` and `a.b` and before `a0`. No name holds a slash, so no segment is the beginning
/// of a subdirectory's, and what is compared here decides for all keys below.
///
/// A directory may have millions of entries: all segments lie in one buffer and an entry is eight bytes.
struct DirectoryListing: Sendable {
    struct Entry: Sendable {
        /// From the lowest bit: whether it is text, whether it is a directory, whether it is plain, 16 bits of
        /// length, the start.
        private let bits: UInt64

        init(start: Int, count: Int, isDirectory: Bool, isText: Bool, isPlain: Bool) {
            assert(count < 1 << 16 && start < 1 << 45)
            bits =
                UInt64(start) << 19 | UInt64(count) << 3 | (isPlain ? 4 : 0)
                | (isDirectory ? 2 : 0) | (isText ? 1 : 0)
        }

        var start: Int { Int(bits >> 19) }
        /// Bytes of the segment.
        var count: Int { Int(bits >> 3 & 0xFFFF) }
        var isDirectory: Bool { bits & 2 != 0 }
        /// Whether the name is UTF-8, as a key must be.
        var isText: Bool { bits & 1 != 0 }
        /// Whether the name can stand anywhere in a line of a list as it is; only text can.
        var isPlain: Bool { bits & 4 != 0 }
    }

    let entries: [Entry]
    /// Which of the entries are directories.
    let subdirectories: [Int]
    /// The segments: names, with a slash behind those of directories. Where attributes were kept they stand,
    /// `attributeBytes` long, before each of them.
    private let segments: [UInt8]
    let keepsAttributes: Bool

    init(entries: [Entry], segments: [UInt8], hasDirectories: Bool, keepsAttributes: Bool) {
        self.entries = entries
        self.segments = segments
        self.keepsAttributes = keepsAttributes
        // Most directories have none.
        subdirectories = hasDirectories ? entries.indices.filter { entries[$0].isDirectory } : []
    }

    /// What this takes in memory, about.
    var byteCount: Int { segments.count + 8 * (entries.count + subdirectories.count) }

    /// Appends the end of the key: `name`, or `name/` for a directory.
    func appendSegment(of entry: Entry, to path: inout [UInt8]) {
        path.append(contentsOf: segments[entry.start..<entry.start + entry.count])
    }

    /// The file's size and modification time; nil when they were not kept.
    func sizeAndTime(of entry: Entry) -> SizeAndTime? {
        guard keepsAttributes else { return nil }
        return segments.withUnsafeBytes {
            $0.loadUnaligned(
                fromByteOffset: entry.start - DirectoryListing.attributeBytes, as: SizeAndTime.self)
        }
    }

    static let attributeBytes = MemoryLayout<SizeAndTime>.size
}

// MARK: - Runs of plain files

extension DirectoryListing {
    /// How many of these entries, from the first one on, are plain and have at most so many bytes.
    func plainCount(of range: Range<Int>, bytesMax: Int) -> Int {
        let isOdd = { (entry: Entry) in !entry.isPlain || entry.count > bytesMax }
        return (entries[range].firstIndex(where: isOdd) ?? range.upperBound) - range.lowerBound
    }

    func lineByteCount(of index: Int, below path: [UInt8]) -> Int {
        path.count + entries[index].count + 1
    }

    /// Appends a line for each of these entries: `path`, the segment, a newline, all as they are.
    func appendLines(of range: Range<Int>, below path: [UInt8], to lines: inout [UInt8]) {
        let byteCount = range.reduce(0) { $0 + lineByteCount(of: $1, below: path) }
        lines.append(addingCapacity: byteCount) { added in
            added.withUnsafeMutableBufferPointer { added, addedCount in
                var room = UnsafeMutableRawBufferPointer(added)
                for entry in entries[range] { write(entry, below: path, to: &room) }
                addedCount = byteCount
            }
        }
    }

    /// Writes a line to the beginning of `room` and cuts it off from there.
    private func write(
        _ entry: Entry, below path: [UInt8], to room: inout UnsafeMutableRawBufferPointer
    ) {
        path.withUnsafeBytes { room.copyMemory(from: $0) }
        segments.withUnsafeBytes { segments in
            UnsafeMutableRawBufferPointer(rebasing: room[path.count...]).copyMemory(
                from: UnsafeRawBufferPointer(
                    rebasing: segments[entry.start..<entry.start + entry.count]))
        }
        let end = path.count + entry.count
        room[end] = UInt8(ascii: "\n")
        room = UnsafeMutableRawBufferPointer(rebasing: room[(end + 1)...])
    }
}

/// The columns of a long list.
struct SizeAndTime: Equatable, BitwiseCopyable {
    var sizeBytes: Int64
    var modifiedSeconds: Int64
}
