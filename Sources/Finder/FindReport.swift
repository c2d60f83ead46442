//! What came of a listing, in figures and in words.

public import Migration

/// The result of a finished listing.
public struct FindReport: Sendable {
    public let manifest: Manifest
    /// Where the lists are.
    public let folder: String
    public let elapsed: Duration

    /// Whether something that should be in the list is not.
    public var hasGaps: Bool {
        manifest.counts.unreadable > 0 || manifest.counts.unnameable > 0
    }

    /// What the user is told at the end, some lines of text.
    public var summary: [String] {
        [result, emptyDirectories, leftOut].compactMap { $0 }
    }

    /// What the user is told even when it should be quiet: the reason for exit code 1.
    public var gaps: [String] {
        let counts = manifest.counts
        var gaps: [String] = []
        if counts.unreadable > 0 {
            gaps.append(
                "THE LIST IS INCOMPLETE: \(counted(counts.unreadable, "place")) could not be read "
                    + "(see above); give this user access and list again")
        }
        if counts.unnameable > 0 {
            gaps.append(
                "NOT LISTED: \(counted(counts.unnameable, "file")) whose path is no S3 key; "
                    + "rename or leave behind")
        }
        return gaps
    }

    private var result: String {
        let size = manifest.bytes.map { " of \($0) bytes" } ?? ""
        let seconds = elapsed / .seconds(1)
        let rate = Int(Double(manifest.objects) / max(seconds, 0.001))
        return "\(counted(manifest.objects, "object"))\(size) in "
            + "\(counted(manifest.counts.directories, "directory", "directories")), "
            + "\(counted(manifest.chunks.count, "chunk")) in \(folder), "
            + "\(clockText(elapsed)) (\(rate)/s)"
    }

    private var emptyDirectories: String? {
        let count = manifest.counts.emptyDirectories
        guard count > 0 else { return nil }
        return "\(counted(count, "empty directory", "empty directories"))"
    }

    private var leftOut: String? {
        let counts = manifest.counts
        let kinds = [
            (counts.filteredOut, "not changed lately", "not changed lately"),
            (counts.symbolicLinks, "symbolic link", "symbolic links"),
            (counts.devices, "device", "devices"), (counts.sockets, "socket", "sockets"),
            (counts.fifos, "fifo", "fifos"),
            (counts.vanished, "deleted meanwhile", "deleted meanwhile"),
        ]
        let texts = kinds.filter { $0.0 > 0 }.map { counted($0.0, $0.1, $0.2) }
        return texts.isEmpty ? nil : "left out: " + texts.joined(separator: ", ")
    }
}

func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    "\(count) \(count == 1 ? one : many ?? one + "s")"
}
