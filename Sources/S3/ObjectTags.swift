//! The tags of an object, and the two forms in which they travel.

/// One tag: up to 128 and 256 characters on S3, ten to an object.
public struct ObjectTag: Hashable, Sendable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// The tags for `x-amz-tagging`: `key=value&…`, encoded as a URL's query with `%20` for a space,
/// which unlike `+` no server misreads (API reference, PutObject, x-amz-tagging).
public func urlQuery(of tags: [ObjectTag]) -> String {
    var text: [UInt8] = []
    for tag in tags {
        if !text.isEmpty { text.append(UInt8(ascii: "&")) }
        appendPercentEncoded(tag.key.utf8, to: &text)
        text.append(UInt8(ascii: "="))
        appendPercentEncoded(tag.value.utf8, to: &text)
    }
    return String(decoding: text, as: UTF8.self)
}
