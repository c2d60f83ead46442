//! PutObjectTagging: replaces the tags of an object whose PUT could not carry them.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>
///
/// Only for servers that are known to have it: one that overlooks the query (rclone) takes the XML
/// for the object's new content and answers 200.
public enum PutObjectTagging {
    /// The request carries its body and the digests of it.
    public static func request(bucket: String, key: ObjectKey, tags: [ObjectTag]) -> Request {
        let body = xml(of: tags)
        var request = Request(
            .put, operation: "PutObjectTagging", bucket: bucket, key: key,
            query: [("tagging", "")], payloadHash: .sha256(SHA256.digest(of: body)))
        request.headers.append("content-type", "application/xml")
        request.headers.append("content-md5", base64Text(MD5.digest(of: body)))
        request.body = body
        return request
    }

    public static func answer(_ response: Response, to request: Request) throws(S3Error) {
        try response.checkGranted(request)
    }

    private static func xml(of tags: [ObjectTag]) -> [UInt8] {
        var xml = Array("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>".utf8)
        for tag in tags {
            xml.append(contentsOf: "<Tag><Key>".utf8)
            appendXMLEscaped(tag.key, to: &xml)
            xml.append(contentsOf: "</Key><Value>".utf8)
            appendXMLEscaped(tag.value, to: &xml)
            xml.append(contentsOf: "</Value></Tag>".utf8)
        }
        xml.append(contentsOf: "</TagSet></Tagging>".utf8)
        return xml
    }
}
