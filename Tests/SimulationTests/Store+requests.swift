//! How a simulated server answers: the request's side of S3's rules, without any faults.

import Migration
import S3

/// What a server did about a request.
struct Served: Sendable {
    var response: Response
    /// The bytes of the object that go with a good answer.
    var object: Body?
    /// What stood at the key when the request came.
    var seen: Stored?
    /// What stands there since, if it was changed.
    var wrote: Stored?
    /// The upload that the request was about, as it was before; one that was just begun as it is.
    var upload: Upload?
}

/// A request as it arrives at a server.
struct Arrival: Sendable {
    var request: Request
    var upload: Body
    var now: Instant
    /// The server's own time of day.
    var time: Timestamp
    var serial: Int
    var author: Stored.Author
}

extension Store {
    /// Serves a request atomically.
    mutating func serve(_ arrival: Arrival) -> Served {
        let request = arrival.request
        if request.isAboutUploads { return serveUpload(arrival) }
        guard let key = request.key else { return refusal(404, "NoSuchBucket", nil) }
        let isAboutTags = request.query.contains { $0.name == "tagging" }
        switch (request.method, isAboutTags) {
        case (.get, true): return getTags(key)
        case (.put, true) where traits.tagging == .takenForBody: return put(arrival, key)
        case (.put, true): return putTags(arrival, key)
        case (.get, false), (.head, false): return get(request, key)
        case (.put, false): return put(arrival, key)
        case (.delete, _):
            let seen = self[key]
            put(nil, at: key, now: arrival.now)
            return Served(response: Response(status: 204), seen: seen)
        default: return refusal(405, "MethodNotAllowed", nil)
        }
    }

    func refusal(_ status: Int, _ code: String, _ seen: Stored?) -> Served {
        Served(response: .refusal(status, code), seen: seen)
    }

    // MARK: - Reading

    private func get(_ request: Request, _ key: ObjectKey) -> Served {
        guard let object = self[key] else {
            guard request.method == .get else { return Served(response: Response(status: 404)) }
            return refusal(404, "NoSuchKey", nil)
        }
        if traits.honoursIfMatch, let wanted = request.headers["if-match"],
            ETag(wanted).text != object.etag
        {
            return refusal(412, "PreconditionFailed", object)
        }
        if let number = request.partNumber, traits.multipart.partNumber != .ignored {
            return part(number, of: object, askedBy: request)
        }
        if request.method == .head {
            return Served(response: object.response(200, object.body.byteCount), seen: object)
        }
        return range(of: object, askedBy: request)
    }

    /// As if the last object of a key had not been deleted.
    func servingLast(_ request: Request, _ key: ObjectKey) -> Served? {
        guard let last = lastObject(key) else { return nil }
        return Served(response: last.response(200, last.body.byteCount), seen: last)
    }

    private func range(of object: Stored, askedBy request: Request) -> Served {
        let size = object.body.byteCount
        let asked = request.headers["range"].flatMap(byteRange)
        guard let asked, traits.ranges != .ignored, size > 0 || traits.refusesRangeOfEmpty else {
            return Served(
                response: object.response(200, size), object: object.body, seen: object)
        }
        guard asked.lowerBound < size else {
            var served = refusal(416, "InvalidRange", object)
            served.response.headers.append("content-range", "bytes */\(size)")
            return served
        }
        let given = asked.clamped(to: 0..<size)
        var response = object.response(
            traits.ranges == .partial ? 206 : 200, Int64(given.count))
        response.headers.append(
            "content-range", "bytes \(given.lowerBound)-\(given.upperBound - 1)/\(size)")
        return Served(response: response, object: object.body[given], seen: object)
    }

    private func part(_ number: Int, of object: Stored, askedBy request: Request) -> Served {
        guard traits.multipart.partNumber == .answered else {
            return refusal(405, "MethodNotAllowed", object)
        }
        let sizes = object.partSizes.isEmpty ? [object.body.byteCount] : object.partSizes
        guard sizes.indices.contains(number - 1) else {
            return refusal(416, "InvalidPartNumber", object)
        }
        let start = sizes[..<(number - 1)].reduce(0, +)
        let range = start..<start + sizes[number - 1]
        var response = object.response(206, Int64(range.count))
        response.headers.append(
            "content-range", "bytes \(start)-\(range.upperBound - 1)/\(object.body.byteCount)")
        if !object.partSizes.isEmpty {
            response.headers.append("x-amz-mp-parts-count", "\(sizes.count)")
        }
        let body = request.method == .get ? object.body[range] : nil
        return Served(response: response, object: body, seen: object)
    }

    private func getTags(_ key: ObjectKey) -> Served {
        if traits.tagging == .takenForBody, let object = self[key] {
            return Served(response: Response(status: 200, body: object.body.text), seen: object)
        }
        guard traits.tagging == .onPut || traits.tagging == .afterwards else {
            return refusal(501, "NotImplemented", self[key])
        }
        guard let object = self[key] else { return refusal(404, "NoSuchKey", nil) }
        var text = "<?xml version=\"1.0\"?><Tagging><TagSet>"
        for tag in object.tags {
            text += "<Tag><Key>\(tag.key)</Key><Value>\(tag.value)</Value></Tag>"
        }
        text += "</TagSet></Tagging>"
        return Served(response: Response(status: 200, body: Array(text.utf8)), seen: object)
    }

