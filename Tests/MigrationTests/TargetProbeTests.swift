//! The probe before servers of every kind: it finds out the truth, and leaves nothing behind.

import Migration
import Testing

@testable import S3

/// A target that keeps objects and overlooks what its manners say.
struct ProbedServer: Sendable {
    enum Tagging: CaseIterable {
        case none
        /// The header on PUT is kept, and so is PutObjectTagging.
        case onPut
        /// Only PutObjectTagging works.
        case afterwards
        /// `?tagging` is overlooked: the tags become the body (rclone).
        case replacesBody
    }

    enum Conditions: CaseIterable {
        case honoured
        case ignored
        /// A request with a condition is answered with 501.
        case refused
    }

    /// What becomes of `If-Match` on PUT.
    enum Replacing: CaseIterable {
        case honoured
        /// A tag in quotes is never the right one (Ceph).
        case onlyUnquoted
        /// Whatever is said, the object is replaced (rclone).
        case ignored
        /// Only in quotes it is understood, and else ignored.
        case ignoredUnquoted
        /// 501 (Swift).
        case refused
        /// 412 to everything.
        case never
        /// The tag is honoured, and the same for every object (a mounted file system).
        case placeholder
        /// The tag is honoured, and stays when the object is replaced.
        case constant
    }

    var tagging = Tagging.onPut
    var conditions = Conditions.honoured
    var replacing = Replacing.honoured
    var checksMD5 = true
    var etagIsMD5 = true
    /// A PUT with tags is answered with 501 (Swift).
    var refusesTagsOnPut = false
    /// With which status tags are refused; 403 where only the permission for tags is missing.
    var refusal = 501
    var allowsDelete = true
    var multipart = ProbedUploads()
    var bodies: [ObjectKey: [UInt8]] = [:]
    var tags: [ObjectKey: [UInt8]] = [:]

    init() {}

    mutating func answer(_ request: Request) -> Response {
        let key = request.key ?? ObjectKey("")
        let isTagging = request.query.contains { $0.name == "tagging" }
        if request.query.contains(where: { $0.name == "uploads" || $0.name == "uploadId" }) {
            return answerAboutParts(request)
        }
        switch request.method {
        case .put where isTagging && tagging != .replacesBody: return writeTags(key, request.body)
        case .put: return write(key, request)
        case .get where isTagging && tagging != .replacesBody:
            return Response(
                status: 200, body: tags[key] ?? Array("<Tagging><TagSet/></Tagging>".utf8))
        case .get: return Response(status: 200, body: bodies[key] ?? [])
        case .head: return head(key)
        case .delete: return remove(key)
        case .post: return Response(status: 400)
        }
    }

    private mutating func write(_ key: ObjectKey, _ request: Request) -> Response {
        let isConditional = request.headers["if-none-match"] != nil
        if isConditional, conditions == .refused { return Response(status: 501) }
        if isConditional, conditions == .honoured, bodies[key] != nil {
            return Response(status: 412)
        }
        if let refusal = replacementRefusal(key, request) { return refusal }
        let promised = request.headers["content-md5"]
        if let promised, checksMD5, promised != base64Text(MD5.digest(of: request.body)) {
            return Response(status: 400)
        }
        if refusesTagsOnPut, request.headers["x-amz-tagging"] != nil {
            return Response(status: refusal)
        }
        bodies[key] = request.body
        tags[key] = tagging == .onPut ? taggingDocument(request) : nil
        var response = Response(status: 200)
        response.headers.append("etag", "\"\(etag(of: request.body))\"")
        return response
    }

    private func etag(of body: [UInt8]) -> String {
        switch replacing {
        case .placeholder: "00000000000000000000000000000000-1"
        case .constant: "constant"
        default: etagIsMD5 ? md5Text(body) : md5Text(body + [0])
        }
    }

    private func replacementRefusal(_ key: ObjectKey, _ request: Request) -> Response? {
        guard let wanted = request.headers["if-match"], replacing != .ignored else { return nil }
        let current = bodies[key].map { etag(of: $0) } ?? ""
        let isRight =
            switch replacing {
            case .onlyUnquoted: wanted == current
            case .ignoredUnquoted: !wanted.hasPrefix("\"") || ETag(wanted).text == current
            case .never: false
            default: ETag(wanted).text == current
            }
        guard replacing != .refused else { return Response(status: 501) }
        return isRight ? nil : Response(status: 412)
    }

    func taggingDocument(_ request: Request) -> [UInt8]? {
        guard let pair = request.headers["x-amz-tagging"]?.split(separator: "=") else { return nil }
        let tag = "<Tag><Key>\(pair[0])</Key><Value>\(pair[1])</Value></Tag>"
        return Array("<Tagging><TagSet>\(tag)</TagSet></Tagging>".utf8)
    }

