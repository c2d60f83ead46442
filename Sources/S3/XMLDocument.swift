//! The XML of S3's answers as a flat list of elements, read by expat within bounds.

/// An answer's XML (S3 API reference, "Common data types" and each operation's response syntax).
///
/// S3's answers are shallow, so an element is its path and its text, in the order in which elements
/// end. A structure's own end follows its members and has no text: `Tag/Key`, `Tag/Value`, `Tag`.
///
/// Nothing throws: what was complete before an error stands in `elements`, and `failure` tells what
/// was wrong, because a cut error message is still worth showing. Who needs all of it asks for
/// `failure == nil`, and who needs exact texts for `!isMended`.
public struct XMLDocument: Sendable {
    public struct Element: Hashable, Sendable {
        /// The names from the root, joined by `/`: `Error/Code`.
        public let path: String
        /// The characters between the tags, entities resolved; empty for an element with children.
        public let text: String
    }

    public static let byteCountMax = 8 << 20
    public static let depthMax = 32
    /// A page of 1,000 keys has less than 10,000 elements.
    public static let elementCountMax = 100_000
    /// With the count above it bounds what the paths of a hostile answer can take.
    public static let pathByteCountMax = 512

    public let elements: [Element]
    public let failure: XMLFailure?
    /// The text held characters that XML 1.0 forbids, and they were replaced by U+FFFD: servers
    /// write keys with control characters as they are. A key read from such a document may not be
    /// the real one.
    public let isMended: Bool

    public init(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountMax else {
            (elements, failure, isMended) = ([], .tooLarge, false)
            return
        }
        var reader = XMLReader()
        var mended: [UInt8]?
        reader.read(bytes)
        if case .malformed = reader.content.failure { mended = mendedXML(bytes) }
        if let mended {
            reader = XMLReader()
            reader.read(mended)
        }
        elements = reader.content.elements
        failure = reader.content.failure
        isMended = mended != nil
    }

    /// The text of the first element with this path.
    public func text(at path: String) -> String? {
        elements.first { $0.path == path }?.text
    }
}

/// Why a document was not read to its end.
public enum XMLFailure: Error, Hashable, Sendable {
    case tooLarge
    case tooDeep
    case tooManyElements
    case nameTooLong
    /// S3's answers have no DTD; refusing it refuses every trick with entities.
    case doctype
    case malformed(reason: String, line: Int)
}

extension XMLFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge: "the XML has more than \(XMLDocument.byteCountMax) bytes"
        case .tooDeep: "the XML is nested deeper than \(XMLDocument.depthMax)"
        case .tooManyElements: "the XML has more than \(XMLDocument.elementCountMax) elements"
        case .nameTooLong: "the XML has names longer than any of S3's"
        case .doctype: "the XML has a document type, which no S3 answer has"
        case .malformed(let reason, let line): "the XML is broken in line \(line): \(reason)"
        }
    }
}
