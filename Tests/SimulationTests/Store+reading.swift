//! How a simulated server answers to whoever reads: GET and HEAD of objects, parts and tags.

import Migration
import S3

extension Store {
    func get(_ request: Request, _ key: ObjectKey) -> Served {
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

    func getTags(_ key: ObjectKey) -> Served {
        if traits.tagging == .takenForBody, let object = self[key] {
            return Served(response: Response(status: 200, body: object.body.text), seen: object)
        }
        guard traits.hasTags else {
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

/// `bytes=FIRST-LAST`, half-open.
private func byteRange(_ text: String) -> Range<Int64>? {
    let numbers = text.dropFirst("bytes=".count).split(separator: "-").compactMap { Int64($0) }
    return numbers.count == 2 ? numbers[0]..<numbers[1] + 1 : nil
}
