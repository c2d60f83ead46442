//! What a server answered, as a value.

/// The answer to a request. An object's bytes are elsewhere (in the buffers that the exchange was
/// given); `body` is for XML and for errors.
public struct Response: Sendable {
    public var status: Int
    public var headers: HeaderFields
    public var body: [UInt8]

    public init(status: Int, headers: HeaderFields = HeaderFields(), body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
