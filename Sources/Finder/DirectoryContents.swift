//! What reading one directory brought: its listing, and everything that is not in it.

internal import Linux

/// A directory as a reader hands it to the writer. A class, since it goes through some hands, mostly under the lock; a
/// small one, since there may be as many as files.
final class DirectoryContents: Sendable {
    /// How the reading of a directory can end.
    enum Outcome: Equatable, Sendable {
        case read
        /// It was deleted (or replaced by something else) after its parent was read.
        case vanished
        /// It could not be opened, or not be read to its end; what was read before that is in the listing.
        case unreadable(SystemError)
    }

    /// What most directories have nothing of.
    final class Remarks: Sendable {
        let outcome: Outcome
        /// The directory's own attributes; only for an empty one, where they were needed.
        let attributes: FileAttributes?
        /// The entries that the listing does not have.
        let left: LeftOut

        init(_ outcome: Outcome, _ attributes: FileAttributes?, _ left: LeftOut) {
            self.outcome = outcome
            self.attributes = attributes
            self.left = left
        }
    }

    let listing: DirectoryListing
    /// Whether the directory had not a single entry, of any kind.
    let isEmpty: Bool
    /// nil where it was read, and everything is in the listing.
    let remarks: Remarks?

    init(
        outcome: Outcome = .read, listing: DirectoryListing, isEmpty: Bool = true,
        attributes: FileAttributes? = nil, left: LeftOut = LeftOut()
    ) {
        self.listing = listing
        self.isEmpty = isEmpty
        let isPlain = outcome == .read && attributes == nil && left == LeftOut()
        remarks = isPlain ? nil : Remarks(outcome, attributes, left)
    }

    var outcome: Outcome { remarks?.outcome ?? .read }

    /// What this takes in memory, about.
    var byteCount: Int { Limits.directoryOverheadBytes + listing.byteCount }
}

/// Entries that are neither listed nor entered.
struct LeftOut: Equatable, Sendable {
    var symbolicLinks = 0
    var devices = 0
    var sockets = 0
    var fifos = 0
    var filteredOut = 0
    var vanished = 0
    /// Names of entries whose attributes were needed and could not be had, and why.
    var unreadable: [Unreadable] = []

    struct Unreadable: Equatable, Sendable {
        let name: [UInt8]
        let error: SystemError
    }

    /// Counts an entry that can be no object.
    mutating func count(_ kind: EntryKind) {
        switch kind {
        case .symbolicLink: symbolicLinks += 1
        case .socket: sockets += 1
        case .fifo: fifos += 1
        // The kinds of stat(2) end here; what a file system may add is no file either.
        case .device, .unknown: devices += 1
        case .file, .directory: preconditionFailure("\(kind) is not left out by its kind")
        }
    }
}

/// Reads directories, each as a whole. One reader is used by one thread.
protocol DirectoryReading {
    /// What the directory at `path` holds: relative to the root, empty for the root itself, else with a slash at
    /// its end. Never fails: what went wrong is part of the contents.
    func contents(of path: [UInt8]) -> DirectoryContents
}
