//! What came of a sort, in figures and in words.

internal import Linux
public import Migration
internal import Synchronization

/// The result of a finished listing of a file.
public struct FileListingReport: Sendable {
    public let manifest: Manifest
    /// Where the lists are.
    public let folder: String
    /// What the operator should look at, in sentences.
    public let warnings: [String]
    public let elapsed: Duration

    /// What the user is told at the end, some lines of text.
    public var summary: [String] {
        let rate = Int(Double(manifest.objects) / max(elapsed / .seconds(1), 0.001))
        let size = manifest.bytes.map { " of \($0) bytes" } ?? ""
        let result =
            "\(counted(manifest.objects, "key"))\(size), \(counted(manifest.chunks.count, "chunk")) in "
            + "\(folder), \(clockText(elapsed)) (\(rate)/s)"
        guard let repeated = manifest.counts.repeated, repeated > 0 else { return [result] }
        return [
            result,
            "left out: \(counted(repeated, "line")) whose key stands in a later line too, which was kept",
        ]
    }
}

/// A moment of a sort.
struct SortProgress: Equatable {
    /// Keys that were read.
    var read: Int
    /// Lines written.
    var objects: Int
    var elapsed: Duration

    /// `read=1234567 (45678.9/s) obj=1000 0h:01m:10s`; while keys are read, none is written yet.
    var line: String {
        let tenths = Int((Double(read) / max(elapsed / .seconds(1), 0.001) * 10).rounded())
        return "read=\(read) (\(tenths / 10).\(tenths % 10)/s) obj=\(objects) \(clockText(elapsed))"
    }
}

extension SortProgress {
    init(_ tally: SharedTally, elapsed: Duration) {
        self.init(
            read: tally.found.load(ordering: .relaxed),
            objects: tally.objects.load(ordering: .relaxed), elapsed: elapsed)
    }
}
