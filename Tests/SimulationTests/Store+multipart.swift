//! How a simulated server answers to uploads in parts: Create, UploadPart, Complete and Abort.

import Migration
import S3

extension Request {
    func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

    var uploadID: String? { value("uploadId") }

    var partNumber: Int? { value("partNumber").flatMap { Int($0) } }

    /// Whether it begins, lists or names an upload.
    var isAboutUploads: Bool { uploadID != nil || value("uploads") != nil }
}

extension Store {
    private var rules: MultipartTraits { traits.multipart }

    mutating func serveUpload(_ arrival: Arrival) -> Served {
        let request = arrival.request
        guard let key = request.key else {
            return request.method == .get
                ? listUploads(request) : refusal(405, "MethodNotAllowed", nil)
        }
        guard let id = request.uploadID else {
            return request.method == .post
                ? create(arrival, key) : refusal(405, "MethodNotAllowed", nil)
        }
        guard let upload = uploads[id], upload.key == key else { return ended(id, arrival) }
        var served =
            switch request.method {
            case .put: putPart(arrival, upload)
            case .post: complete(arrival, upload)
            case .delete: abort(upload)
            case .get: listParts(request, upload)
            case .head: refusal(405, "MethodNotAllowed", nil)
            }
        served.upload = upload
        return served
    }

    private mutating func create(_ arrival: Arrival, _ key: ObjectKey) -> Served {
        let headers = arrival.request.headers
        var upload = Upload(
            serial: arrival.serial, key: key, author: arrival.author, began: arrival.time)
        upload.metadata = headers.metadata
        if rules.keepsTags, traits.hasTags { upload.tags = headers.tags }
        upload.checksumAlgorithm = headers["x-amz-checksum-algorithm"]?.lowercased()
        uploads[upload.id] = upload
        let answer = AnswerXML(rules.createRoot) { xml in
            xml.add("Bucket", arrival.request.bucket)
            xml.add("Key", key.description)
            xml.add("UploadId", upload.id)
        }
        return Served(response: answer.response, upload: upload)
    }

    // MARK: - Parts

    private mutating func putPart(_ arrival: Arrival, _ upload: Upload) -> Served {
        guard let number = arrival.request.partNumber, (1...rules.partCountMax).contains(number)
        else { return refusal(400, "InvalidArgument", nil) }
        guard arrival.upload.byteCount <= rules.partBytesMax else {
            return refusal(400, "EntityTooLarge", nil)
        }
        let checksums = arrival.request.headers.checksums
        if rules.checksums == .strict,
            checksums.keys.contains(where: { $0 != upload.checksumAlgorithm })
        {
            return refusal(400, "InvalidRequest", nil)
        }
        if let damage = damage(arrival) {
            if rules.forgetsUploadOfRefusedPart { uploads[upload.id] = nil }
            return refusal(400, damage, nil)
        }
        let part = Upload.Part(
            number: number, body: arrival.upload,
            etag: traits.etags.etag(ofPart: arrival.upload, serial: arrival.serial),
            checksums: rules.checksums == .ignored ? [:] : checksums, modified: arrival.time)
        uploads[upload.id]?.put(part)
        var response = Response(status: 200)
        response.headers.append("etag", "\"\(part.etag)\"")
        for (name, value) in part.checksums.sorted(by: { $0.key < $1.key }) {
            response.headers.append("x-amz-checksum-\(name)", value)
        }
        return Served(response: response)
    }

    // MARK: - The end

    private mutating func complete(_ arrival: Arrival, _ upload: Upload) -> Served {
        let seen = self[upload.key]
        let chosen: ChosenParts
        do throws(ChosenParts.Refusal) {
            chosen = try ChosenParts(arrival.request.body, of: upload, rules)
        } catch {
            return refusal(400, error.code, seen)
        }
        if rules.honoursIfNoneMatch, arrival.request.headers["if-none-match"] == "*", seen != nil {
            return refusal(412, "PreconditionFailed", seen)
        }
        if let refusal = replacementRefusal(arrival, seen) { return refusal }
        let object = assembled(chosen.parts, upload, arrival)
        put(object, at: upload.key, now: arrival.now)
        uploads[upload.id] = nil
        let etag = traits.etags.etag(ofParts: chosen.parts, serial: arrival.serial)
        completed[upload.id] = .some(etag)
        let told = rules.tellsETagOfComplete ? etag : nil
        return Served(
            response: completion(arrival.request, told), seen: seen, wrote: object)
    }

    private func assembled(_ parts: [Upload.Part], _ upload: Upload, _ arrival: Arrival) -> Stored {
        let body = Body(joining: parts.map(\.body))
        let etag =
            rules.hasCompositeETags
            ? traits.etags.etag(ofParts: parts, serial: arrival.serial)
            : traits.etags.etag(of: body, serial: arrival.serial)
        var object = Stored(
            serial: arrival.serial, author: arrival.author, body: body, etag: etag,
            modified: arrival.time, since: arrival.now)
        object.partSizes = parts.map(\.body.byteCount)
        (object.metadata, object.tags) = (upload.metadata, upload.tags)
        return object
    }

    private func completion(_ request: Request, _ etag: String?) -> Response {
        AnswerXML("CompleteMultipartUploadResult") { xml in
            xml.add("Bucket", request.bucket)
            xml.add("Key", request.key?.description ?? "")
            xml.add("ETag", etag.map { "\"\($0)\"" } ?? "")
        }.response
    }

    private mutating func abort(_ upload: Upload) -> Served {
        uploads[upload.id] = nil
        return Served(response: Response(status: 204))
    }

    /// What is said to a request for an upload that is no more, or never was.
    private func ended(_ id: String, _ arrival: Arrival) -> Served {
        let request = arrival.request
        switch request.method {
        case .get: return refusal(404, rules.listPartsCodeOfEnded, nil)
        case .post:
            guard let etag = completed[id], rules.repetition != .isUnknown else { break }
            let isRefused =
                rules.repetition == .isRefused && rules.honoursIfNoneMatch
                && request.headers["if-none-match"] == "*"
            if isRefused { return refusal(412, "PreconditionFailed", nil) }
            return Served(response: completion(request, etag))
        default: break
        }
        return refusal(404, "NoSuchUpload", nil)
    }
}
