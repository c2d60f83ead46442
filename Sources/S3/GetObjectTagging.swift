//! GetObjectTagging: the tags of an object that is said to have some.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>
public enum GetObjectTagging {
    public static func request(bucket: String, key: ObjectKey) -> Request {
        Request(
            .get, operation: "GetObjectTagging", bucket: bucket, key: key, query: [("tagging", "")])
    }

    /// The tags in the server's order. An answer that was not read whole and exactly is an error: a
    /// tag must not be lost in silence.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> [ObjectTag] {
        try response.checkGranted(request)
        let document = XMLDocument(response.body)
        if let failure = document.failure {
            throw response.unusable(request, because: failure.description)
        }
        guard !document.isMended, document.elements.last?.path == "Tagging" else {
            throw response.unusable(request, because: "the body is no readable Tagging")
        }
        return tags(of: document)
    }

    private static func tags(of document: XMLDocument) -> [ObjectTag] {
        var tags: [ObjectTag] = []
        var (key, value) = ("", "")
        for element in document.elements {
            switch element.path {
            case "Tagging/TagSet/Tag/Key": key = element.text
            case "Tagging/TagSet/Tag/Value": value = element.text
            case "Tagging/TagSet/Tag":
                tags.append(ObjectTag(key: key, value: value))
                (key, value) = ("", "")
            default: break
            }
        }
        return tags
    }
}
