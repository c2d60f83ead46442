//! The probe of uploads in parts, before servers of every kind.

import Migration
import Testing

@testable import S3

/// What a `ProbedServer` does with uploads in parts.
struct ProbedUploads: Sendable {
    struct Upload: Sendable {
        var key: ObjectKey
        var request: Request
        var part: [UInt8]?
        var partDigest: String?
    }

    /// The status of every answer to a server's lack of multipart.
    var refusal: Int?
    /// Digests that are compared with the body; others are overlooked.
    var checked: Set<BodyDigest.Algorithm> = Set(BodyDigest.Algorithm.allCases)
    /// Create with these is answered 400.
    var refused: Set<BodyDigest.Algorithm> = []
    /// An upload is gone when a part of it was refused (rclone).
    var forgetsRefused = false
    var honoursCondition = true
    enum Replacing: CaseIterable {
        case honoured, ignored, refused, never
    }
    /// What becomes of `If-Match`.
    var replacing = Replacing.honoured
    var partETagIsMD5 = true
    var tellsETag = true
    enum Tagging: CaseIterable {
        case kept, overlooked, refused
    }
    var tagging = Tagging.kept
    var allowsAbort = true
    var allowsList = true
    var allowsComplete = true
    var uploads: [String: Upload] = [:]
    fileprivate(set) var begun = 0
}

extension ProbedServer {
    mutating func answerAboutParts(_ request: Request) -> Response {
        if let status = multipart.refusal { return Response(status: status) }
        guard let key = request.key else { return list(request) }
        guard let id = request.value(of: "uploadId") else { return create(key, request) }
        guard let upload = multipart.uploads[id] else {
            return Response(
                status: 404, body: Array("<Error><Code>NoSuchUpload</Code></Error>".utf8))
        }
        switch request.method {
        case .put: return send(id, request)
        case .post: return complete(id, upload, request)
        case .delete where multipart.allowsAbort:
            multipart.uploads[id] = nil
            return Response(status: 204)
        default: return Response(status: 403)
        }
    }

    private func list(_ request: Request) -> Response {
        guard multipart.allowsList else { return Response(status: 403) }
        let prefix = request.value(of: "prefix") ?? ""
        let uploads = multipart.uploads.filter { "\($0.value.key)".hasPrefix(prefix) }.map {
            "<Upload><Key>\($0.value.key)</Key><UploadId>\($0.key)</UploadId></Upload>"
        }
        let xml = "<ListMultipartUploadsResult>\(uploads.joined())</ListMultipartUploadsResult>"
        return Response(status: 200, body: Array(xml.utf8))
    }

    private mutating func create(_ key: ObjectKey, _ request: Request) -> Response {
        let hasTags = request.headers["x-amz-tagging"] != nil
        if hasTags, multipart.tagging == .refused { return Response(status: 501) }
        let digest = request.headers["x-amz-checksum-algorithm"]?.lowercased()
        if let digest = digest.flatMap(BodyDigest.Algorithm.init),
            multipart.refused.contains(digest)
        {
            return Response(status: 400)
        }
        multipart.begun += 1
        let id = "id\(multipart.begun)"
        multipart.uploads[id] = ProbedUploads.Upload(key: key, request: request)
        let xml =
            "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>"
        return Response(status: 200, body: Array(xml.utf8))
    }

    private mutating func send(_ id: String, _ request: Request) -> Response {
        let body = request.body
        var isRight = true
        func check(_ algorithm: BodyDigest.Algorithm, _ sent: String?, _ right: BodyDigest) {
            guard let sent, multipart.checked.contains(algorithm) else { return }
            isRight = isRight && sent == right.base64
        }
        let crc32c = request.headers["x-amz-checksum-crc32c"]
        let crc64nvme = request.headers["x-amz-checksum-crc64nvme"]
        check(.crc32c, crc32c, .crc32c(CRC32C.value(of: body)))
        check(.crc64nvme, crc64nvme, .crc64nvme(CRC64NVME.value(of: body)))
        check(.md5, request.headers["content-md5"], .md5(MD5.digest(of: body)))
        if case .sha256(let digest) = request.payloadHash {
            check(.sha256, base64Text(digest), .sha256(SHA256.digest(of: body)))
        }
        // An upload takes the checksums that it was created for.
        let created = multipart.uploads[id]?.request.headers["x-amz-checksum-algorithm"]
        let named = crc32c != nil ? "CRC32C" : crc64nvme != nil ? "CRC64NVME" : nil
        guard isRight, named == created else {
            if multipart.forgetsRefused { multipart.uploads[id] = nil }
            return Response(status: 400)
        }
        multipart.uploads[id]?.part = body
        multipart.uploads[id]?.partDigest = crc32c
        var response = Response(status: 200)
        response.headers.append("etag", "\"\(partETag(body))\"")
        return response
    }

