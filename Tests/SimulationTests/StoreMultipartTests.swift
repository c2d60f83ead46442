//! The simulated server's uploads in parts: what S3 documents, and what real servers do instead.

import Migration
import S3
import Testing

@Suite struct StoreMultipartTests {
    private let key = ObjectKey("a b/ü")

    private func bodies(_ sizes: [Int64]) -> [Body] {
        sizes.enumerated().map { Body(content: $0.offset + 1, byteCount: $0.element) }
    }

    private func server(_ change: (inout MultipartTraits) -> Void) -> HandServedStore {
        var traits = ServerTraits()
        change(&traits.multipart)
        return HandServedStore(traits)
    }

    /// An upload with parts of these sizes.
    private func begun(
        _ sizes: [Int64], at server: inout HandServedStore
    ) throws -> (id: String, parts: [CompleteMultipartUpload.Part]) {
        let id = try server.create(key)
        let parts = try bodies(sizes).enumerated().map {
            try server.send($0.offset + 1, $0.element, of: key, id)
        }
        return (id, parts)
    }

    // MARK: - A good end

    @Test(arguments: [[0], [1], [5, 3], [1000, 1, 7], [2, 2, 2, 2]] as [[Int64]])
    func partsBecomeAnObject(sizes: [Int64]) throws {
        var server = HandServedStore()
        let id = try server.create(key, tagging: "x=1%202")
        let bodies = bodies(sizes)
        var parts: [CompleteMultipartUpload.Part] = []
        for (index, body) in bodies.enumerated() {
            parts.append(try server.send(index + 1, body, of: key, id))
        }
        #expect(server.store[key] == nil, "visible too early")
        #expect(server.complete(parts, of: key, id) == "200")
        let object = try #require(server.store[key])
        #expect(object.body == Body(joining: bodies))
        #expect(object.partSizes == sizes)
        #expect(object.etag == ETag.composite(ofPartMD5s: bodies.map(\.md5)).text)
        #expect(object.metadata.contains(Stored.Field(name: "x-amz-meta-a", value: "b")))
        #expect(object.tags == [ObjectTag(key: "x", value: "1 2")])
        #expect(server.store.uploads.isEmpty)
    }

    @Test func theLastPartOfANumberCounts() throws {
        var server = HandServedStore()
        let (id, parts) = try begun([5, 3], at: &server)
        let other = Body(content: 9, byteCount: 4)
        let again = try server.send(2, other, of: key, id)
        #expect(server.complete(parts, of: key, id) == "InvalidPart")
        #expect(server.complete([parts[0], again], of: key, id) == "200")
        #expect(server.store[key]?.body.byteCount == 9)
    }

    @Test(arguments: [true, false])
    func tagsAreKeptOrLost(kept: Bool) throws {
        var server = server { $0.keepsTags = kept }
        let id = try server.create(key, tagging: "x=1")
        let part = try server.send(1, Body(content: 1, byteCount: 1), of: key, id)
        #expect(server.complete([part], of: key, id) == "200")
        #expect(server.store[key]?.tags.isEmpty == !kept)
    }

    @Test(arguments: [true, false], [true, false])
    func theETagIsToldOrNot(isTold: Bool, isComposite: Bool) throws {
        var server = server {
            ($0.tellsETagOfComplete, $0.hasCompositeETags) = (isTold, isComposite)
        }
        let (id, parts) = try begun([5, 3], at: &server)
        let request = CompleteMultipartUpload.request(
            bucket: "b", key: key, uploadID: id, parts: parts, condition: .ifAbsent)
        let told = try CompleteMultipartUpload.answer(server.ask(request).response, to: request)
        let composite = ETag.composite(ofPartMD5s: bodies([5, 3]).map(\.md5))
        #expect(told.etag == (isTold ? composite : nil))
        let whole = hexText(Body(joining: bodies([5, 3])).md5)
        #expect(server.store[key]?.etag == (isComposite ? composite.text : whole))
    }

    // MARK: - Refusals

    @Test func completeIsExact() throws {
        var server = server { $0.partBytesMin = 5 }
        let (id, parts) = try begun([5, 5, 3], at: &server)
        let lie = CompleteMultipartUpload.Part(number: 1, etag: ETag("0"))
        let missing = CompleteMultipartUpload.Part(number: 7, etag: parts[0].etag)
        #expect(server.complete([lie], of: key, id) == "InvalidPart")
        #expect(server.complete(parts + [missing], of: key, id) == "InvalidPart")
        #expect(server.complete(parts, of: ObjectKey("other"), id) == "NoSuchUpload")
        let small = try server.send(2, Body(content: 4, byteCount: 4), of: key, id)
        #expect(server.complete([parts[0], small, parts[2]], of: key, id) == "EntityTooSmall")
        #expect(server.complete([parts[0], small], of: key, id) == "200", "the last may be small")
    }