    // MARK: - Writing

    private mutating func put(_ arrival: Arrival, _ key: ObjectKey) -> Served {
        let headers = arrival.request.headers
        let seen = self[key]
        let isRefused =
            traits.honoursIfNoneMatch && headers["if-none-match"] == "*" && seen != nil
        let damage = damage(arrival)
        if isRefused, traits.checksConditionFirst || damage == nil {
            return refusal(412, "PreconditionFailed", seen)
        }
        if let damage { return refusal(400, damage, seen) }
        let object = stored(arrival, headers)
        put(object, at: key, now: arrival.now)
        var response = Response(status: 200)
        if traits.tellsETagOfPut, let etag = object.etag {
            response.headers.append("etag", "\"\(etag)\"")
        }
        return Served(response: response, seen: seen, wrote: object)
    }

    private func stored(_ arrival: Arrival, _ headers: HeaderFields) -> Stored {
        var object = Stored(
            serial: arrival.serial, author: arrival.author, body: arrival.upload,
            etag: traits.etags.etag(of: arrival.upload, serial: arrival.serial),
            modified: arrival.time, since: arrival.now)
        object.metadata = headers.metadata
        if traits.tagging == .onPut { object.tags = headers.tags }
        return object
    }

    /// The code with which a body is refused that is not what its digests say; nil for one that the server takes.
    func damage(_ arrival: Arrival) -> String? {
        let headers = arrival.request.headers
        if traits.checksContentMD5, let promised = headers["content-md5"],
            promised != base64Text(arrival.upload.md5)
        {
            return "BadDigest"
        }
        if traits.checksSHA256, case .sha256(let promised) = arrival.request.payloadHash,
            promised != arrival.upload.sha256
        {
            return "XAmzContentSHA256Mismatch"
        }
        guard traits.multipart.checksums != .ignored else { return nil }
        let isWrong = headers.checksums.contains { $0.value != arrival.upload.checksum($0.key) }
        return isWrong ? "BadDigest" : nil
    }

    private mutating func putTags(_ arrival: Arrival, _ key: ObjectKey) -> Served {
        let seen = self[key]
        guard traits.tagging != .none else { return refusal(501, "NotImplemented", seen) }
        guard seen != nil else { return refusal(404, "NoSuchKey", nil) }
        // Written by the product's own writer, read by its own reader: that is tested elsewhere.
        let answer = Response(status: 200, body: arrival.request.body)
        guard let tags = try? GetObjectTagging.answer(answer, to: arrival.request) else {
            return refusal(400, "MalformedXML", seen)
        }
        setTags(tags, of: key, now: arrival.now)
        return Served(response: Response(status: 200), seen: seen, wrote: self[key])
    }
}

// MARK: - The pieces of requests and answers

extension Response {
    static func refusal(_ status: Int, _ code: String, extra: String = "") -> Response {
        let text =
            "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>simulated</Message>"
            + "\(extra)</Error>"
        return Response(status: status, body: Array(text.utf8))
    }
}

extension Stored {
    /// The head of an answer about this object.
    func response(_ status: Int, _ byteCount: Int64) -> Response {
        var response = Response(status: status)
        response.headers.append("content-length", "\(byteCount)")
        response.headers.append("last-modified", modified.httpDate)
        if let etag { response.headers.append("etag", "\"\(etag)\"") }
        if !tags.isEmpty { response.headers.append("x-amz-tagging-count", "\(tags.count)") }
        for field in metadata { response.headers.append(field.name, field.value) }
        return response
    }
}

extension HeaderFields {
    /// All fields, as text.
    private var texts: [Stored.Field] {
        (0..<count).map { index in
            Stored.Field(
                name: String(decoding: name(at: index), as: UTF8.self),
                value: String(decoding: value(at: index), as: UTF8.self))
        }
    }

    /// What is kept with an object.
    var metadata: [Stored.Field] {
        texts.filter {
            $0.name.hasPrefix("x-amz-meta-")
                || ["content-type", "content-encoding"].contains($0.name)
        }
    }

    var tags: [ObjectTag] { self["x-amz-tagging"].map(tags(ofQuery:)) ?? [] }

    /// Base64 by algorithm, of `x-amz-checksum-crc32c` and its like.
    var checksums: [String: String] {
        var checksums: [String: String] = [:]
        for field in texts where field.name.hasPrefix("x-amz-checksum-") {
            let name = String(field.name.dropFirst("x-amz-checksum-".count))
            if name != "algorithm", name != "type" { checksums[name] = field.value }
        }
        return checksums
    }

    /// The tags of `x-amz-tagging`.
    private func tags(ofQuery query: String) -> [ObjectTag] {
        query.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
            let value = sides.count > 1 ? percentDecoded(sides[1]) : ""
            return ObjectTag(key: percentDecoded(sides[0]), value: value)
        }
    }
}

/// `bytes=FIRST-LAST`, half-open.
private func byteRange(_ text: String) -> Range<Int64>? {
    let numbers = text.dropFirst("bytes=".count).split(separator: "-").compactMap { Int64($0) }
    return numbers.count == 2 ? numbers[0]..<numbers[1] + 1 : nil
}

private func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        let digits = String(rest.prefix(2)) ?? ""
        bytes.append(UInt8(digits, radix: 16) ?? byte)
        rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
}
