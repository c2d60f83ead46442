//! A simulated server that is asked by hand: what the tests of its rules stand on.

import Migration
import S3

struct HandServedStore {
    var store: Store
    private var serial = 0

    init(_ traits: ServerTraits = ServerTraits()) {
        store = Store(.target, traits: traits)
    }

    mutating func ask(
        _ request: Request, _ upload: Body? = nil, author: Stored.Author = .transfer(0)
    ) -> Served {
        serial += 1
        let arrival = Arrival(
            request: request, upload: upload ?? Body(text: request.body),
            now: Instant(elapsed: .seconds(serial)),
            time: Timestamp(secondsSince1970: Int64(serial)), serial: serial, author: author)
        return store.serve(arrival)
    }

    mutating func create(
        _ key: ObjectKey, tagging: String? = nil, digest: BodyDigest.Algorithm? = nil
    ) throws -> String {
        var metadata = HeaderFields()
        metadata.append("x-amz-meta-a", "b")
        let request = CreateMultipartUpload.request(
            bucket: "b", key: key, metadata: metadata, tagging: tagging, digest: digest)
        return try CreateMultipartUpload.answer(ask(request).response, to: request)
    }

    mutating func send(
        _ number: Int, _ body: Body, of key: ObjectKey, _ id: String, digest: BodyDigest? = nil
    ) throws -> CompleteMultipartUpload.Part {
        let request = UploadPart.request(
            bucket: "b", key: key, uploadID: id, partNumber: number, digest: digest)
        let answer = try UploadPart.answer(ask(request, body).response, to: request)
        return CompleteMultipartUpload.Part(
            number: number, etag: answer.etag ?? ETag(""), digest: digest)
    }

    /// The code of the answer, or "200".
    mutating func complete(
        _ parts: [CompleteMultipartUpload.Part], of key: ObjectKey, _ id: String,
        condition: PutObject.Condition = .ifAbsent
    ) -> String {
        let request = CompleteMultipartUpload.request(
            bucket: "b", key: key, uploadID: id, parts: parts, condition: condition)
        return code(ask(request).response)
    }

    mutating func abort(_ key: ObjectKey, _ id: String) -> String {
        code(
            ask(AbortMultipartUpload.request(bucket: "b", key: key, uploadID: id)).response)
    }

    mutating func put(_ key: ObjectKey, _ body: Body) {
        let request = PutObject.request(
            bucket: "b", key: key, metadata: HeaderFields(), condition: .none,
            payloadHash: .unsigned)
        _ = ask(request, body)
    }

    /// The code of an error, or the status.
    func code(_ response: Response) -> String {
        XMLDocument(response.body).text(at: "Error/Code") ?? "\(response.status)"
    }
}