    private func partETag(_ body: [UInt8]) -> String {
        multipart.partETagIsMD5 ? md5Text(body) : md5Text([1, 2, 3])
    }

    private mutating func complete(
        _ id: String, _ upload: ProbedUploads.Upload, _ request: Request
    ) -> Response {
        guard multipart.allowsComplete, let body = upload.part else { return Response(status: 400) }
        let document = XMLDocument(request.body)
        // A server that knows checksums wants them again (LocalStack).
        let sum = document.text(at: "CompleteMultipartUpload/Part/ChecksumCRC32C")
        let etag = document.text(at: "CompleteMultipartUpload/Part/ETag").map { ETag($0).text }
        guard etag == partETag(body), sum == upload.partDigest else { return Response(status: 400) }
        let isConditional = request.headers["if-none-match"] != nil
        if isConditional, multipart.honoursCondition, bodies[upload.key] != nil {
            return Response(status: 412)
        }
        if let wanted = request.headers["if-match"], multipart.replacing != .ignored {
            guard multipart.replacing != .refused else { return Response(status: 501) }
            let current = bodies[upload.key].map { md5Text($0) } ?? ""
            guard multipart.replacing == .honoured, ETag(wanted).text == current else {
                return Response(status: 412)
            }
        }
        multipart.uploads[id] = nil
        bodies[upload.key] = body
        tags[upload.key] = multipart.tagging == .kept ? taggingDocument(upload.request) : nil
        let told = multipart.tellsETag ? md5Text(body) + "-1" : ""
        let xml =
            "<CompleteMultipartUploadResult><ETag>\(told)</ETag></CompleteMultipartUploadResult>"
        return Response(status: 200, body: Array(xml.utf8))
    }
}

extension Request {
    fileprivate func value(of name: String) -> String? { query.first { $0.name == name }?.value }
}

@Suite struct MultipartProbeTests {
    private func expectNothingLeft(_ server: ProbedServer) {
        #expect(server.bodies.isEmpty, "the probe leaves objects behind")
        #expect(server.multipart.uploads.isEmpty, "the probe leaves uploads behind")
    }

    @Test func seesAllOfS3() throws {
        var server = ProbedServer()
        let (seen, warnings) = try server.probed()
        #expect(seen == TargetCapabilities())
        #expect(warnings.isEmpty)
        expectNothingLeft(server)
    }

    @Test(arguments: ProbedUploads.Replacing.allCases, ProbedServer.Replacing.allCases)
    func seesHowObjectsAreReplaced(
        byParts: ProbedUploads.Replacing, byPut: ProbedServer.Replacing
    ) throws {
        var server = ProbedServer()
        server.multipart.replacing = byParts
        server.replacing = byPut
        let (seen, warnings) = try server.probed()
        #expect(seen.ifMatchOnComplete == (byParts == .honoured && seen.ifMatchOnPut != nil))
        #expect(seen.takesMultipart && seen.conditionalComplete)
        #expect(warnings.isEmpty)
        expectNothingLeft(server)
    }

    @Test(arguments: [501, 405, 404, 400, 403, 500])
    func doesWithoutParts(status: Int) throws {
        var server = ProbedServer()
        server.multipart.refusal = status
        let (seen, warnings) = try server.probed()
        #expect(!seen.takesMultipart && !seen.conditionalComplete && !seen.partETagIsMD5)
        #expect(seen.partDigest == nil)
        #expect(seen.multipartTagging == .none)
        #expect(seen.conditionalPut && seen.tagging == .onPut, "the first half is as it was")
        #expect(warnings.isEmpty)
        expectNothingLeft(server)
    }

    @Test(arguments: [true, false], [true, false])
    func seesTheCondition(honours: Bool, tellsETag: Bool) throws {
        var server = ProbedServer()
        server.multipart.honoursCondition = honours
        server.multipart.tellsETag = tellsETag
        let (seen, _) = try server.probed()
        #expect(seen.takesMultipart)
        #expect(seen.conditionalComplete == honours)
        expectNothingLeft(server)
    }

