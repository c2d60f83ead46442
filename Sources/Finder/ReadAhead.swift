//! Decides which directory is read next, so that the writer seldom waits and memory stays bounded.

/// What is known of the tree between the readers and the writer. Pure: threads and locks are `ReaderPool`'s.
///
/// The writer needs directories in key order, depth-first. Readers are given the directory that it will need
/// soonest of all that are known and not begun. When what was read and not yet taken reaches
/// the bound, readers rest until the writer has taken half of it; the writer itself never rests, it reads what nobody
/// has begun. So there is no way to wait in a circle.
struct ReadAhead {
    /// What a reader does next.
    enum Assignment: Equatable {
        case read([UInt8])
        case end
    }

    /// What the writer gets when it asks for a directory.
    enum Answer {
        case contents(DirectoryContents)
        /// Nobody has begun it: read it, say `finish`, and ask again.
        case unclaimed
    }

    private enum Reading {
        case begun
        case done(DirectoryContents)
    }

    /// Directories that are claimed and not yet taken, by path.
    private var readings: [[UInt8]: Reading] = [:]
    /// Directories that were read and have subdirectories that nobody claimed; the one whose next comes
    /// first in key order is last.
    private var branches: [Branch] = []
    private let bytesMax: Int
    private(set) var bytesDone = 0
    private var isResting = false
    private(set) var isStopped = false

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Whether a reader that asked now would get a directory.
    var hasWork: Bool { !isStopped && !isResting && !branches.isEmpty }

    // MARK: Readers

    /// The next directory to read; nil when there is none for now.
    mutating func nextAssignment() -> Assignment? {
        if isStopped { return .end }
        guard hasWork, let path = claimNearest() else { return nil }
        return .read(path)
    }

    /// A directory that was claimed has been read.
    mutating func finish(_ path: [UInt8], _ contents: DirectoryContents) {
        guard case .begun = readings[path] else { preconditionFailure("finished, yet not begun") }
        readings[path] = .done(contents)
        bytesDone += contents.byteCount + path.count
        if bytesDone >= bytesMax { isResting = true }
        if let branch = Branch(path, contents.listing) { insert(branch) }
    }

    mutating func stop() {
        isStopped = true
    }

    // MARK: Writer

    /// What the writer asked for, which is always the next directory in key order; nil while a reader is at it.
    mutating func take(_ path: [UInt8]) -> Answer? {
        switch readings[path] {
        case .begun:
            return nil
        case .done(let contents):
            readings[path] = nil
            bytesDone -= contents.byteCount + path.count
            if bytesDone <= bytesMax / 2 { isResting = false }
            return .contents(contents)
        case nil:
            // The root belongs to no branch.
            let nearest = path.isEmpty ? path : claimNearest()
            precondition(nearest == path, "the writer is not where the reading is")
            readings[path] = .begun
            return .unclaimed
        }
    }

    // MARK: Branches

    private mutating func claimNearest() -> [UInt8]? {
        guard let last = branches.indices.last else { return nil }
        let path = branches[last].nextPath
        // Moving on keeps the order: what lies between two subdirectories is below the first, and not yet read.
        if !branches[last].moveOn() { branches.removeLast() }
        readings[path] = .begun
        return path
    }

    /// Looked for from the end, since what was just read mostly belongs near the writer.
    private mutating func insert(_ branch: Branch) {
        let before = branches.lastIndex { branch.nextPath.lexicographicallyPrecedes($0.nextPath) }
        branches.insert(branch, at: before.map { $0 + 1 } ?? 0)
    }

    private struct Branch {
        private let path: [UInt8]
        private let listing: DirectoryListing
        private var next = 0
        private(set) var nextPath: [UInt8] = []

        /// nil for a directory without subdirectories.
        init?(_ path: [UInt8], _ listing: DirectoryListing) {
            guard !listing.subdirectories.isEmpty else { return nil }
            self.path = path
            self.listing = listing
            setNextPath()
        }

        /// Goes to the next subdirectory; false when there is none.
        mutating func moveOn() -> Bool {
            next += 1
            guard next < listing.subdirectories.count else { return false }
            setNextPath()
            return true
        }

        private mutating func setNextPath() {
            nextPath = path
            listing.appendSegment(
                of: listing.entries[listing.subdirectories[next]], to: &nextPath)
        }
    }
}
