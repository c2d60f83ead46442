//! A target that takes uploads, and a source whose objects change, for runs out of a seed.

import S3
import Testing

@testable import Migration

/// Both servers of one key. They are honest; what goes wrong on the way is another's business.
struct UploadServer {
    struct Upload {
        var isOurs: Bool
        var initiated: Timestamp
        var parts: [Int: [UInt8]] = [:]
    }

    /// What the source had, the present one last; nil when it was deleted.
    var sources: [TestObject?]
    var target: TestObject?
    var uploads: [String: Upload] = [:]
    var honoursCondition: Bool
    var tellsETag = true
    var now = targetDate
    private var begun = 0
    /// Bodies that were made of our uploads.
    private(set) var made: [[UInt8]] = []
    /// What must never happen.
    private(set) var violations: [String] = []

    init(source: TestObject, honoursCondition: Bool) {
        sources = [source]
        self.honoursCondition = honoursCondition
    }

    private var source: TestObject? { sources[sources.count - 1] }

    mutating func addUpload(_ id: String, begun seconds: Int64, parts: [Int: [UInt8]] = [:]) {
        let initiated = Timestamp(secondsSince1970: now.secondsSince1970 + seconds)
        uploads[id] = Upload(isOurs: false, initiated: initiated, parts: parts)
    }

    /// Answers, and judges by the books whether it should have been asked.
    mutating func answer(
        _ order: ExchangeOrder, _ buffer: inout [UInt8], books: OpenUploads
    ) -> TransferEvent {
        let request = order.request
        let id = request.queryValue("uploadId") ?? ""
        switch order.title {
        case "source GetObject": return read(order, &buffer)
        case "source HeadObject": return (source.map(shows) ?? refuses(404))(order, &buffer)
        case "source GetObjectTagging": return hasTags([("a", "1")])(order, &buffer)
        case "target HeadObject": return head(order, &buffer)
        case "target PutObjectTagging":
            return (target == nil ? refuses(404, "NoSuchKey") : reply(200))(order, &buffer)
        case "target CreateMultipartUpload":
            check(books.records.contains { $0.state == .intent }, "a Create without an intent")
            return begin(order, &buffer)
        case "target UploadPart":
            check(books.records.contains { $0.uploadID == id }, "a part of an unknown upload")
            return take(order, id, &buffer)
        case "target ListParts": return list(order, id, &buffer)
        case "target ListMultipartUploads": return listUploads(order, &buffer)
        case "target CompleteMultipartUpload":
            check(
                books.records.contains { $0.uploadID == id && $0.state == .completing },
                "a Complete that is not on the books")
            return complete(order, id, &buffer)
        case "target AbortMultipartUpload":
            check(uploads[id]?.isOurs ?? true, "an upload of another's is aborted")
            return (uploads.removeValue(forKey: id) == nil ? gone : reply(204))(order, &buffer)
        default:
            check(false, "nobody should ask for \(order.title)")
            return refuses(501)(order, &buffer)
        }
    }

    private let gone = refuses(404, "NoSuchUpload")

    private mutating func check(_ isSo: Bool, _ text: String) {
        if !isSo { violations.append(text) }
    }

    private func read(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        guard let source else { return refuses(404, "NoSuchKey")(order, &buffer) }
        let asked = order.request.headers["if-match"]
        guard asked == nil || asked == "\"\(source.etag ?? "")\"" else {
            return refuses(412, "PreconditionFailed")(order, &buffer)
        }
        return sends(source)(order, &buffer)
    }

    private func head(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        let free = refuses(404, headers: [("date", now.httpDate)])
        return (target.map(shows) ?? free)(order, &buffer)
    }

    private mutating func begin(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        begun += 1
        uploads["id\(begun)"] = Upload(isOurs: true, initiated: now)
        return begins("id\(begun)")(order, &buffer)
    }

    private mutating func take(
        _ order: ExchangeOrder, _ id: String, _ buffer: inout [UInt8]
    ) -> TransferEvent {
        guard uploads[id] != nil else { return gone(order, &buffer) }
        guard case .object(let byteCount) = order.upload,
            let number = order.request.queryValue("partNumber").flatMap({ Int($0) })
        else { return refuses(400)(order, &buffer) }
        let bytes = Array(buffer[..<Int(byteCount)])
        uploads[id]?.parts[number] = bytes
        return takes(etag: md5Text(bytes))(order, &buffer)
    }

    /// In pages of two.
    private func list(
        _ order: ExchangeOrder, _ id: String, _ buffer: inout [UInt8]
    ) -> TransferEvent {
        guard let upload = uploads[id] else { return gone(order, &buffer) }
        let marker = order.request.queryValue("part-number-marker").flatMap { Int($0) } ?? 0
        let rest = upload.parts.filter { $0.key > marker }.sorted { $0.key < $1.key }
        let page = rest.prefix(2).map { (number: $0.key, bytes: $0.value) }
        return hasParts(page, next: rest.count > 2 ? page.last?.number : nil)(order, &buffer)
    }

    private func listUploads(_ order: ExchangeOrder, _ buffer: inout [UInt8]) -> TransferEvent {
        let list = uploads.map { upload in
            let after = upload.value.initiated.secondsSince1970 - targetDate.secondsSince1970
            return (id: upload.key, after: after)
        }
        return hasUploads(list)(order, &buffer)
    }

    private mutating func complete(
        _ order: ExchangeOrder, _ id: String, _ buffer: inout [UInt8]
    ) -> TransferEvent {
        guard let upload = uploads[id] else { return gone(order, &buffer) }
        let isConditional = order.request.headers["if-none-match"] == "*"
        if isConditional, honoursCondition, target != nil {
            return refuses(412, "PreconditionFailed")(order, &buffer)
        }
        let named = XMLDocument(order.request.body).elements.filter {
            $0.path == "CompleteMultipartUpload/Part/PartNumber"
        }.compactMap { Int($0.text) }
        let parts = named.compactMap { upload.parts[$0] }
        guard parts.count == named.count, !parts.isEmpty else {
            return refuses(400, "InvalidPart")(order, &buffer)
        }
        uploads[id] = nil
        let etag = ETag.composite(ofPartMD5s: parts.map { MD5.digest(of: $0) })
        let bytes = Array(parts.joined())
        made.append(bytes)
        target = TestObject(bytes, etag: etag.text)
        return completes(tellsETag ? etag : nil)(order, &buffer)
    }
}
