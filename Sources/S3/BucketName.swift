//! The name of a bucket, checked as far as every server must agree.

/// A bucket's name that can stand in a path.
///
/// S3's own rules (3 to 63 lower-case letters, digits, dots and dashes) are not asked for, since
/// other servers allow more and the server's answer is the better judge.
public struct BucketName: Hashable, Sendable {
    public let text: String

    public init(_ text: String) throws(BucketNameError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= 255 else { throw .tooLong }
        guard text != ".", text != ".." else { throw .dots }
        guard !text.utf8.contains(UInt8(ascii: "/")) else { throw .slash }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .controlCharacter }
        self.text = text
    }
}

extension BucketName: CustomStringConvertible {
    public var description: String { text }
}

/// Why a text is no bucket name.
public enum BucketNameError: Error, Hashable {
    case empty
    case tooLong
    case dots
    case slash
    case controlCharacter
}

extension BucketNameError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "the bucket's name is empty"
        case .tooLong: "the bucket's name has more than 255 bytes"
        case .dots: "\".\" and \"..\" are no names of buckets"
        case .slash:
            "the bucket's name holds a \"/\": give the name alone, without a prefix or a URL"
        case .controlCharacter: "the bucket's name holds a space or a control character"
        }
    }
}