    @Test(arguments: [true, false])
    func orderMatters(isWanted: Bool) throws {
        var server = server { $0.wantsOrder = isWanted }
        let (id, parts) = try begun([5, 3], at: &server)
        var request = CompleteMultipartUpload.request(
            bucket: "b", key: key, uploadID: id, parts: [parts[0]], condition: .none)
        let named = parts.reversed().map {
            "<Part><PartNumber>\($0.number)</PartNumber><ETag>\($0.etag)</ETag></Part>"
        }
        request.body = Array("<CompleteMultipartUpload>\(named.joined())".utf8)
        #expect(server.code(server.ask(request).response) == "MalformedXML")
        request.body += Array("</CompleteMultipartUpload>".utf8)
        let code = server.code(server.ask(request).response)
        #expect(code == (isWanted ? "InvalidPartOrder" : "200"))
        if !isWanted { #expect(server.store[key]?.body == Body(joining: bodies([5, 3]))) }
    }

    @Test(arguments: [true, false])
    func partsMayBeLeftOut(isTaken: Bool) throws {
        var server = server { $0.takesSomeOfTheParts = isTaken }
        let (id, parts) = try begun([5, 3], at: &server)
        #expect(server.complete([parts[1]], of: key, id) == (isTaken ? "200" : "InvalidPart"))
    }

    @Test(arguments: ["0", "10001", "-1", "x"])
    func partNumbersAreBounded(number: String) throws {
        var server = HandServedStore()
        var request = UploadPart.request(
            bucket: "b", key: key, uploadID: try server.create(key), partNumber: 1)
        request.query[0].value = number
        #expect(server.code(server.ask(request).response) == "InvalidArgument")
    }

    @Test func partsCanBeTooLarge() throws {
        var server = server { $0.partBytesMax = 7 }
        let id = try server.create(key)
        _ = try server.send(1, Body(content: 1, byteCount: 7), of: key, id)
        #expect(throws: S3Error.self) {
            try server.send(1, Body(content: 1, byteCount: 8), of: key, id)
        }
    }

    @Test(arguments: [true, false])
    func aDamagedPartMayEndTheUpload(ends: Bool) throws {
        var server = server { $0.forgetsUploadOfRefusedPart = ends }
        let id = try server.create(key, digest: .crc32c)
        #expect(throws: S3Error.self) {
            try server.send(1, Body(content: 1, byteCount: 1), of: key, id, digest: .crc32c(0))
        }
        #expect((server.store.uploads[id] == nil) == ends)
    }

    // MARK: - Conditions, repetitions and ends

    @Test(arguments: [true, false])
    func theConditionIsHonouredOrIgnored(isHonoured: Bool) throws {
        var server = server { $0.honoursIfNoneMatch = isHonoured }
        let (id, parts) = try begun([5], at: &server)
        server.put(key, Body(content: 9, byteCount: 2))
        #expect(server.complete(parts, of: key, id) == (isHonoured ? "PreconditionFailed" : "200"))
        #expect(server.store[key]?.body.byteCount == (isHonoured ? 2 : 5))
        guard isHonoured else { return }
        #expect(
            server.complete(parts, of: key, id, condition: .none) == "200", "the upload is kept")
    }

    @Test(
        arguments: [
            (.succeeds, "200"), (.isUnknown, "NoSuchUpload"), (.isRefused, "PreconditionFailed"),
        ] as [(MultipartTraits.Repetition, String)])
    func completeAgain(repetition: MultipartTraits.Repetition, code: String) throws {
        var server = server { $0.repetition = repetition }
        let (id, parts) = try begun([5], at: &server)
        #expect(server.complete(parts, of: key, id) == "200")
        let serial = server.store[key]?.serial
        #expect(server.complete(parts, of: key, id) == code)
        #expect(server.store[key]?.serial == serial, "written twice")
        #expect(server.abort(key, id) == "NoSuchUpload")
    }

    @Test(arguments: ["NoSuchUpload", "NoSuchKey"])
    func afterAnAbortThereIsNothing(code: String) throws {
        var server = server { $0.listPartsCodeOfEnded = code }
        let (id, parts) = try begun([5], at: &server)
        #expect(server.abort(key, id) == "204")
        #expect(server.abort(key, id) == "NoSuchUpload")
        #expect(server.complete(parts, of: key, id) == "NoSuchUpload")
        let list = ListParts.request(bucket: "b", key: key, uploadID: id)
        #expect(server.code(server.ask(list).response) == code)
        #expect(throws: S3Error.self) {
            try server.send(1, Body(content: 1, byteCount: 1), of: key, id)
        }
    }

    // MARK: - Reading by part

    @Test(arguments: MultipartTraits.PartNumber.allCases)
    func aPartIsReadByItsNumber(kind: MultipartTraits.PartNumber) throws {
        var server = server { $0.partNumber = kind }
        let (id, parts) = try begun([5, 3], at: &server)
        #expect(server.complete(parts, of: key, id) == "200")
        let request = HeadObject.request(bucket: "b", key: key, partNumber: 1)
        let response = server.ask(request).response
        guard kind != .refused else { return #expect(response.status == 405) }
        let facts = try HeadObject.answer(response, to: request)
        #expect(facts.sizeBytes == (kind == .answered ? 5 : 8))
        #expect(facts.partsCount == (kind == .answered ? 2 : nil))
    }

    @Test func anObjectOfOnePutHasOnePart() throws {
        var server = HandServedStore()
        server.put(key, Body(content: 1, byteCount: 8))
        let first = HeadObject.request(bucket: "b", key: key, partNumber: 1)
        let facts = try HeadObject.answer(server.ask(first).response, to: first)
        #expect(facts.sizeBytes == 8)
        #expect(facts.partsCount == nil)
        let second = HeadObject.request(bucket: "b", key: key, partNumber: 2)
        #expect(server.ask(second).response.status == 416)
    }
}
