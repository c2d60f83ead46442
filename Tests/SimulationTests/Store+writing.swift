//! How a simulated server takes what is written: objects, their tags, and the digests that cover them.

import Migration
import S3

extension Store {
    mutating func put(_ arrival: Arrival, _ key: ObjectKey) -> Served {
        let headers = arrival.request.headers
        let seen = self[key]
        let isRefused =
            traits.honoursIfNoneMatch && headers["if-none-match"] == "*" && seen != nil
        let damage = damage(arrival)
        if let refusal = replacementRefusal(arrival, seen) { return refusal }
        if isRefused, traits.checksConditionFirst || damage == nil {
            return refusal(412, "PreconditionFailed", seen)
        }
        if let damage {
            if seen != nil, traits.destroysOnRefusal, headers["if-match"] != nil {
                put(nil, at: key, now: arrival.now)
            }
            return refusal(400, damage, seen)
        }
        let object = stored(arrival, headers)
        put(object, at: key, now: arrival.now)
        var response = Response(status: 200)
        if traits.tellsETagOfPut, let etag = object.etag {
            response.headers.append("etag", "\"\(etag)\"")
        }
        return Served(response: response, seen: seen, wrote: object)
    }

    /// What is said to a write over another object than the one that is there; nil where it may go on.
    func replacementRefusal(_ arrival: Arrival, _ seen: Stored?) -> Served? {
        guard let wanted = arrival.request.headers["if-match"] else { return nil }
        let isUpload = arrival.request.uploadID != nil
        if isUpload, !traits.multipart.honoursIfMatch { return nil }
        switch traits.replacing {
        case .ignored: return nil
        case .refused: return refusal(501, "NotImplemented", seen)
        case .quoted, .unquoted:
            guard let seen else {
                return traits.missesWhatIsReplaced
                    ? refusal(404, "NoSuchKey", nil) : refusal(412, "PreconditionFailed", nil)
            }
            let isQuoted = wanted.hasPrefix("\"")
            let isForm = isQuoted || traits.replacing == .unquoted
            let isRight =
                isForm && seen.etag != nil
                && (traits.replacing == .unquoted ? wanted : ETag(wanted).text) == seen.etag
            return isRight ? nil : refusal(412, "PreconditionFailed", seen)
        }
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

    mutating func putTags(_ arrival: Arrival, _ key: ObjectKey) -> Served {
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
