//! Decides which directory is read next, so that the writer seldom waits and memory stays bounded.

/// What is known of the tree between the readers and the writer. Pure: threads and locks are `ReaderPool`'s.
///
/// The writer needs directories in key order, depth-first. Readers are given the directory that it will need
/// soonest of all that are known and not begun. When what was read and not yet taken reaches
/// the bound, readers rest until the writer has taken half of it; the writer itself never rests, it reads what nobody
/// has begun. So there is no way to wait in a circle.
struct ReadAhead {
    /// Where a directory lies: the branch of its parent, and which of the parent's subdirectories it is.
    struct Child: Equatable {
        let branch: Int
        let ordinal: Int
    }

    /// What a reader does next.
    enum Assignment: Equatable {
        case read(Child)
        case end
    }

    /// What the writer gets when it asks for a directory.
    enum Answer {
        /// What was asked for, and what comes behind it without anything deeper between, as far as it is read.
        case directories([Directory])
        /// Nobody has begun it: read it, say `finish`, and ask again.
        case unclaimed
    }

    /// A directory that was read.
    struct Directory {
        let contents: DirectoryContents
        /// The number by which its subdirectories are known; nil without any.
        let branch: Int?
        /// What it takes in memory until it is taken, about.
        let byteCount: Int
    }

    /// By number; nil for a number that is free, which `freeNumbers` has.
    private var branches: [Branch?] = []
    private var freeNumbers: [Int] = []
    /// Branches with subdirectories that nobody claimed; the one whose next comes first in key order is last.
    private var frontier: [Int] = []
    /// How many directories are being read.
    private var begunCount = 0
    /// What the writer waits for.
    private var awaited: Child?
    private let bytesMax: Int
    private(set) var bytesDone = 0
    private var isResting = false
    private(set) var isStopped = false

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Whether a reader that asked now would get a directory.
    var hasWork: Bool { !isStopped && !isResting && !frontier.isEmpty }

    /// Whether the writer waits, and shall go on. What it waits for may be one of many small directories; it sleeps
    /// until there is more for it to do, or until nothing more comes by itself.
    var shouldWakeWriter: Bool {
        guard let awaited, branches[awaited.branch]?.isDone(awaited.ordinal) == true else {
            return false
        }
        return bytesDone >= min(Limits.writerWakeBytes, bytesMax) || begunCount == 0
    }

    // MARK: Readers

    /// The next directory to read, whose path then is in `path`; nil when there is none for now.
    mutating func nextAssignment(path: inout [UInt8]) -> Assignment? {
        if isStopped { return .end }
        guard hasWork, let child = claimNearest() else { return nil }
        path.removeAll(keepingCapacity: true)
        branches[child.branch]?.appendPath(of: child.ordinal, to: &path)
        return .read(child)
    }

    /// A directory that was claimed has been read.
    mutating func finish(_ child: Child, path: [UInt8], _ contents: DirectoryContents) {
        let directory = known(contents, path: path)
        branches[child.branch]?.finish(child.ordinal, directory)
        begunCount -= 1
        bytesDone += directory.byteCount
        if bytesDone >= bytesMax { isResting = true }
    }

    mutating func stop() {
        isStopped = true
    }

    // MARK: Writer

    /// The root, which the writer reads, since there is nothing else to do before.
    mutating func begin(with contents: DirectoryContents) -> Directory {
        known(contents, path: [])
    }

    /// What the writer asked for, which is always the next directory in key order; nil while a reader is at it.
    mutating func take(_ child: Child) -> Answer? {
        guard branches[child.branch]?.isClaimed(child.ordinal) == true else {
            let nearest = claimNearest()
            precondition(nearest == child, "the writer is not where the reading is")
            return .unclaimed
        }
        guard let directories = branches[child.branch]?.take(from: child.ordinal) else {
            awaited = child
            return nil
        }
        awaited = nil
        if branches[child.branch]?.isTaken == true { forget(child.branch) }
        bytesDone -= directories.reduce(0) { $0 + $1.byteCount }
        if bytesDone <= bytesMax / 2 { isResting = false }
        return .directories(directories)
    }

    // MARK: Branches

    private mutating func known(_ contents: DirectoryContents, path: [UInt8]) -> Directory {
        let byteCount = contents.byteCount + path.count
        guard !contents.listing.subdirectories.isEmpty else {
            return Directory(contents: contents, branch: nil, byteCount: byteCount)
        }
        let number = freeNumbers.popLast() ?? branches.count
        if number == branches.count { branches.append(nil) }
        branches[number] = Branch(path: path, contents)
        insert(number, path)
        return Directory(contents: contents, branch: number, byteCount: byteCount)
    }

    private mutating func forget(_ number: Int) {
        branches[number] = nil
        freeNumbers.append(number)
    }

    private mutating func claimNearest() -> Child? {
        guard let number = frontier.last, let ordinal = branches[number]?.claim() else {
            return nil
        }
        // Moving on keeps the order: what lies between two subdirectories is below the first, and not yet read.
        if branches[number]?.hasUnclaimed == false { frontier.removeLast() }
        begunCount += 1
        return Child(branch: number, ordinal: ordinal)
    }

    /// Looked for from the end, since what was just read mostly belongs near the writer.
    private mutating func insert(_ number: Int, _ path: [UInt8]) {
        let before = frontier.lastIndex { other in
            branches[other].map { $0.comes(after: path) } ?? false
        }
        frontier.insert(number, at: before.map { $0 + 1 } ?? 0)
    }
}
