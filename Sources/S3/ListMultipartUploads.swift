//! ListMultipartUploads: the uploads of a bucket that were begun and not ended.

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
public enum ListMultipartUploads {
    public struct Upload: Hashable, Sendable {
        public let key: ObjectKey
        public let id: String
        public let initiated: Timestamp?
        /// Who began it, as the server names users.
        public let initiatorID: String?
    }

    public struct Answer: Sendable {
        /// By key, then by age; 1,000 on a page.
        public let uploads: [Upload]
        /// Where to ask for more; nil when this was the last page.
        public let next: (keyMarker: ObjectKey, uploadIDMarker: String?)?
    }

    /// Asks for the uploads whose keys begin with `prefix`, after the markers of the page before.
    public static func request(
        bucket: String, prefix: ObjectKey, keyMarker: ObjectKey? = nil,
        uploadIDMarker: String? = nil
    ) -> Request {
        // The keys come percent-encoded, because XML cannot hold all of them.
        var query = [("uploads", ""), ("encoding-type", "url"), ("prefix", prefix.queryText)]
        if let keyMarker { query.append((keyMarkerName, keyMarker.queryText)) }
        if let uploadIDMarker { query.append((uploadIDMarkerName, uploadIDMarker)) }
        return Request(.get, operation: "ListMultipartUploads", bucket: bucket, query: query)
    }

    /// An answer that was not read whole and exactly, or that leads back to where it came from, is
    /// an error: what is listed may be aborted, and what is not may cost money for ever.
    public static func answer(
        _ response: Response, to request: Request
    ) throws(S3Error) -> Answer {
        try response.checkGranted(request)
        let document = try response.document(root, of: request)
        let isEncoded = hasEncodedKeys(document, request)
        guard !document.isMended, let uploads = uploads(of: document, isEncoded) else {
            throw response.unusable(request, because: "with an Upload that is none")
        }
        guard document.text(at: "\(root)/IsTruncated") == "true" else {
            return Answer(uploads: uploads, next: nil)
        }
        guard let next = markers(of: document, isEncoded), leadsOn(next, from: request) else {
            throw response.unusable(request, because: "without a usable NextKeyMarker")
        }
        return Answer(uploads: uploads, next: next)
    }

    private static let root = "ListMultipartUploadsResult"
    private static let keyMarkerName = "key-marker"
    private static let uploadIDMarkerName = "upload-id-marker"

    private static func uploads(of document: XMLDocument, _ isEncoded: Bool) -> [Upload]? {
        var uploads: [Upload] = []
        var members: [String: String] = [:]
        for element in document.elements where element.path.hasPrefix("\(root)/Upload") {
            if element.path == "\(root)/Upload" {
                guard let upload = upload(members, isEncoded: isEncoded) else {
                    return nil
                }
                uploads.append(upload)
                members.removeAll(keepingCapacity: true)
            } else {
                members[element.path] = element.text
            }
        }
        return uploads
    }

    private static func upload(_ members: [String: String], isEncoded: Bool) -> Upload? {
        func text(_ name: String) -> String? {
            members["\(root)/Upload/\(name)"].flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let id = text("UploadId"),
            let key = text("Key").flatMap({ ObjectKey(listed: $0, isEncoded: isEncoded) })
        else { return nil }
        return Upload(
            key: key, id: id, initiated: text("Initiated").flatMap { Timestamp(iso8601: $0) },
            initiatorID: text("Initiator/ID"))
    }

    private static func markers(
        of document: XMLDocument, _ isEncoded: Bool
    ) -> (keyMarker: ObjectKey, uploadIDMarker: String?)? {
        let key = document.text(at: "\(root)/NextKeyMarker").flatMap {
            ObjectKey(listed: $0, isEncoded: isEncoded)
        }
        let id = document.text(at: "\(root)/NextUploadIdMarker")
        guard let key, !key.bytes.isEmpty else { return nil }
        return (key, id.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Not every server does as asked, and Ceph does without saying so: then a key that begins with the prefix only
    /// when it is decoded tells.
    private static func hasEncodedKeys(_ document: XMLDocument, _ request: Request) -> Bool {
        if let type = document.text(at: "\(root)/EncodingType") {
            return type.lowercased() == "url"
        }
        guard let prefix = request.query.first(where: { $0.name == "prefix" })?.value else {
            return false
        }
        return document.elements.contains { element in
            guard element.path == "\(root)/Upload/Key" else { return false }
            let decoded = ObjectKey(listed: element.text, isEncoded: true)
            return !element.text.utf8.starts(with: prefix.utf8)
                && decoded?.bytes.starts(with: prefix.utf8) == true
        }
    }

    private static func leadsOn(
        _ next: (keyMarker: ObjectKey, uploadIDMarker: String?), from request: Request
    ) -> Bool {
        func asked(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
        return next.keyMarker.queryText != asked(keyMarkerName)
            || next.uploadIDMarker != asked(uploadIDMarkerName)
    }
}

extension ObjectKey {
    /// A query's values are text. S3's keys are UTF-8.
    fileprivate var queryText: String { String(decoding: bytes, as: UTF8.self) }

    /// A key as a listing writes it; nil for one that is encoded wrongly.
    fileprivate init?(listed text: String, isEncoded: Bool) {
        guard isEncoded else {
            self.init(text)
            return
        }
        guard let bytes = percentDecoded(text.utf8) else { return nil }
        self.init(bytes)
    }
}

/// The bytes that a listing's encoded text stands for: `%XY`, and `+` for a space, as S3 writes it
/// in listings and nowhere else.
private func percentDecoded(_ text: some Collection<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var rest = text[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard let value = bytes(ofHex: rest.prefix(2))?.first else { return nil }
            rest = rest.dropFirst(2)
            decoded.append(value)
        default: decoded.append(byte)
        }
    }
    return decoded
}