    private mutating func writeTags(_ key: ObjectKey, _ body: [UInt8]) -> Response {
        guard tagging != .none else { return Response(status: refusal) }
        tags[key] = body
        return Response(status: 200)
    }

    private func head(_ key: ObjectKey) -> Response {
        guard let body = bodies[key] else { return Response(status: 404) }
        var response = Response(status: 200)
        response.headers.append("etag", "\"\(md5Text(body))\"")
        response.headers.append("content-length", "\(body.count)")
        return response
    }

    private mutating func remove(_ key: ObjectKey) -> Response {
        guard allowsDelete else { return Response(status: 403) }
        bodies[key] = nil
        tags[key] = nil
        return Response(status: 204)
    }
}

extension ProbedServer {
    /// What a probe finds out here. It ends, and asks only the target about keys of its own.
    mutating func probed() throws -> (TargetCapabilities, [String]) {
        var probe = TargetProbe(bucket: "to", token: "t0k3n")
        var action = probe.begin()
        for _ in 0..<60 {
            switch action {
            case .exchange(let order):
                #expect(order.side == .target)
                let prefix = order.request.query.first { $0.name == "prefix" }?.value
                let key = order.request.key?.description ?? prefix
                #expect(key?.hasPrefix(".s3migrate-probe-t0k3n") == true)
                action = probe.answered(answer(order.request))
            case .finished(let capabilities, let warnings): return (capabilities, warnings)
            case .refused(let fault): throw PlayError("refused: \(fault)")
            }
        }
        throw PlayError("the probe does not end")
    }
}

@Suite struct TargetProbeTests {
    @Test(arguments: ProbedServer.Tagging.allCases, ProbedServer.Conditions.allCases)
    func seesWhatTheServerDoes(
        tagging: ProbedServer.Tagging, conditions: ProbedServer.Conditions
    ) throws {
        for checksMD5 in [true, false] {
            var server = ProbedServer()
            server.tagging = tagging
            server.conditions = conditions
            server.checksMD5 = checksMD5
            server.etagIsMD5 = !checksMD5
            let (seen, warnings) = try server.probed()
            #expect(seen.conditionalPut == (conditions == .honoured))
            #expect(seen.checksContentMD5 == checksMD5)
            #expect(seen.etagIsMD5 == !checksMD5)
            #expect(warnings.isEmpty)
            #expect(server.bodies.isEmpty, "the probe leaves something behind")
            // Where the first PUT was refused for its condition, its tags went with it.
            let canBeOnPut = tagging == .onPut && conditions != .refused
            let expected: TargetCapabilities.Tagging =
                switch tagging {
                case .onPut: canBeOnPut ? .onPut : .afterwards
                case .afterwards: .afterwards
                case .none, .replacesBody: .none
                }
            #expect(seen.tagging == expected)
        }
    }

    @Test(arguments: ProbedServer.Replacing.allCases)
    func seesHowObjectsAreReplaced(replacing: ProbedServer.Replacing) throws {
        for tagging in ProbedServer.Tagging.allCases {
            var server = ProbedServer()
            server.replacing = replacing
            server.tagging = tagging
            let (seen, warnings) = try server.probed()
            let expected: PutObject.IfMatchForm? =
                switch replacing {
                case .honoured, .ignoredUnquoted: .quoted
                case .onlyUnquoted: .unquoted
                case .ignored, .refused, .never, .placeholder, .constant: nil
                }
            #expect(seen.ifMatchOnPut == expected)
            #expect(seen.conditionalPut && seen.checksContentMD5)
            let isTagged: TargetCapabilities.Tagging =
                [.onPut: .onPut, .afterwards: .afterwards][tagging] ?? .none
            #expect(seen.tagging == isTagged, "the tags survive the replacing")
            #expect(warnings.isEmpty && server.bodies.isEmpty)
        }
    }

    /// Who may write objects and no tags can still copy; the objects are marked.
    @Test func goesOnWithoutThePermissionForTags() throws {
        var server = ProbedServer()
        (server.tagging, server.refusesTagsOnPut, server.refusal) = (.none, true, 403)
        let (seen, warnings) = try server.probed()
        #expect(seen.conditionalPut && seen.checksContentMD5)
        #expect(seen.tagging == .none)
        #expect(warnings.isEmpty)
    }

