//! UploadPart: sends one part of a multipart upload, over what was sent under its number before.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
public enum UploadPart {
    public struct Answer: Hashable, Sendable {
        /// What the server calls the part; Complete has to repeat it.
        public let etag: ETag?
    }

    /// S3's; a number's last part may be as large as the object's whole rest.
    public static let partNumberMax = 10_000

    /// `partNumber` counts from 1. `digest` is the part's, and of the algorithm that the upload was
    /// created for; without one the body is left to TLS.
    public static func request(
        bucket: String, key: ObjectKey, uploadID: String, partNumber: Int,
        digest: BodyDigest? = nil
    ) -> Request {
        precondition((1...partNumberMax).contains(partNumber), "parts are 1 to \(partNumberMax)")
        var request = Request(
            .put, operation: "UploadPart", bucket: bucket, key: key,
            query: [("partNumber", "\(partNumber)"), ("uploadId", uploadID)],
            payloadHash: .unsigned)
        // A part has no type of its own, but libcurl would add a form's.
        request.headers.append("content-type", "binary/octet-stream")
        digest?.cover(&request)
        return request
    }

    /// Throws with code NoSuchUpload when the upload was completed, aborted or has expired, 400
    /// when the body was damaged; the codes for that are many.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        return Answer(etag: response.etag)
    }
}
