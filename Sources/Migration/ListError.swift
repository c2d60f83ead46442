//! What can be wrong with key lists, told with the place and the remedy.

public import S3

/// Why key lists cannot be used. The text names the file, the line, the keys, and what mends it.
///
/// Indirect, so that the hot loops, which may throw it, hand around no more than a pointer.
public indirect enum ListError: Error, Hashable, Sendable {
    case badLine(ListLineError, at: ListPlace)
    case duplicateKey(ObjectKey, first: ListPlace, second: ListPlace)
    /// `key` comes after `greater`, which is greater.
    case outOfOrder(key: ObjectKey, at: ListPlace, greater: ObjectKey, greaterAt: ListPlace)
    /// The file is not what the manifest, or the check before the run, says of it.
    case changed(path: String, detail: String)
    /// The folder cannot be a folder of key lists.
    case badFolder(path: String, FolderProblem)
    case badManifest(path: String, detail: String)
    /// Two folders that are one, or two names of one listing.
    case sameLists(String, String)
    /// A system call failed; `detail` is the system's own text.
    case failed(operation: String, path: String, detail: String)
    /// Lists must be merged on disk first, and there is no room for it.
    case diskFull(path: String, neededBytes: Int64)
}

/// What can be wrong with a folder as a whole.
public enum FolderProblem: Hashable, Sendable {
    case missing
    case notADirectory
    /// With the system's own text.
    case unreadable(String)
    case holdsDirectory(String)
    /// Something that is no regular file.
    case holdsSpecialFile(String)
    /// Chunks with s3find's names, and no manifest.
    case interrupted(example: String)
    /// The manifest says itself that something is missing.
    case incomplete
    /// A file that the manifest does not name.
    case unexpectedFile(String)
}

/// A line of a list, counted from 1.
public struct ListPlace: Hashable, Sendable {
    public var path: String
    public var line: Int

    public init(path: String, line: Int) {
        self.path = path
        self.line = line
    }
}

extension ListPlace: CustomStringConvertible {
    public var description: String { "\(path), line \(line)" }
}

extension ListError: CustomStringConvertible {
    /// What is wrong, where, and what mends it.
    public var description: String {
        switch self {
        case .badLine(let error, let place):
            "\(place): \(error)"
        case .duplicateKey(let key, let first, let second):
            "\(second): the key \(shown(key)) is listed twice, first at \(first); each key may stand"
                + " once in all lists of a side: use LC_ALL=C sort -u or s3find --from FILE DIR, or take"
                + " one of the lists away"
        case .outOfOrder(let key, let place, let greater, let greaterPlace):
            "\(place): the key \(shown(key)) comes after \(shown(greater)) (\(greaterPlace)), which is"
                + " greater; " + sortRemedy(key, greater)
        case .changed(let path, let detail):
            "\(path): the file is not what it was said to be: \(detail); it was changed or cut off:"
                + " make the list again"
        case .badFolder(let path, let problem):
            "\(path): \(problem)"
        case .badManifest(let path, let detail):
            "\(path): \(detail)"
        case .sameLists(let one, let other):
            "\(one) and \(other) are the same key lists; give each folder once, the source's with"
                + " --src-folder and the destination's with --dest-folder"
        case .failed(let operation, let path, let detail):
            "\(path): cannot \(operation): \(detail)"
        case .diskFull(let path, let neededBytes):
            "\(path): the disk is full; the lists overlap too much to be merged at once, so"
                + " \(neededBytes) bytes are needed here: free them, or sort all lists into one"
                + " file with LC_ALL=C sort -m"
        }
    }
}

extension FolderProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing:
            "there is no such folder; make it (it may be empty where nothing is known)"
        case .notADirectory:
            "this is no folder; give the folder that holds the key lists"
        case .unreadable(let detail):
            "the folder cannot be read: \(detail)"
        case .holdsDirectory(let name):
            "the folder holds another folder, \(name); give that one as a folder of its own,"
                + " or move it away"
        case .holdsSpecialFile(let name):
            "\(name) is no regular file; a folder of key lists holds nothing else"
        case .interrupted(let example):
            "\(example) was written by s3find, but there is no \(Manifest.fileName): the listing was"
                + " interrupted; list again, or go on without what is missing with"
                + " --allow-incomplete-list"
        case .incomplete:
            "the listing is not complete (s3find could not read all of it); list again, or go on"
                + " without what is missing with --allow-incomplete-list"
        case .unexpectedFile(let name):
            "\(name) is not named in \(Manifest.fileName); the folder mixes lists: move it away,"
                + " or list again"
        }
    }
}

private func shown(_ key: ObjectKey) -> String { KeyListLine.escaped(key) }

/// `sort` orders lines as they are written, so it cannot order keys that are written escaped.
private func sortRemedy(_ keys: ObjectKey...) -> String {
    keys.contains { KeyListLine.needsEscape($0.bytes.span) }
        ? "the order is that of the unescaped bytes: s3find --from FILE --escaped DIR sorts so"
        : "the order is that of the bytes: sort each file with LC_ALL=C sort, or all of them with"
            + " s3find --from FILE DIR"
}

/// What can be wrong with one line, whatever stands around it.
public enum ListLineError: Error, Hashable, Sendable {
    /// No key at all.
    case empty
    /// More than `ObjectKey.byteCountMax` bytes.
    case keyTooLong
    /// More than `KeyListLine.byteCountMax` bytes, whatever they are.
    case lineTooLong
    /// More than `KeyListLine.columnsByteCountMax` bytes behind the key.
    case columnsTooLong
    case nul
    /// `offset` is that of the backslash in the line, in bytes.
    case badEscape(offset: Int)
    /// The line ends in a carriage return.
    case carriageReturn
    /// The line begins with a backslash and has no escape behind it.
    case plainBackslash
    /// The column of this number (the key is 1) is empty, is no size, or is one too many.
    case badColumn(Int)
}

extension ListLineError: CustomStringConvertible {
    /// What is wrong and what mends it.
    public var description: String {
        switch self {
        case .empty:
            "there is no key; take empty lines out of the list"
        case .keyTooLong:
            "the key is longer than the \(ObjectKey.byteCountMax) bytes that S3 allows;"
                + " check that the file is a key list"
        case .lineTooLong:
            "the line is longer than \(KeyListLine.byteCountMax) bytes, and a key has at most"
                + " \(ObjectKey.byteCountMax); check that the file is a key list"
        case .columnsTooLong:
            "behind the key there are more than \(KeyListLine.columnsByteCountMax) bytes of columns; a line is"
                + " KEY, SIZE, MTIME, ETAG with tabs between"
        case .nul:
            "there is a NUL byte, which no key can hold; check that the file is a key list"
        case .badEscape(let offset):
            "the escape at byte \(offset + 1) is none of \\\\ \\t \\n \\r \\xHH; a line that begins with"
                + " a backslash is escaped: s3find --from FILE DIR makes such a list of plain names"
        case .carriageReturn:
            "the line ends in a carriage return (CRLF?); convert the list with tr -d '\\r'"
                + " (a key that really ends in one is written escaped, as \\NAME\\r)"
        case .plainBackslash:
            "the line begins with a backslash, which marks an escaped key, and has no escape: a key that"
                + " begins with a backslash is written \\\\\\NAME; s3find --from FILE DIR makes such a list"
                + " of plain names"
        case .badColumn(let number):
            "column \(number) is \(number == 2 ? "no size in bytes" : "empty or one too many");"
                + " a line is KEY, SIZE, MTIME, ETAG with tabs between, and a key that holds a tab"
                + " is written escaped, as \\A\\tB"
        }
    }
}
