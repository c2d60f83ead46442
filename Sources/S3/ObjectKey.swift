//! The name of an object: bytes, ordered as bytes, never normalised.

/// An object key: 1 to 1,024 bytes of UTF-8 (S3 User Guide, "Creating object key names").
///
/// The order is that of the bytes, which is S3's listing order and `LC_ALL=C sort`'s.
public struct ObjectKey: Hashable, Comparable, Sendable {
    /// What S3 allows at most.
    public static let byteCountMax = 1024

    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension ObjectKey: CustomStringConvertible {
    /// For messages only; bytes that are no UTF-8 are shown as U+FFFD.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
