//! What the probe of parts asks, and what it reads from the answers.

internal import S3

extension MultipartProbe {
    func order(of step: Step) -> ExchangeOrder {
        switch step {
        case .sweep: object.order(list)
        case .createTagged: object.order(create(tags: ScratchObject.tags, nil))
        case .createPlain: object.order(create(tags: [], nil))
        case .createCovered: object.order(create(tags: [], digest))
        case .part: object.order(part(nil))
        case .wrongPart: object.order(part(bodyDigest(isRight: false)))
        case .rightPart: object.order(part(bodyDigest(isRight: true)))
        case .complete: object.order(complete(.none))
        case .completeOver: object.order(complete(.ifAbsent))
        case .replaceForeign: object.order(complete(ifMatch(ScratchObject.foreignETag)))
        case .replaceOwn: object.order(complete(ifMatch(etag)))
        case .abort, .abortLast, .abortLeft: object.order(abort)
        case .lookForObject, .checkBody, .lookForETag: object.head
        case .readTags, .readTagsAgain: object.readTags
        case .writeTags: object.writeTags
        case .clear, .remove: object.remove
        }
    }

    private var list: Request {
        ListMultipartUploads.request(bucket: object.bucket, prefix: object.key)
    }

    private func create(tags: [ObjectTag], _ digest: BodyDigest.Algorithm?) -> Request {
        CreateMultipartUpload.request(
            bucket: object.bucket, key: object.key, metadata: HeaderFields(),
            tagging: urlQuery(of: tags), digest: digest)
    }

    private func part(_ digest: BodyDigest?) -> Request {
        var request = UploadPart.request(
            bucket: object.bucket, key: object.key, uploadID: uploadID, partNumber: 1,
            digest: digest)
        request.body = ScratchObject.body
        return request
    }

    private func complete(_ condition: PutObject.Condition) -> Request {
        let part = CompleteMultipartUpload.Part(
            number: 1, etag: partETag ?? ETag(""), digest: bodyDigest(isRight: true))
        return CompleteMultipartUpload.request(
            bucket: object.bucket, key: object.key, uploadID: uploadID, parts: [part],
            condition: condition)
    }

    private func ifMatch(_ etag: ETag?) -> PutObject.Condition {
        guard let etag, let form = capabilities.ifMatchOnPut else { return .ifAbsent }
        return .ifMatch(etag, form)
    }

    private var abort: Request {
        AbortMultipartUpload.request(bucket: object.bucket, key: object.key, uploadID: uploadID)
    }

    /// The body's digest by the algorithm that is being tried, or another than that.
    private func bodyDigest(isRight: Bool) -> BodyDigest? {
        let body = ScratchObject.body
        return switch digest {
        case .crc32c: .crc32c(isRight ? CRC32C.value(of: body) : ~CRC32C.value(of: body))
        case .crc64nvme:
            .crc64nvme(isRight ? CRC64NVME.value(of: body) : ~CRC64NVME.value(of: body))
        case .sha256: .sha256(SHA256.digest(of: isRight ? body : []))
        case .md5: .md5(MD5.digest(of: isRight ? body : []))
        case nil: nil
        }
    }
}

extension MultipartProbe {
    /// Whether an upload was begun, whose id is then known.
    mutating func begins(_ response: Response) -> Bool {
        let id = try? CreateMultipartUpload.answer(response, to: create(tags: [], nil))
        partETag = nil
        uploadID = id ?? ""
        hasBegun = hasBegun || id != nil
        return id != nil
    }

    /// Whether the part was taken, whose tag is then known.
    mutating func isSent(_ response: Response) -> Bool {
        partETag = (try? UploadPart.answer(response, to: part(nil)))?.etag
        return partETag != nil
    }

    func isComplete(_ response: Response) -> Bool {
        (try? CompleteMultipartUpload.answer(response, to: complete(.none))) != nil
    }

    func uploads(_ response: Response) -> [String] {
        let answer = try? ListMultipartUploads.answer(response, to: list)
        return (answer?.uploads ?? []).filter { $0.key == object.key }.map(\.id)
    }
}
