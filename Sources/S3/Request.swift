//! One S3 request as a value: what is asked, not yet signed.

/// A request to an S3 endpoint, before it is signed.
///
/// It carries neither host nor date nor signature: the same value is signed anew for every attempt.
public struct Request: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// What stands in `x-amz-content-sha256` (SigV4, "Task 1: Create a canonical request").
    public enum PayloadHash: Sendable, Equatable {
        /// The SHA-256 of no bytes.
        case empty
        /// `UNSIGNED-PAYLOAD`: the body is covered by TLS or by a digest of its own.
        case unsigned
        /// The 32 bytes of the body's SHA-256.
        case sha256([UInt8])
    }

    public var method: Method
    /// What this asks for, in the words of the API reference: "GetObject".
    public var operation: String
    public var bucket: String
    /// nil for a request to the bucket itself.
    public var key: ObjectKey?
    /// Names and values of the query as they are meant, not yet encoded.
    public var query: [(name: String, value: String)]
    public var headers: HeaderFields
    public var payloadHash: PayloadHash
    /// The XML that an operation sends. An object's bytes are elsewhere, in the buffers of the
    /// exchange.
    public var body: [UInt8] = []

    public init(
        _ method: Method, operation: String, bucket: String, key: ObjectKey? = nil,
        query: [(name: String, value: String)] = [], payloadHash: PayloadHash = .empty
    ) {
        self.method = method
        self.operation = operation
        self.bucket = bucket
        self.key = key
        self.query = query
        self.headers = HeaderFields()
        self.payloadHash = payloadHash
    }
}
