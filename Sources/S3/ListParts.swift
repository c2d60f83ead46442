//! ListParts: what a multipart upload has received so far.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
public enum ListParts {
    public struct Part: Hashable, Sendable {
        public let number: Int
        public let etag: ETag
        public let sizeBytes: Int64
        /// The CRC that the server has checked and kept, if it keeps one.
        public let digest: BodyDigest?
    }

    public struct Answer: Hashable, Sendable {
        /// In the server's order, which is that of the numbers; 1,000 on a page.
        public let parts: [Part]
        /// The number after which to ask for more; nil when this was the last page.
        public let next: Int?
    }

    /// Asks for the parts with higher numbers than `partNumber`.
    public static func request(
        bucket: String, key: ObjectKey, uploadID: String, after partNumber: Int = 0
    ) -> Request {
        var request = Request(
            .get, operation: "ListParts", bucket: bucket, key: key,
            query: [("uploadId", uploadID)])
        if partNumber > 0 { request.query.append((markerName, "\(partNumber)")) }
        return request
    }

    /// An answer that was not read whole, that lacks a part's number, tag or size, or that leads
    /// back to where it came from is an error: a part must not be overlooked in silence.
    ///
    /// Throws with code NoSuchUpload (Ceph: NoSuchKey) when the upload was completed or aborted.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        let document = try response.document("ListPartsResult", of: request)
        guard let parts = parts(of: document) else {
            throw response.unusable(request, because: "with a Part that is none")
        }
        guard document.text(at: "ListPartsResult/IsTruncated") == "true" else {
            return Answer(parts: parts, next: nil)
        }
        guard let next = number(document.text(at: "ListPartsResult/NextPartNumberMarker")),
            next > number(request.query.first { $0.name == markerName }?.value) ?? 0
        else {
            throw response.unusable(request, because: "without a usable NextPartNumberMarker")
        }
        return Answer(parts: parts, next: next)
    }

    private static let markerName = "part-number-marker"

    private static func parts(of document: XMLDocument) -> [Part]? {
        var parts: [Part] = []
        var members: [String: String] = [:]
        for element in document.elements where element.path.hasPrefix("ListPartsResult/Part") {
            if element.path == "ListPartsResult/Part" {
                guard let part = Part(members) else { return nil }
                parts.append(part)
                members.removeAll(keepingCapacity: true)
            } else {
                members[element.path] = element.text
            }
        }
        return parts
    }

    fileprivate static func number(_ text: String?) -> Int? {
        text.flatMap { decimalNumber($0.utf8) }.map { Int(clamping: $0) }
    }
}

extension ListParts.Part {
    /// nil where a member lacks without which a part cannot be used.
    fileprivate init?(_ members: [String: String]) {
        func text(_ name: String) -> String? { members["ListPartsResult/Part/\(name)"] }
        guard let number = ListParts.number(text("PartNumber")), number > 0,
            let etag = text("ETag").map({ ETag($0) }), !etag.text.isEmpty,
            let sizeBytes = text("Size").flatMap({ decimalNumber($0.utf8) })
        else { return nil }
        self.number = number
        self.etag = etag
        self.sizeBytes = sizeBytes
        digest =
            text("ChecksumCRC32C").flatMap { BodyDigest(crc32c: $0) }
            ?? text("ChecksumCRC64NVME").flatMap { BodyDigest(crc64nvme: $0) }
    }
}
