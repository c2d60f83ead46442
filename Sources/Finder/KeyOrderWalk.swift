//! The writer's way through the tree: depth-first, which is the byte order of the keys.

/// Gives the directories and files below a root, in key order: directories one at a time, files in runs.
struct KeyOrderWalk {
    enum Step {
        /// `path` is now this directory's: empty for the root, else with a slash at its end.
        case directory(DirectoryContents, Spelling)
        /// Files that follow each other in the directory that `path` is now; the spelling is that of `path`.
        case files(DirectoryContents, Range<Int>, Spelling)
    }

    /// What is known of the bytes of a path. A key has what all pieces of its path have.
    struct Spelling {
        /// Whether it is UTF-8, as a key must be.
        var isText = true
        /// Whether it can stand in a line of a list as it is.
        var isPlain = true
    }

    fileprivate struct Frame {
        let contents: DirectoryContents
        let branch: Int?
        let pathCount: Int
        let spelling: Spelling
        var next = 0
        /// The first of the subdirectories that is not before `next`.
        var nextSubdirectory = 0
    }

    private let pool: ReaderPool
    private var frames: [Frame] = []
    private var hasBegun = false
    /// The path of the last step's directory, relative to the root.
    private(set) var path: [UInt8] = []

    init(_ pool: ReaderPool) {
        self.pool = pool
    }

    /// nil at the end of the tree.
    mutating func next() -> Step? {
        guard hasBegun else {
            hasBegun = true
            return enter(pool.root(), Spelling())
        }
        while let frame = frames.indices.last {
            if let step = nextStep(in: frame) { return step }
            frames.removeLast()
        }
        return nil
    }

    private mutating func nextStep(in frame: Int) -> Step? {
        path.removeLast(path.count - frames[frame].pathCount)
        if let files = frames[frame].nextFiles() {
            return .files(frames[frame].contents, files, frames[frame].spelling)
        }
        guard let (entry, child) = frames[frame].nextDirectory() else { return nil }
        frames[frame].contents.listing.appendSegment(of: entry, to: &path)
        return enter(
            pool.directory(at: child, path: path), frames[frame].spelling.followed(by: entry))
    }

    private mutating func enter(_ directory: ReadAhead.Directory, _ spelling: Spelling) -> Step {
        frames.append(
            Frame(
                contents: directory.contents, branch: directory.branch, pathCount: path.count,
                spelling: spelling))
        return .directory(directory.contents, spelling)
    }
}

extension KeyOrderWalk.Spelling {
    func followed(by entry: DirectoryListing.Entry) -> Self {
        Self(isText: isText && entry.isText, isPlain: isPlain && entry.isPlain)
    }
}

extension KeyOrderWalk.Frame {
    private var listing: DirectoryListing { contents.listing }

    /// The files up to the next directory, but no more than one step may have.
    fileprivate mutating func nextFiles() -> Range<Int>? {
        let subdirectories = listing.subdirectories
        let directory =
            nextSubdirectory < subdirectories.count
            ? subdirectories[nextSubdirectory] : listing.entries.count
        guard next < directory else { return nil }
        let files = next..<min(directory, next + Limits.stepFilesMax)
        next = files.upperBound
        return files
    }

    /// The directory where the files end.
    fileprivate mutating func nextDirectory() -> (DirectoryListing.Entry, ReadAhead.Child)? {
        guard next < listing.entries.count, let branch else { return nil }
        defer {
            next += 1
            nextSubdirectory += 1
        }
        return (listing.entries[next], ReadAhead.Child(branch: branch, ordinal: nextSubdirectory))
    }
}
