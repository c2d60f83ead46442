//! DeleteObject: removes an object, such as the probe's own.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
public enum DeleteObject {
    public static func request(bucket: String, key: ObjectKey) -> Request {
        Request(.delete, operation: "DeleteObject", bucket: bucket, key: key)
    }

    /// An object that was not there is no error.
    public static func answer(_ response: Response, to request: Request) throws(S3Error) {
        try response.checkGranted(request)
    }
}
