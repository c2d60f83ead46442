//! HeadBucket: is the bucket there, and may we ask?

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
public enum HeadBucket {
    public struct Answer: Hashable, Sendable {
        /// The bucket's region, where the server tells it.
        public let region: String?
    }

    public static func request(bucket: String) -> Request {
        Request(.head, operation: "HeadBucket", bucket: bucket)
    }

    /// Throws with status 404 for no such bucket, 403 for no right to ask, 301 for another region.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        return Answer(region: response.bucketRegion)
    }
}
