//! A file of a key list as the merge knows it: its name, and what it is said to hold.

public import S3

/// A file of sorted lines, and what is known of it beforehand.
public struct ListChunk: Hashable, Sendable {
    public var folder: String
    public var name: String
    /// nil when it is not known; then the chunk is opened at once.
    public var firstKey: ObjectKey?
    public var lastKey: ObjectKey?
    public var lineCount: Int?

    public init(
        folder: String, name: String, firstKey: ObjectKey? = nil, lastKey: ObjectKey? = nil,
        lineCount: Int? = nil
    ) {
        self.folder = folder
        self.name = name
        self.firstKey = firstKey
        self.lastKey = lastKey
        self.lineCount = lineCount
    }

    public var path: String {
        folder.isEmpty || folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }
}
