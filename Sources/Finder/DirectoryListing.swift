//! The entries of one directory that are listed or entered, in key order.

internal import Glibc

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
        /// From the lowest bit: whether it is text, whether it is a directory, 16 bits of length, the start.
        private let bits: UInt64

        fileprivate init(start: Int, count: Int, isDirectory: Bool, isText: Bool) {
            assert(count < 1 << 16 && start < 1 << 46)
            bits =
                UInt64(start) << 18 | UInt64(count) << 2 | (isDirectory ? 2 : 0) | (isText ? 1 : 0)
        }

        fileprivate var start: Int { Int(bits >> 18) }
        fileprivate var count: Int { Int(bits >> 2 & 0xFFFF) }
        var isDirectory: Bool { bits & 2 != 0 }
        /// Whether the name is UTF-8, as a key must be.
        var isText: Bool { bits & 1 != 0 }
    }

    private(set) var entries: [Entry] = []
    /// Which of the entries are directories.
    private(set) var subdirectories: [Int] = []
    /// The segments: names, with a slash behind those of directories. Where attributes were kept they stand,
    /// `attributeBytes` long, before each of them.
    private var segments: [UInt8] = []
    private let keepsAttributes: Bool

    fileprivate init(keepsAttributes: Bool) {
        self.keepsAttributes = keepsAttributes
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

    private static let attributeBytes = MemoryLayout<SizeAndTime>.size
}

/// The columns of a long list.
struct SizeAndTime: Equatable, BitwiseCopyable {
    var sizeBytes: Int64
    var modifiedSeconds: Int64
}

// MARK: - Building

extension DirectoryListing {
    /// Collects entries as the kernel gives them, in any order.
    struct Builder {
        private var listing: DirectoryListing

        init(keepsAttributes: Bool) {
            listing = DirectoryListing(keepsAttributes: keepsAttributes)
        }

        /// Adds a file or directory. `attributes` must be there for files if this keeps attributes.
        mutating func append(
            name: UnsafeRawBufferPointer, isDirectory: Bool, attributes: FileAttributes? = nil
        ) {
            listing.append(name: name, isDirectory: isDirectory, attributes: attributes)
        }

        consuming func sorted() -> DirectoryListing {
            listing.sort()
            listing.dropRepeated()
            listing.subdirectories = listing.entries.indices.filter {
                listing.entries[$0].isDirectory
            }
            return listing
        }
    }

    private mutating func append(
        name: UnsafeRawBufferPointer, isDirectory: Bool, attributes: FileAttributes?
    ) {
        if keepsAttributes {
            let kept = SizeAndTime(
                sizeBytes: attributes?.sizeBytes ?? 0,
                modifiedSeconds: attributes?.modifiedSeconds ?? 0)
            withUnsafeBytes(of: kept) { segments.append(contentsOf: $0) }
        }
        let start = segments.count
        segments.append(contentsOf: name)
        let isText = isUTF8(segments.span.extracting(start...))
        if isDirectory { segments.append(UInt8(ascii: "/")) }
        entries.append(
            Entry(
                start: start, count: segments.count - start, isDirectory: isDirectory,
                isText: isText))
    }

    private mutating func sort() {
        segments.withUnsafeBytes { segments in
            entries.sort { compare($0, $1, in: segments) < 0 }
        }
    }

    /// A file system may give a name twice when its directory changes meanwhile; a list must not.
    private mutating func dropRepeated() {
        var count = 0
        segments.withUnsafeBytes { segments in
            for entry in entries
            where count == 0 || compare(entries[count - 1], entry, in: segments) != 0 {
                entries[count] = entry
                count += 1
            }
        }
        entries.removeSubrange(count...)
    }
}

/// Below zero when the left segment comes first, as memcmp does.
private func compare(
    _ left: DirectoryListing.Entry, _ right: DirectoryListing.Entry,
    in segments: UnsafeRawBufferPointer
) -> Int {
    guard let base = segments.baseAddress else { return 0 }
    let order = memcmp(base + left.start, base + right.start, min(left.count, right.count))
    return order != 0 ? Int(order) : left.count - right.count
}

private func isUTF8(_ name: Span<UInt8>) -> Bool {
    var union: UInt8 = 0
    for index in name.indices { union |= name[index] }
    if union < 0x80 { return true }
    do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: name)
        return true
    } catch {
        return false
    }
}
