//! What a server says in the body of a refusal.

/// The fields of an error response (S3 API reference, "Error responses", REST error responses).
///
/// Any bytes give a value: what is no XML of S3's (a proxy's HTML, nothing at all) has no code, and
/// its first characters are the message. All texts are safe to show: without control characters,
/// and short.
public struct S3ErrorBody: Hashable, Sendable {
    public static let messageCountMax = 400
    public static let foreignMessageCountMax = 200

    /// "NoSuchKey", "SlowDown", …; nil when the body is not S3's.
    public let code: String?
    public let message: String
    public let requestID: String?
    /// The bucket's region, with AuthorizationHeaderMalformed, PermanentRedirect and others.
    public let region: String?
    /// The server's clock, with RequestTimeTooSkewed.
    public let serverTime: Timestamp?
    /// Where to go instead, with PermanentRedirect.
    public let endpoint: String?
    public let bucket: String?

    public init(_ body: [UInt8]) {
        let document = XMLDocument(body)
        func text(_ name: String) -> String? {
            let text =
                document.text(at: "Error/\(name)")
                ?? document.text(at: "ErrorResponse/Error/\(name)")
            let shown = shownText(text ?? "", countMax: Self.messageCountMax)
            return shown.isEmpty ? nil : shown
        }
        code = text("Code")
        message =
            code == nil ? Self.foreignMessage(body) : text("Message") ?? ""
        requestID = text("RequestId")
        region = text("Region")
        serverTime = text("ServerTime").flatMap { Timestamp(iso8601: $0) }
        endpoint = text("Endpoint")
        bucket = text("BucketName") ?? text("Bucket")
    }

    private static func foreignMessage(_ body: [UInt8]) -> String {
        let start = body.prefix(foreignMessageCountMax * 16)
        return shownText(String(decoding: start, as: UTF8.self), countMax: foreignMessageCountMax)
    }
}
