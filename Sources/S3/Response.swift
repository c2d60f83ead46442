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

    /// The server's name for this exchange, which its operators ask for.
    public var requestID: String? {
        headers["x-amz-request-id"].map { shownText($0, countMax: 100) }
    }

    /// The server's clock, from `Date` (RFC 9110, section 6.6.1).
    public var date: Timestamp? {
        headers["date"].flatMap { Timestamp(httpDate: $0) }
    }

    /// The length that the headers tell; nil when there is none or it is no number.
    public var contentLength: Int64? {
        headers.bytes(of: "content-length").flatMap(decimalNumber)
    }

    /// The entity tag; nil when there is none, or an empty one.
    var etag: ETag? {
        headers["etag"].map { ETag($0) }.flatMap { $0.text.isEmpty ? nil : $0 }
    }
}

/// The value of digits and nothing else; nil when it is beyond 64 bits.
func decimalNumber(_ digits: some Collection<UInt8>) -> Int64? {
    var value: Int64 = 0
    for digit in digits {
        guard isDigit(digit) else { return nil }
        let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowsToo) = tens.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
        guard !overflows, !overflowsToo else { return nil }
        value = sum
    }
    return digits.isEmpty ? nil : value
}
