//! PutObject: writes a whole object, if its conditions hold.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
public enum PutObject {
    public struct Answer: Hashable, Sendable {
        /// What the server calls what it stored.
        public let etag: ETag?
    }

    /// When the object may be written ("Conditional writes", S3 User Guide).
    public enum Condition: Hashable, Sendable {
        case none
        /// Only where nothing is (`If-None-Match: *`).
        case ifAbsent
        /// Only over this content (`If-Match`).
        case ifMatch(ETag, IfMatchForm)
    }

    /// How a server wants the tag of `If-Match` when it is written to. RFC 9110 (section 13.1.1) and
    /// S3 have quotes; for Ceph a quoted tag is never the right one.
    public enum IfMatchForm: String, Hashable, Sendable, Codable {
        case quoted
        case unquoted
    }

    /// `metadata` is what `ObjectFacts.metadata` of the source held, `tagging` the tags in the form
    /// of `urlQuery(of:)`, `contentMD5` the body's 16 bytes of MD5, which the server then checks. A
    /// `payloadHash` of `.unsigned` leaves the body to TLS or to `contentMD5`.
    public static func request(
        bucket: String, key: ObjectKey, metadata: HeaderFields, tagging: String? = nil,
        condition: Condition, contentMD5: [UInt8]? = nil, payloadHash: Request.PayloadHash
    ) -> Request {
        var request = Request(
            .put, operation: "PutObject", bucket: bucket, key: key, payloadHash: payloadHash)
        appendMetadata(metadata, to: &request.headers)
        if let tagging, !tagging.isEmpty { request.headers.append("x-amz-tagging", tagging) }
        appendCondition(condition, to: &request.headers)
        if let contentMD5 {
            precondition(contentMD5.count == 16, "an MD5 has 16 bytes")
            request.headers.append("content-md5", base64Text(contentMD5))
        }
        return request
    }

    /// Throws with status 412 when the condition does not hold, 409 when another write was going
    /// on, 400 BadDigest when the body was damaged.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        return Answer(etag: response.etag)
    }

    /// There is always a Content-Type, because libcurl would add one of its own. Where the source
    /// has none it is S3's default.
    static func appendMetadata(_ metadata: HeaderFields, to headers: inout HeaderFields) {
        if metadata.bytes(of: "content-type")?.isEmpty ?? true {
            headers.append("content-type", "binary/octet-stream")
        }
        for index in 0..<metadata.count {
            let value = metadata.value(at: index)
            if value.isEmpty, metadata.isNamed("content-type", at: index) { continue }
            headers.append(name: metadata.name(at: index), value: value)
        }
    }

    static func appendCondition(_ condition: Condition, to headers: inout HeaderFields) {
        switch condition {
        case .none: break
        case .ifAbsent: headers.append("if-none-match", "*")
        case .ifMatch(let etag, .quoted): headers.append("if-match", etag.quoted)
        case .ifMatch(let etag, .unquoted): headers.append("if-match", etag.text)
        }
    }
}
