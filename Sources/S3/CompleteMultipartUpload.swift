//! CompleteMultipartUpload: makes an object out of the parts that were sent, if its conditions hold.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
public enum CompleteMultipartUpload {
    /// A part as the server named it.
    public struct Part: Hashable, Sendable {
        public let number: Int
        public let etag: ETag
        /// What the part was sent with. Only a CRC32C is repeated: an upload whose checksum is
        /// composite wants it.
        public let digest: BodyDigest?

        public init(number: Int, etag: ETag, digest: BodyDigest? = nil) {
            self.number = number
            self.etag = etag
            self.digest = digest
        }
    }

    public struct Answer: Hashable, Sendable {
        /// What the server calls the object; nil where it does not tell (Ceph).
        public let etag: ETag?
    }

    /// The request carries its body, about 100 bytes for each part. `parts` are those of the object,
    /// in ascending order: at least one, at most `UploadPart.partNumberMax`.
    public static func request(
        bucket: String, key: ObjectKey, uploadID: String, parts: [Part],
        condition: PutObject.Condition
    ) -> Request {
        let body = xml(of: parts)
        var request = Request(
            .post, operation: "CompleteMultipartUpload", bucket: bucket, key: key,
            query: [("uploadId", uploadID)], payloadHash: .sha256(SHA256.digest(of: body)))
        request.headers.append("content-type", "application/xml")
        PutObject.appendCondition(condition, to: &request.headers)
        request.body = body
        return request
    }

    /// Throws what S3 says in the body after a status of 200, too: it begins the answer before the
    /// work is done.
    ///
    /// Status 412 when the condition does not hold, 409 when another write was going on, code
    /// NoSuchUpload also when an earlier attempt has succeeded, InvalidPart when a part is not what
    /// `parts` said, EntityTooSmall for a part below 5 MiB that is not the last.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        let document = try response.document("CompleteMultipartUploadResult", of: request)
        let etag = document.text(at: "CompleteMultipartUploadResult/ETag").map { ETag($0) }
        return Answer(etag: etag.flatMap { $0.text.isEmpty ? nil : $0 })
    }

    private static func xml(of parts: [Part]) -> [UInt8] {
        precondition(!parts.isEmpty, "an object has at least one part")
        precondition(parts.count <= UploadPart.partNumberMax, "more parts than any object has")
        var xml = Array(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".utf8)
        var last = 0
        for part in parts {
            precondition(part.number > last, "parts stand in ascending order")
            last = part.number
            append(part, to: &xml)
        }
        xml.append(contentsOf: "</CompleteMultipartUpload>".utf8)
        return xml
    }

    private static func append(_ part: Part, to xml: inout [UInt8]) {
        xml.append(contentsOf: "<Part>".utf8)
        if case .crc32c = part.digest, let text = part.digest?.base64 {
            xml.append(contentsOf: "<ChecksumCRC32C>\(text)</ChecksumCRC32C>".utf8)
        }
        xml.append(contentsOf: "<ETag>".utf8)
        appendXMLEscaped(part.etag.quoted, to: &xml)
        xml.append(contentsOf: "</ETag><PartNumber>\(part.number)</PartNumber></Part>".utf8)
    }
}
