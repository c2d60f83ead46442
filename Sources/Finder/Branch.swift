//! How far the reading of a directory's subdirectories is.

internal import DequeModule

/// A directory that was read, and the reading of its subdirectories: first those that were taken, then those that
/// were claimed, then the others. A class, since a table has it, out of which a value would be copied to be asked.
final class Branch {
    enum Reading {
        case begun
        case done(ReadAhead.Directory)
    }

    private let path: [UInt8]
    private let contents: DirectoryContents
    private var takenCount = 0
    private var claimed: Deque<Reading> = []

    init(path: [UInt8], _ contents: DirectoryContents) {
        self.path = path
        self.contents = contents
        claimed.reserveCapacity(min(subdirectories.count, 16))
    }

    private var subdirectories: [Int] { contents.listing.subdirectories }
    var isTaken: Bool { takenCount == subdirectories.count }
    var hasUnclaimed: Bool { takenCount + claimed.count < subdirectories.count }

    /// Whether what is left of the other directory comes before what is left of this one. Inside of a directory what
    /// was claimed comes before what is left, so what lies deeper is first.
    func comes(after other: [UInt8]) -> Bool {
        other.starts(with: path) || other.lexicographicallyPrecedes(path)
    }

    func isClaimed(_ ordinal: Int) -> Bool { ordinal < takenCount + claimed.count }

    func isDone(_ ordinal: Int) -> Bool {
        if case .done = claimed[ordinal - takenCount] { true } else { false }
    }

    /// Appends the path of a subdirectory, from the root on.
    func appendPath(of ordinal: Int, to path: inout [UInt8]) {
        path.append(contentsOf: self.path)
        let entry = contents.listing.entries[subdirectories[ordinal]]
        contents.listing.appendSegment(of: entry, to: &path)
    }

    func claim() -> Int {
        claimed.append(.begun)
        return takenCount + claimed.count - 1
    }

    func finish(_ ordinal: Int, _ directory: ReadAhead.Directory) {
        guard case .begun = claimed[ordinal - takenCount] else {
            preconditionFailure("finished, yet not begun")
        }
        claimed[ordinal - takenCount] = .done(directory)
    }

    /// The directory and its done neighbours, but none behind one that has subdirectories, nor many bytes; nil while
    /// it is being read.
    func take(from ordinal: Int) -> [ReadAhead.Directory]? {
        precondition(ordinal == takenCount, "the writer takes one after the other")
        guard isDone(ordinal) else { return nil }
        var directories: [ReadAhead.Directory] = []
        directories.reserveCapacity(
            min(claimed.count, Limits.writerWakeBytes / Limits.directoryOverheadBytes))
        var byteCount = 0
        while !claimed.isEmpty, isDone(takenCount),
            case .done(let directory) = claimed.removeFirst()
        {
            takenCount += 1
            directories.append(directory)
            byteCount += directory.byteCount
            guard directory.branch == nil, byteCount < Limits.writerWakeBytes else { break }
        }
        return directories
    }
}