    /// Whatever is checked, overlooked or refused, the cheapest that is checked is found.
    @Test(arguments: 0..<64)
    func findsTheCheapestDigest(manners: Int) throws {
        let all = BodyDigest.Algorithm.allCases
        var server = ProbedServer()
        server.multipart.checked = Set(
            all.indices.filter { manners >> $0 & 1 == 1 }.map { all[$0] })
        server.multipart.forgetsRefused = manners.isMultiple(of: 3)
        if manners >> 4 & 1 == 1 { server.multipart.refused.insert(.crc32c) }
        if manners >> 5 & 1 == 1 { server.multipart.refused.insert(.crc64nvme) }
        let usable = server.multipart.checked.subtracting(server.multipart.refused)
        let (seen, warnings) = try server.probed()
        #expect(seen.partDigest == all.first(where: usable.contains))
        #expect(seen.takesMultipart && seen.conditionalComplete)
        #expect(warnings.isEmpty)
        expectNothingLeft(server)
    }

    @Test(arguments: [true, false])
    func seesWhatAPartIsCalled(isMD5: Bool) throws {
        var server = ProbedServer()
        server.multipart.partETagIsMD5 = isMD5
        let (seen, _) = try server.probed()
        #expect(seen.partETagIsMD5 == isMD5)
        #expect(seen.takesMultipart)
    }

    @Test(arguments: ProbedServer.Tagging.allCases, ProbedUploads.Tagging.allCases)
    func seesWhatBecomesOfTags(
        tagging: ProbedServer.Tagging, ofUploads: ProbedUploads.Tagging
    ) throws {
        var server = ProbedServer()
        server.tagging = tagging
        server.multipart.tagging = ofUploads
        let (seen, _) = try server.probed()
        let canRead = tagging != .replacesBody
        let expected: TargetCapabilities.Tagging =
            switch (ofUploads, tagging) {
            case (.kept, _) where canRead: .onPut
            case (_, .onPut), (_, .afterwards): .afterwards
            default: .none
            }
        #expect(seen.multipartTagging == expected)
        #expect(seen.takesMultipart)
        expectNothingLeft(server)
    }

    /// Nothing of the probe has to be killed at a certain moment: after each of its steps the next one finds a way.
    @Test func removesWhatAKilledProbeHasLeft() throws {
        var stepCount = 0
        while true {
            var server = ProbedServer()
            var killed = TargetProbe(bucket: "to", token: "t0k3n")
            var action = killed.begin()
            for _ in 0..<stepCount {
                guard case .exchange(let order) = action else { return }
                action = killed.answered(server.answer(order.request))
            }
            let (seen, warnings) = try server.probed()
            #expect(seen == TargetCapabilities(), "killed after \(stepCount) steps")
            #expect(warnings.isEmpty)
            expectNothingLeft(server)
            stepCount += 1
        }
    }

    /// Any answer may get lost: the transport then sends the request once more.
    @Test func bearsAnswersThatGetLost() throws {
        for lost in 0..<60 {
            var server = ProbedServer()
            var probe = TargetProbe(bucket: "to", token: "t0k3n")
            var action = probe.begin()
            var index = 0
            while case .exchange(let order) = action {
                if index == lost { _ = server.answer(order.request) }
                action = probe.answered(server.answer(order.request))
                index += 1
            }
            guard case .finished(let seen, let warnings) = action else {
                throw PlayError("refused")
            }
            #expect(seen.takesMultipart, "answer \(lost) was lost")
            #expect(seen.partDigest == .crc32c)
            #expect(warnings.isEmpty)
            expectNothingLeft(server)
        }
    }

    @Test func leavesTheUploadsOfOthers() throws {
        var server = ProbedServer()
        let others = [".s3migrate-probe-t0k3n-parts2", ".s3migrate-probe-other-parts", "a"]
        for name in others {
            let request = CreateMultipartUpload.request(
                bucket: "to", key: ObjectKey(name), metadata: HeaderFields())
            #expect(server.answer(request).status == 200)
        }
        _ = try server.probed()
        #expect(Set(server.multipart.uploads.values.map(\.key.description)) == Set(others))
    }

    @Test func namesTheUploadsThatItMustLeaveBehind() throws {
        for allowsList in [true, false] {
            var server = ProbedServer()
            server.multipart.allowsAbort = false
            server.multipart.allowsList = allowsList
            let (seen, warnings) = try server.probed()
            #expect(seen == TargetCapabilities())
            #expect(warnings.count == server.multipart.uploads.count)
            for id in server.multipart.uploads.keys {
                #expect(warnings.contains { $0.contains(" \(id) of .s3migrate-probe-t0k3n-parts") })
            }
        }
    }

    /// Parts that never become an object are of no use.
    @Test func seesThatNothingIsCompleted() throws {
        var server = ProbedServer()
        server.multipart.allowsComplete = false
        let (seen, warnings) = try server.probed()
        #expect(!seen.takesMultipart)
        #expect(warnings.isEmpty)
        expectNothingLeft(server)
    }
}
