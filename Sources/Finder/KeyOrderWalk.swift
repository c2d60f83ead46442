//! The writer's way through the tree: depth-first, which is the byte order of the keys.

/// Gives the directories and files below a root, in key order, one at a time.
struct KeyOrderWalk {
    enum Step {
        /// `path` is now this directory's: empty for the root, else with a slash at its end.
        case directory(DirectoryContents, isText: Bool)
        /// `path` is now this file's, which is its key. It is no key unless all of it `isText`.
        case file(SizeAndTime?, isText: Bool)
    }

    private struct Frame {
        let listing: DirectoryListing
        let pathCount: Int
        let isText: Bool
        var next = 0
    }

    private let pool: ReaderPool
    private var frames: [Frame] = []
    private var hasBegun = false
    /// The path of the last step, relative to the root.
    private(set) var path: [UInt8] = []

    init(_ pool: ReaderPool) {
        self.pool = pool
    }

    /// nil at the end of the tree.
    mutating func next() -> Step? {
        guard hasBegun else {
            hasBegun = true
            return enter(isText: true)
        }
        while let frame = frames.indices.last {
            if let step = nextEntry(in: frame) { return step }
            frames.removeLast()
        }
        return nil
    }

    private mutating func nextEntry(in frame: Int) -> Step? {
        let place = frames[frame].next
        guard place < frames[frame].listing.entries.count else { return nil }
        frames[frame].next = place + 1
        let entry = frames[frame].listing.entries[place]
        path.removeLast(path.count - frames[frame].pathCount)
        frames[frame].listing.appendSegment(of: entry, to: &path)
        let isText = frames[frame].isText && entry.isText
        guard !entry.isDirectory else { return enter(isText: isText) }
        return .file(frames[frame].listing.sizeAndTime(of: entry), isText: isText)
    }

    private mutating func enter(isText: Bool) -> Step {
        let contents = pool.contents(of: path)
        frames.append(Frame(listing: contents.listing, pathCount: path.count, isText: isText))
        return .directory(contents, isText: isText)
    }
}
