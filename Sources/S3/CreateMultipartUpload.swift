//! CreateMultipartUpload: begins an object that will be sent in parts.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
public enum CreateMultipartUpload {
    /// `metadata` and `tagging` are as in `PutObject.request`: the object gets them from here.
    ///
    /// `digest` is how the parts will be covered. A CRC has to be named now: the whole object's is
    /// then a CRC of the parts' CRCs (`COMPOSITE`) for CRC32C, which S3 wants repeated in Complete,
    /// and one of all bytes (`FULL_OBJECT`) for CRC64NVME. SHA-256 and MD5 go with each part alone.
    public static func request(
        bucket: String, key: ObjectKey, metadata: HeaderFields, tagging: String? = nil,
        digest: BodyDigest.Algorithm? = nil
    ) -> Request {
        var request = Request(
            .post, operation: "CreateMultipartUpload", bucket: bucket, key: key,
            query: [("uploads", "")])
        PutObject.appendMetadata(metadata, to: &request.headers)
        if let tagging, !tagging.isEmpty { request.headers.append("x-amz-tagging", tagging) }
        appendChecksum(digest, to: &request.headers)
        return request
    }

    /// No server's id is nearly as long; a longer one could not be kept in a log.
    public static let uploadIDByteCountMax = 1024

    /// The upload's id, which is never empty.
    ///
    /// It is taken wherever it stands, also from a document of another name (rclone) or one that
    /// breaks off behind it: the upload is there, and who does not know its id cannot remove it.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> String {
        try response.checkGranted(request)
        let elements = XMLDocument(response.body).elements
        let id = elements.first { $0.path.hasSuffix("/UploadId") }?.text ?? ""
        guard !id.isEmpty else {
            throw response.unusable(request, because: "without an upload's id (UploadId)")
        }
        guard id.utf8.count <= uploadIDByteCountMax else {
            throw response.unusable(
                request,
                because: "with an upload's id of \(id.utf8.count) bytes: no more than "
                    + "\(uploadIDByteCountMax) can be kept")
        }
        return id
    }

    private static func appendChecksum(
        _ digest: BodyDigest.Algorithm?, to headers: inout HeaderFields
    ) {
        switch digest {
        case .crc32c:
            headers.append("x-amz-checksum-algorithm", "CRC32C")
            headers.append("x-amz-checksum-type", "COMPOSITE")
        case .crc64nvme:
            headers.append("x-amz-checksum-algorithm", "CRC64NVME")
            headers.append("x-amz-checksum-type", "FULL_OBJECT")
        case .sha256, .md5, nil: break
        }
    }
}
