//! An object of the probe's own at the target: what is written, asked and removed while the target is tried out.

internal import S3

/// The place of a scratch object, and the orders that go there.
struct ScratchObject: Sendable {
    let bucket: String
    let key: ObjectKey

    static let body = Array("s3migrate probe".utf8)
    /// Of the same size.
    static let otherBody = Array("s3migrate PROBE".utf8)
    /// Of an empty object, which ours is not.
    static let foreignETag = ETag("d41d8cd98f00b204e9800998ecf8427e")
    static let tags = [ObjectTag(key: "s3migrate", value: "probe")]

    var head: ExchangeOrder { order(headRequest) }
    var remove: ExchangeOrder { order(DeleteObject.request(bucket: bucket, key: key)) }
    var readTags: ExchangeOrder { order(GetObjectTagging.request(bucket: bucket, key: key)) }
    var writeTags: ExchangeOrder {
        order(PutObjectTagging.request(bucket: bucket, key: key, tags: Self.tags))
    }

    func put(
        condition: PutObject.Condition, tags: [ObjectTag], md5: [UInt8]? = nil,
        body: [UInt8] = ScratchObject.body
    ) -> ExchangeOrder {
        var request = PutObject.request(
            bucket: bucket, key: key, metadata: HeaderFields(), tagging: urlQuery(of: tags),
            condition: condition, contentMD5: md5, payloadHash: .unsigned)
        request.body = body
        return order(request)
    }

    func order(_ request: Request) -> ExchangeOrder { ExchangeOrder(.target, request) }

    /// Whether the answer to `readTags` has the tags.
    func hasTags(_ response: Response) -> Bool {
        let request = GetObjectTagging.request(bucket: bucket, key: key)
        return (try? GetObjectTagging.answer(response, to: request)) == Self.tags
    }

    /// Whether the answer to `head` is the body's.
    func isWhole(_ response: Response) -> Bool {
        let facts = try? HeadObject.answer(response, to: headRequest)
        return facts?.sizeBytes == Int64(Self.body.count)
    }

    /// What the answer to `head` calls the object; nil when that tells nothing.
    func etag(_ response: Response) -> ETag? {
        let facts = try? HeadObject.answer(response, to: headRequest)
        return facts?.etag.flatMap { $0.isPlaceholder ? nil : $0 }
    }

    /// The answer to `remove` in words, if the object may still be there.
    func warning(ofRemoval response: Response) -> String? {
        guard !(200..<300).contains(response.status), response.status != 404 else { return nil }
        return "the probe's object \(key) could not be removed from the target (HTTP "
            + "\(response.status)): remove it by hand"
    }

    private var headRequest: Request { HeadObject.request(bucket: bucket, key: key) }
}
