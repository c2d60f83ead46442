//! Objects as the two servers of a play have them, and the answers that tell of them.

import Migration
import S3

/// An object at one of the servers.
struct TestObject {
    var bytes: [UInt8]
    var etag: String?
    var lastModified = "Thu, 01 Jan 2026 00:00:00 GMT"
    var headers: [(String, String)] = [("content-type", "text/plain")]

    init(_ bytes: [UInt8], etag: String? = nil) {
        self.bytes = bytes
        self.etag = etag ?? md5Text(bytes)
    }

    init(_ text: String) { self.init(Array(text.utf8)) }

    /// An object whose bytes differ from place to place, so that a shifted copy is another one.
    static func sized(_ count: Int, salt: Int = 0) -> TestObject {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + line.count)
        while bytes.count < count {
            bytes += line
            bytes[bytes.count - 1] = UInt8(truncatingIfNeeded: bytes.count / line.count + salt)
        }
        bytes.removeSubrange(count...)
        return TestObject(bytes)
    }

    /// The bytes between two places that tell where they are; large, since the tests are not optimised.
    private static let line = (0..<4093).map { UInt8(truncatingIfNeeded: $0) }

    func with(etag: String?) -> TestObject {
        var object = self
        object.etag = etag
        return object
    }

    func with(header name: String, _ value: String) -> TestObject {
        var object = self
        object.headers.append((name, value))
        return object
    }

    /// As it is shown so many seconds after it was written, by a server whose clock is this much ahead.
    func aged(_ seconds: Int64, clockAhead ahead: Int64 = 0) -> TestObject {
        let now = TestObject.noon.secondsSince1970 + ahead
        var object = with(header: "date", Timestamp(secondsSince1970: now).httpDate)
        object.lastModified = Timestamp(secondsSince1970: now - seconds).httpDate
        return object
    }

    /// 2026-01-01T12:00:00Z.
    static let noon = Timestamp(secondsSince1970: 1_767_268_800)

    func headerFields(length: Int) -> [(String, String)] {
        headers + [("last-modified", lastModified), ("content-length", "\(length)")]
            + (etag.map { [("etag", "\"\($0)\"")] } ?? [])
    }
}

func md5Text(_ bytes: [UInt8]) -> String {
    MD5.digest(of: bytes).map { byte in
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }.joined()
}

/// An ETag that no MD5 has the form of.
let partsETag = "0123456789abcdef0123456789abcdef-7"

/// How a source answers a GET that asks for a range.
enum RangeManner: CaseIterable {
    /// 206 and Content-Range, as the protocol wants it.
    case partial
    /// 200, but with Content-Range and the part.
    case partialAs200
    /// 200 and the whole object.
    case whole
}

/// A source's answer to a GET.
func sends(
    _ object: TestObject, _ manner: RangeManner = .partial, atMost count: Int = .max
) -> Scripted.Answer {
    { order, buffer in
        guard manner != .whole, let range = order.range else {
            return reply(200, object.headerFields(length: object.bytes.count), object.bytes)(
                order, &buffer)
        }
        guard range.first < object.bytes.count else {
            return reply(416, [("content-range", "bytes */\(object.bytes.count)")])(order, &buffer)
        }
        let end = min(range.last + 1, object.bytes.count, range.first + min(count, 1 << 40))
        let content = ("content-range", "bytes \(range.first)-\(end - 1)/\(object.bytes.count)")
        let headers = object.headerFields(length: end - range.first) + [content]
        let status = manner == .partial ? 206 : 200
        return reply(status, headers, Array(object.bytes[range.first..<end]))(order, &buffer)
    }
}

/// The answer to a HEAD of this object.
func shows(_ object: TestObject) -> Scripted.Answer {
    reply(200, object.headerFields(length: object.bytes.count))
}

/// A target's answer to a PUT that it took.
func takes(etag: String?, resent: Int = 0) -> Scripted.Answer {
    reply(200, etag.map { [("etag", "\"\($0)\"")] } ?? [], resent: resent)
}

/// An answer of S3 that is an error.
func refuses(
    _ status: Int, _ code: String? = nil, headers: [(String, String)] = [], resent: Int = 0
) -> Scripted.Answer {
    let xml = code.map { "<Error><Code>\($0)</Code><Message>because</Message></Error>" } ?? ""
    return reply(status, headers, Array(xml.utf8), resent: resent)
}

func breaks(_ kind: TransportFault.Kind = .broken, resent: Int = 0) -> Scripted.Answer {
    { _, _ in .broken(TransportFault(kind, message: "cut", timesResent: resent)) }
}

func hasTags(_ tags: [(String, String)]) -> Scripted.Answer {
    let set = tags.map { "<Tag><Key>\($0.0)</Key><Value>\($0.1)</Value></Tag>" }.joined()
    return reply(200, [], Array("<Tagging><TagSet>\(set)</TagSet></Tagging>".utf8))
}

/// Any answer. A good one's body goes where the order wants it, and not further than that reaches.
func reply(
    _ status: Int, _ headers: [(String, String)] = [], _ body: [UInt8] = [], resent: Int = 0
) -> Scripted.Answer {
    { order, buffer in
        var response = Response(status: status)
        for (name, value) in headers { response.headers.append(name, value) }
        guard (200..<300).contains(status), case .object(let offset, let capacity) = order.sink
        else {
            response.body = body
            return .answered(ExchangeResult(response: response, timesResent: resent))
        }
        guard body.count <= capacity else {
            return .answered(ExchangeResult(response: response, overflowed: true))
        }
        let end = Int(offset) + body.count
        if buffer.count < end { buffer += [UInt8](repeating: 0, count: end - buffer.count) }
        buffer.replaceSubrange(Int(offset)..<end, with: body)
        return .answered(
            ExchangeResult(
                response: response, objectBytes: Int64(body.count), timesResent: resent))
    }
}
