//! What is still failed after some runs, or found to differ: the keys for a second pass.

internal import Migration
public import S3

/// The keys whose last word, in the newest log that has one, is `fail`, or a verification's `missing` or `differs`; in
/// key order.
public struct StillFailed: ~Copyable {
    private var logs: LogMerge

    /// - Parameter folders: log folders, oldest first.
    public init(folders: [String]) throws(LogFolderError) {
        logs = try LogMerge(folders: folders)
    }

    /// The next key that is still failed; nil at the end.
    public mutating func next() throws(LogFolderError) -> ObjectKey? {
        while let (key, words) = try logs.next() {
            if words.last?.line.outcome.isInFailedLog ?? false { return key }
        }
        return nil
    }
}
