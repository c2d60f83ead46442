//! GetObject: an object's bytes, or a range of them, and its facts.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
public enum GetObject {
    public struct Answer: Sendable {
        public let facts: ObjectFacts
        /// Which bytes of the object the body holds. It may be another range than was asked for.
        public let bytes: Range<Int64>
    }

    /// `bytes` is half-open and not empty; nil asks for all, which is also how an empty object is
    /// asked for. With `ifMatch` the answer is of this very content, if the server knows
    /// conditions.
    public static func request(
        bucket: String, key: ObjectKey, bytes: Range<Int64>? = nil, ifMatch: ETag? = nil
    ) -> Request {
        var request = Request(.get, operation: "GetObject", bucket: bucket, key: key)
        if let bytes { request.headers.append("range", ContentRange.header(bytes)) }
        if let ifMatch { request.headers.append("if-match", ifMatch.quoted) }
        return request
    }

    /// Reads which bytes came, whatever the status says: there are servers that answer a range with
    /// 200, with `Content-Range` and a part of the object.
    ///
    /// Throws with status 404 and code NoSuchKey for an object that is gone, 412 for another than
    /// `ifMatch`, 416 for a range beyond the end; any range is beyond the end of an empty object.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        if let value = response.headers.bytes(of: "content-range") {
            return try rangeAnswer(value, response, request)
        }
        guard response.status == 200 else {
            throw response.unusable(request, because: "without a Content-Range")
        }
        guard let sizeBytes = response.contentLength else {
            throw response.unusable(request, because: "without the object's size (Content-Length)")
        }
        return Answer(facts: ObjectFacts(of: response, sizeBytes: sizeBytes), bytes: 0..<sizeBytes)
    }

    /// The object's size as a 416 tells it (`Content-Range: bytes */TOTAL`); nil when it does not.
    public static func sizeBytes(ofUnsatisfied response: Response) -> Int64? {
        guard response.status == 416 else { return nil }
        return response.headers.bytes(of: "content-range").flatMap(ContentRange.unsatisfiedTotal)
    }

    private static func rangeAnswer(
        _ value: ArraySlice<UInt8>, _ response: Response, _ request: Request
    ) throws(S3Error) -> Answer {
        guard let range = ContentRange(value) else {
            throw response.unusable(request, because: "with a Content-Range that is none")
        }
        if let length = response.contentLength, length != Int64(range.bytes.count) {
            throw response.unusable(
                request, because: "with a Content-Length that is not its range's")
        }
        let facts = ObjectFacts(of: response, sizeBytes: range.totalSizeBytes)
        return Answer(facts: facts, bytes: range.bytes)
    }
}
