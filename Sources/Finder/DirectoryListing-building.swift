//! How a listing comes to be: entries in any order are collected, sorted, and given once.

internal import Glibc
internal import Migration

extension DirectoryListing {
    /// Collects the entries of one directory after the other as the kernel gives them, in any order.
    ///
    /// It keeps its memory from one directory to the next: a small listing is a copy of just its size.
    struct Builder {
        private struct Sortable {
            /// Eight bytes of the segment as a number that orders as they do.
            var word: UInt64 = 0
            var entry: Entry
        }

        private let keepsAttributes: Bool
        private var sortables: [Sortable] = []
        private var segments: [UInt8] = []
        private var hasDirectories = false

        init(keepsAttributes: Bool) {
            self.keepsAttributes = keepsAttributes
        }

        /// Adds a file or directory. `attributes` must be there for files if this keeps attributes.
        mutating func append(
            name: UnsafeRawBufferPointer, isDirectory: Bool, attributes: FileAttributes? = nil
        ) {
            if keepsAttributes { append(attributes) }
            let start = segments.count
            segments.append(contentsOf: name)
            let isPlain = !KeyListLine.needsEscape(segments.span.extracting(start...))
            let isText = isPlain || isUTF8(segments.span.extracting(start...))
            if isDirectory {
                segments.append(UInt8(ascii: "/"))
                hasDirectories = true
            }
            let entry = Entry(
                start: start, count: segments.count - start, isDirectory: isDirectory,
                isText: isText, isPlain: isPlain)
            sortables.append(Sortable(entry: entry))
        }

        private mutating func append(_ attributes: FileAttributes?) {
            let kept = SizeAndTime(
                sizeBytes: attributes?.sizeBytes ?? 0,
                modifiedSeconds: attributes?.modifiedSeconds ?? 0)
            withUnsafeBytes(of: kept) { segments.append(contentsOf: $0) }
        }

        /// The listing of what was added, after which this is empty.
        mutating func takeSorted() -> DirectoryListing {
            sort()
            dropRepeated()
            let byteCount = segments.count + MemoryLayout<Sortable>.stride * sortables.count
            let isSmall = byteCount < Limits.builderKeptBytes
            let listing = DirectoryListing(
                entries: sortables.map(\.entry),
                segments: isSmall ? segments.withUnsafeBufferPointer(Array.init) : segments,
                hasDirectories: hasDirectories, keepsAttributes: keepsAttributes)
            sortables.removeAll(keepingCapacity: isSmall)
            segments.removeAll(keepingCapacity: isSmall)
            hasDirectories = false
            return listing
        }
    }
}

// MARK: - The order

extension DirectoryListing.Builder {
    /// Most comparisons are of two numbers: the eight bytes behind what all names begin with, which mostly differ.
    private mutating func sort() {
        segments.withUnsafeBytes { segments in
            let depth = sharedCount(in: segments)
            for index in sortables.indices {
                sortables[index].word = word(of: sortables[index].entry, at: depth, in: segments)
            }
            sortables.sort { left, right in
                guard left.word == right.word else { return left.word < right.word }
                return compare(left.entry, right.entry, in: segments) < 0
            }
        }
    }

    /// How many bytes all segments begin with.
    private func sharedCount(in segments: UnsafeRawBufferPointer) -> Int {
        guard let base = segments.baseAddress, let first = sortables.first?.entry else { return 0 }
        var shared = first.count
        for sortable in sortables {
            shared = min(shared, sortable.entry.count)
            let (left, right) = (base + first.start, base + sortable.entry.start)
            guard memcmp(left, right, shared) != 0 else { continue }
            while memcmp(left, right, shared) != 0 { shared -= 1 }
        }
        return shared
    }

    /// Eight bytes of the segment, the first one weighing most, with zeros behind its end; no name holds a zero.
    private func word(
        of entry: DirectoryListing.Entry, at depth: Int, in segments: UnsafeRawBufferPointer
    ) -> UInt64 {
        let (start, count) = (entry.start + depth, entry.count - depth)
        if start + 8 <= segments.count {
            let bytes = segments.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            let word = UInt64(bigEndian: bytes)
            return count >= 8 ? word : word & ~(UInt64.max >> (8 * UInt64(count)))
        }
        return (0..<8).reduce(0) { $0 << 8 | ($1 < count ? UInt64(segments[start + $1]) : 0) }
    }

    /// A file system may give a name twice when its directory changes meanwhile; a list must not.
    private mutating func dropRepeated() {
        var count = 0
        segments.withUnsafeBytes { segments in
            // By index: an iterator would hold the array, so that the first change copied it.
            for index in sortables.indices {
                let sortable = sortables[index]
                if count > 0, sortables[count - 1].word == sortable.word,
                    compare(sortables[count - 1].entry, sortable.entry, in: segments) == 0
                {
                    continue
                }
                sortables[count] = sortable
                count += 1
            }
        }
        sortables.removeLast(sortables.count - count)
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
    do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: name)
        return true
    } catch {
        return false
    }
}
