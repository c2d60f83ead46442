//! Why a request was not answered as hoped: what retries, logs and messages are made from.

/// A refusal, or an answer that cannot be used. The verdict (what is tried again) is not made here.
public struct S3Error: Error, Hashable, Sendable {
    /// In the words of the API reference: "PutObject".
    public let operation: String
    public let key: ObjectKey?
    /// The HTTP status. One of 200 to 299 with no code means that the answer lacks something or
    /// contradicts itself; with a code, that the body told of an error after all.
    public let status: Int
    /// S3's code; nil when the answer had none, as every answer to a HEAD.
    public let code: String?
    public let message: String
    public let requestID: String?
    /// The region that the server named, in its body or in `x-amz-bucket-region`.
    public let region: String?
    /// The server's clock when it answered.
    public let serverTime: Timestamp?

    /// The error that a server answered with.
    public init(_ response: Response, to request: Request) {
        let body = S3ErrorBody(response.body)
        self.init(response, to: request, body: body, message: body.message)
    }

    /// An answer that cannot be used although its status is good; `message` tells why.
    init(unusable response: Response, to request: Request, because message: String) {
        self.init(response, to: request, body: nil, message: message)
    }

    private init(_ response: Response, to request: Request, body: S3ErrorBody?, message: String) {
        self.operation = request.operation
        self.key = request.key
        self.status = response.status
        self.code = body?.code
        self.message = message
        self.requestID = response.requestID ?? body?.requestID
        self.region = body?.region ?? response.bucketRegion
        self.serverTime = body?.serverTime ?? response.date
    }
}

extension S3Error: CustomStringConvertible {
    /// `PutObject answered 403 AccessDenied: message (request id …)`.
    public var description: String {
        var text = "\(operation) answered \(status)"
        if let code { text += " \(code)" }
        if !message.isEmpty { text += ": \(message)" }
        if let requestID, !requestID.isEmpty { text += " (request id \(requestID))" }
        return text
    }
}

extension Response {
    /// What `x-amz-bucket-region` says, which S3 sends even with a refused HeadBucket.
    var bucketRegion: String? {
        headers["x-amz-bucket-region"].map { shownText($0, countMax: 100) }
    }

    /// Throws unless the request was granted. A body that tells of an error counts more than a good
    /// status: S3 begins some answers before it knows their end (API reference,
    /// CompleteMultipartUpload, CopyObject).
    func checkGranted(_ request: Request) throws(S3Error) {
        guard (200..<300).contains(status), !body.tellsOfError else {
            throw S3Error(self, to: request)
        }
    }

    func unusable(_ request: Request, because message: String) -> S3Error {
        S3Error(unusable: self, to: request, because: message)
    }
}

extension [UInt8] {
    /// Whether the root element is `Error`; the spaces before it may be many, which keep a
    /// connection alive.
    fileprivate var tellsOfError: Bool {
        var rest = drop { $0 <= 0x20 }
        if rest.starts(with: "<?xml".utf8) {
            rest = rest.drop { $0 != UInt8(ascii: ">") }.dropFirst().drop { $0 <= 0x20 }
        }
        return rest.starts(with: "<Error>".utf8) || rest.starts(with: "<Error ".utf8)
    }
}
