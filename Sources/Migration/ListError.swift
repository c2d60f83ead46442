//! What can be wrong with key lists, told with the place and the remedy.

internal import S3

/// What can be wrong with one line, whatever stands around it.
public enum ListLineError: Error, Hashable, Sendable {
    /// No key at all.
    case empty
    /// More than `ObjectKey.byteCountMax` bytes.
    case keyTooLong
    case nul
    /// `offset` is that of the backslash in the line, in bytes.
    case badEscape(offset: Int)
    /// The line ends in a carriage return.
    case carriageReturn
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
        case .nul:
            "there is a NUL byte, which no key can hold; check that the file is a key list"
        case .badEscape(let offset):
            "the escape at byte \(offset + 1) is none of \\\\ \\t \\n \\r \\xHH; a line that begins with"
                + " a backslash is escaped: make the list with s3find, or mend it with s3find --from"
        case .carriageReturn:
            "the line ends in a carriage return (CRLF?); convert the list with tr -d '\\r'"
                + " (a key that really ends in one is written escaped: s3find --from)"
        case .badColumn(let number):
            "column \(number) is \(number == 2 ? "no size in bytes" : "empty or one too many");"
                + " a line is KEY, SIZE, MTIME, ETAG with tabs between, and a key that holds a tab"
                + " is written escaped: s3find --from"
        }
    }
}
