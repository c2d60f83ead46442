//! HeadObject: an object's facts without its bytes.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
public enum HeadObject {
    /// With a `partNumber`, from 1, the answer's size is that part's and its `partsCount` says how
    /// many there are; from servers that overlook it come the size of the whole and no count.
    public static func request(
        bucket: String, key: ObjectKey, ifMatch: ETag? = nil, partNumber: Int? = nil
    ) -> Request {
        var request = Request(.head, operation: "HeadObject", bucket: bucket, key: key)
        if let partNumber { request.query.append(("partNumber", "\(partNumber)")) }
        if let ifMatch { request.headers.append("if-match", ifMatch.quoted) }
        return request
    }

    /// Throws with status 404 and no code when the object (or its bucket) is not there, 412 when it
    /// is another than `ifMatch`: the answer to a HEAD has no body that could tell more.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> ObjectFacts {
        try response.checkGranted(request)
        guard let sizeBytes = response.contentLength else {
            throw response.unusable(request, because: "without the object's size (Content-Length)")
        }
        return ObjectFacts(of: response, sizeBytes: sizeBytes)
    }
}
