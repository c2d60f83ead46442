//! Which files are listed, and what must be asked of each to know.

internal import S3

/// What a listing wants of the tree.
struct Selection: Sendable, Equatable {
    /// Only what changed at this second (since 1970) or later; nil for all.
    var changedSinceSeconds: Int64?
    /// Whether lines have sizes and times.
    var wantsAttributes: Bool
    /// Whether an empty directory is listed, as an object with a name that ends in a slash.
    var wantsMarkers: Bool

    init(
        laterThanDays days: Double? = nil,
        before reference: Timestamp = Timestamp(secondsSince1970: 0),
        wantsAttributes: Bool = false, wantsMarkers: Bool = false
    ) {
        self.changedSinceSeconds = days.map { secondsRoundedDown(reference, lessDays: $0) }
        self.wantsAttributes = wantsAttributes
        self.wantsMarkers = wantsMarkers
    }

    /// Whether an entry must be asked for its attributes: an answer is dear on a file system of the network, and
    /// for most listings the directory tells enough.
    func needsAttributes(of kind: EntryKind) -> Bool {
        switch kind {
        case .unknown: true
        case .file: wantsAttributes || changedSinceSeconds != nil
        case .directory, .symbolicLink, .device, .socket, .fifo: false
        }
    }

    func admits(_ attributes: FileAttributes) -> Bool {
        changedSinceSeconds.map { attributes.changedSeconds >= $0 } ?? true
    }
}

/// Rounded so that a doubtful file is listed rather than left out.
private func secondsRoundedDown(_ reference: Timestamp, lessDays days: Double) -> Int64 {
    let seconds = (Double(reference.secondsSince1970) - days * 86_400).rounded(.down)
    return Int64(exactly: seconds) ?? .min
}

/// What an entry of a directory is.
enum EntryKind: Equatable {
    case file, directory, symbolicLink, device, socket, fifo
    /// The file system does not tell in its directories.
    case unknown
}

/// What stat tells of a file.
struct FileAttributes: Equatable {
    var kind: EntryKind
    var sizeBytes: Int64
    var modifiedSeconds: Int64
    /// The later of the times of the contents (mtime) and of the name and attributes (ctime): a file that was
    /// renamed into the tree is new there, whatever its mtime.
    var changedSeconds: Int64
}
