//! What is wrong with one entry of the tree, and how its path is shown.

internal import Linux
internal import Migration
internal import S3

/// Something that should be in the list and is not.
enum FindProblem: Equatable {
    /// A directory, or an entry whose attributes were needed.
    case unreadable([UInt8], SystemError)
    /// A directory that is gone: mostly deleted by a client, but a file system may also give names that it then
    /// denies.
    case vanished([UInt8])
    /// A file whose path is not UTF-8.
    case notText([UInt8])
    /// A file whose path is longer than a key may be.
    case tooLong([UInt8])
}

extension FindProblem: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreadable(let path, let error):
            "cannot read \(shown(path)): \(error)"
        case .vanished(let path):
            "deleted during the listing: \(shown(path))"
        case .notText(let path):
            "not listed, its name is not UTF-8 and so no S3 key: \(shown(path))"
        case .tooLong(let path):
            "not listed, its path has \(path.count) bytes and an S3 key at most "
                + "\(ObjectKey.byteCountMax): \(shown(path))"
        }
    }
}

/// The path as text in one line without control characters, so that no file name can write to the terminal as it
/// likes. As in lists, a text that begins with a backslash is escaped, and only that.
func shown(_ path: [UInt8]) -> String {
    guard !path.isEmpty else { return "the directory itself" }
    var bytes: [UInt8] = []
    KeyListLine.appendEscaped(key: path.span, to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "?" : $0 }))
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
}
