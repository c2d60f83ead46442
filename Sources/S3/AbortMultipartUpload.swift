//! AbortMultipartUpload: gives up an upload, and the room that its parts take.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
public enum AbortMultipartUpload {
    public static func request(bucket: String, key: ObjectKey, uploadID: String) -> Request {
        Request(
            .delete, operation: "AbortMultipartUpload", bucket: bucket, key: key,
            query: [("uploadId", uploadID)])
    }

    /// Throws with code NoSuchUpload when there is none such any more. Parts that were on their way
    /// may outlive the abort: it is to be repeated until ListParts has none.
    public static func answer(_ response: Response, to request: Request) throws(S3Error) {
        try response.checkGranted(request)
    }
}