    /// Tags that are refused say nothing about conditions.
    /// Of two probes that faults have disturbed, each knows what the other missed.
    @Test func unitesWhatTwoProbesHaveSeen() {
        let all = TargetCapabilities()
        let none = TargetCapabilities(
            conditionalPut: false, checksContentMD5: false, etagIsMD5: false, tagging: .none,
            takesMultipart: false, conditionalComplete: false, partDigest: nil,
            partETagIsMD5: false, multipartTagging: .none, ifMatchOnPut: nil,
            ifMatchOnComplete: false)
        #expect(all.united(with: none) == all && none.united(with: all) == all)
        #expect(none.united(with: none) == none)
        var one = none
        (one.tagging, one.partDigest, one.ifMatchOnPut) = (.afterwards, .sha256, .unquoted)
        var other = none
        (other.tagging, other.partDigest) = (.onPut, .crc64nvme)
        let both = one.united(with: other)
        #expect(both.tagging == .onPut && both.partDigest == .crc64nvme)
        #expect(both.ifMatchOnPut == .unquoted && !both.conditionalPut)
    }

    @Test func asksForConditionsApartFromTags() throws {
        var server = ProbedServer()
        server.refusesTagsOnPut = true
        let (seen, _) = try server.probed()
        #expect(seen.conditionalPut)
        #expect(seen.tagging == .afterwards)
    }

    @Test func removesWhatAKilledProbeHasLeft() throws {
        var server = ProbedServer()
        var killed = TargetProbe(bucket: "to", token: "t0k3n")
        var action = killed.begin()
        while server.bodies.isEmpty, case .exchange(let order) = action {
            action = killed.answered(server.answer(order.request))
        }
        let (seen, _) = try server.probed()
        #expect(seen.conditionalPut)
        #expect(server.bodies.isEmpty)
    }

    /// A probe whose leftovers are cleared, and whose first PUT is to be answered.
    private func begun() -> TargetProbe {
        var probe = TargetProbe(bucket: "to", token: "t")
        var action = probe.begin()
        while case .exchange(let order) = action, order.request.method == .delete {
            action = probe.answered(Response(status: 404))
        }
        return probe
    }

    @Test func namesWhatItMustLeaveBehind() throws {
        var server = ProbedServer()
        server.allowsDelete = false
        server.checksMD5 = false
        let (_, warnings) = try server.probed()
        #expect(warnings.count == 3)
        #expect(warnings[0].contains(".s3migrate-probe-t0k3n ") && warnings[0].contains("403"))
        #expect(warnings[1].contains(".s3migrate-probe-t0k3n-digest "))
        #expect(warnings[2].contains(".s3migrate-probe-t0k3n-parts "))
    }

    /// A 403 may be for the tags alone, so that the same is tried without them, and without the condition.
    @Test(
        arguments: [
            (403, "AccessDenied", FaultClass.denied, 3), (404, "NoSuchBucket", .fatal, 1),
            (503, "SlowDown", .throttled, 1),
        ] as [(Int, String, FaultClass, Int)])
    func saysThatNothingIsTaken(
        status: Int, code: String, faultClass: FaultClass, attempts: Int
    ) throws {
        var probe = begun()
        let body = Array("<Error><Code>\(code)</Code></Error>".utf8)
        for _ in 1..<attempts { _ = probe.answered(Response(status: status, body: body)) }
        guard case .refused(let fault) = probe.answered(Response(status: status, body: body)) else {
            throw PlayError("the probe goes on")
        }
        #expect(fault.faultClass == faultClass)
        #expect(fault.code == code)
    }

    @Test func saysThatNothingIsTakenWithLessEither() throws {
        var probe = begun()
        var asked: [[Bool]] = []
        for _ in 0..<2 {
            guard case .exchange(let order) = probe.answered(Response(status: 501)) else {
                throw PlayError("the probe does not ask for less")
            }
            let headers = order.request.headers
            asked.append([headers["x-amz-tagging"] != nil, headers["if-none-match"] != nil])
        }
        #expect(asked == [[false, true], [false, false]])
        guard case .refused(let fault) = probe.answered(Response(status: 403)) else {
            throw PlayError("the probe goes on")
        }
        #expect(fault.faultClass == .denied)
    }

    @Test func sendsADigestThatIsWrong() throws {
        var digests: [String] = []
        var server = ProbedServer()
        var probe = TargetProbe(bucket: "to", token: "t")
        var action = probe.begin()
        while case .exchange(let order) = action {
            if order.request.method == .put, order.request.query.isEmpty,
                let digest = order.request.headers["content-md5"]
            {
                digests.append(digest)
                #expect(digest != base64Text(MD5.digest(of: order.request.body)))
            }
            action = probe.answered(server.answer(order.request))
        }
        #expect(digests.count == 1)
    }
}
