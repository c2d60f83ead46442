//! What servers answer: headers and bodies; and texts that people and their files give.

import Migration
import S3

/// A status line, headers and a body, as `200 LF name: value LF … LF LF body`, put to every reader of answers.
func readAnswer(_ bytes: [UInt8]) {
    let response = response(bytes)
    let key = ObjectKey("key")
    let get = GetObject.request(bucket: "bucket", key: key, bytes: 0..<1_048_576)
    if let answer = try? GetObject.answer(response, to: get) {
        precondition(
            answer.bytes.lowerBound >= 0 && answer.bytes.upperBound <= answer.facts.sizeBytes)
        check(answer.facts)
    }
    _ = GetObject.sizeBytes(ofUnsatisfied: response).map { precondition($0 >= 0) }
    let head = HeadObject.request(bucket: "bucket", key: key)
    if let facts = try? HeadObject.answer(response, to: head) { check(facts) }
    _ = try? PutObject.answer(response, to: head)
    _ = try? UploadPart.answer(response, to: head)
    readBodies(response)
    readFault(response)
}

/// The bytes as the body of a plain 200.
func readXML(_ bytes: [UInt8]) {
    let response = Response(status: 200, body: bytes)
    readBodies(response)
    readFault(response)
    let document = XMLDocument(bytes)
    precondition(document.elements.allSatisfy { !$0.path.isEmpty }, "an element without a path")
}

private func readBodies(_ response: Response) {
    let key = ObjectKey("key")
    let list = ListParts.request(bucket: "bucket", key: key, uploadID: "id")
    if let answer = try? ListParts.answer(response, to: list) {
        precondition(answer.parts.allSatisfy { $0.number > 0 && $0.sizeBytes >= 0 })
        precondition(answer.next.map { $0 > 0 } ?? true)
    }
    let uploads = ListMultipartUploads.request(bucket: "bucket", prefix: key)
    _ = try? ListMultipartUploads.answer(response, to: uploads)
    let tagging = GetObjectTagging.request(bucket: "bucket", key: key)
    if let tags = try? GetObjectTagging.answer(response, to: tagging) {
        _ = PutObjectTagging.request(bucket: "bucket", key: key, tags: tags)
    }
    let create = CreateMultipartUpload.request(bucket: "bucket", key: key, metadata: HeaderFields())
    if let id = try? CreateMultipartUpload.answer(response, to: create) {
        precondition(!id.isEmpty)
        _ = ListParts.request(bucket: "bucket", key: key, uploadID: id)
    }
    let part = CompleteMultipartUpload.Part(number: 1, etag: ETag("x"))
    let complete = CompleteMultipartUpload.request(
        bucket: "bucket", key: key, uploadID: "id", parts: [part], condition: .ifAbsent)
    _ = try? CompleteMultipartUpload.answer(response, to: complete)
}

private func readFault(_ response: Response) {
    let fault = RetryPolicy.fault(of: response)
    precondition(fault.retryAfter ?? .zero >= .zero, "a wait into the past")
    var random = SeededRandom(seed: 1)
    _ = RetryPolicy().verdict(for: fault, attempt: 1, random: &random)
}

/// What is carried over can be sent again.
private func check(_ facts: ObjectFacts) {
    precondition(facts.sizeBytes >= 0 && facts.tagCount >= 0 && facts.missingMetaCount >= 0)
    _ = PutObject.request(
        bucket: "bucket", key: ObjectKey("key"), metadata: facts.metadata, tagging: nil,
        condition: .ifAbsent, contentMD5: facts.etag?.md5, payloadHash: .unsigned)
}

private func response(_ bytes: [UInt8]) -> Response {
    var headers = HeaderFields()
    var rest = bytes[...]
    func takeLine() -> ArraySlice<UInt8> {
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        rest = rest[line.endIndex...].dropFirst()
        return line
    }
    let status = Int(String(decoding: takeLine().prefix(3), as: UTF8.self)) ?? 200
    while !rest.isEmpty {
        let line = takeLine()
        guard !line.isEmpty else { break }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
            continue
        }
        // libcurl gives no header with such bytes.
        let text = line.filter { $0 != 0 && $0 != UInt8(ascii: "\r") }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { continue }
        headers.append(
            String(decoding: text[..<colon], as: UTF8.self),
            String(decoding: text[(colon + 1)...].drop { $0 == 0x20 }, as: UTF8.self))
    }
    return Response(status: abs(status), headers: headers, body: Array(rest))
}

/// Endpoints, ETags, dates: what one text can be.
func readTexts(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let endpoint = try? Endpoint(text) {
        guard let again = try? Endpoint("\(endpoint)"), again == endpoint else {
            fatalError("\(endpoint) is written so that it is another")
        }
    }
    let etag = ETag(text)
    precondition(etag.md5.map { $0.count == 16 } ?? true && etag.partCount.map { $0 > 0 } ?? true)
    precondition(ETag(etag.quoted) == etag, "\(etag) changes with quotes")
    for time in [Timestamp(httpDate: text), Timestamp(iso8601: text)].compactMap(\.self) {
        precondition(Timestamp(iso8601: time.iso8601) == time, "\(time.iso8601) is another time")
    }
    _ = ByteCount(text)
}

func readProfile(_ bytes: [UInt8]) {
    guard let profile = try? CredentialsProfile(bytes, name: "default") else { return }
    _ = try? profile.merged(with: profile).credentials()
}
