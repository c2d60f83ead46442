//! The verdict on every fault: its class, whether it is tried again, and after how long.

import S3
import Testing

@testable import Migration

@Suite struct RetryPolicyTests {
    private func response(
        _ status: Int, _ code: String? = nil, _ headers: [(String, String)] = []
    ) -> Response {
        let xml = code.map { "<Error><Code>\($0)</Code><Message>m</Message></Error>" } ?? ""
        var response = Response(status: status, body: Array(xml.utf8))
        for (name, value) in headers { response.headers.append(name, value) }
        return response
    }

    private func draw(
        _ fault: Fault, attempt: Int, retries: Int = 10, seed: UInt64 = 1
    ) -> RetryPolicy.Verdict {
        var random = SeededRandom(seed: seed)
        return RetryPolicy(retriesMax: retries).verdict(
            for: fault, attempt: attempt, random: &random)
    }

    private func wait(_ verdict: RetryPolicy.Verdict) -> Duration? {
        guard case .again(let delay) = verdict else { return nil }
        return delay
    }

    // MARK: - Classes

    @Test(
        arguments: [
            (200, .badAnswer), (204, .badAnswer), (301, .fatal), (302, .fatal), (307, .fatal),
            (400, .refused), (401, .refused), (403, .denied), (404, .refused), (405, .refused),
            (408, .server), (409, .conflict), (411, .refused), (412, .refused), (413, .refused),
            (416, .refused), (429, .throttled), (500, .server), (501, .refused), (502, .server),
            (503, .throttled), (504, .server), (505, .refused), (507, .server), (599, .server),
            (0, .refused), (600, .server),
        ] as [(Int, FaultClass)])
    func knowsAStatus(status: Int, faultClass: FaultClass) {
        #expect(RetryPolicy.fault(of: response(status)).faultClass == faultClass)
        #expect(RetryPolicy.faultClass(status: status, code: "SomethingNew") == faultClass)
    }

    /// The code counts more than the status, which proxies and servers choose differently.
    @Test(
        arguments: [
            ("SlowDown", .throttled), ("ServiceUnavailable", .throttled),
            ("TooManyRequests", .throttled), ("RequestLimitExceeded", .throttled),
            ("InternalError", .server), ("RequestTimeout", .server), ("IncompleteBody", .transport),
            ("RequestTimeTooSkewed", .skew), ("ExpiredToken", .expired),
            ("ConditionalRequestConflict", .conflict), ("OperationAborted", .conflict),
            ("BadDigest", .mismatch), ("XAmzContentSHA256Mismatch", .mismatch),
            ("InvalidObjectState", .archived), ("EntityTooLarge", .refused),
            ("NotImplemented", .refused), ("AccessDenied", .denied),
            ("SignatureDoesNotMatch", .denied), ("NoSuchBucket", .fatal),
            ("InvalidAccessKeyId", .fatal), ("PermanentRedirect", .fatal),
            ("QuotaExceeded", .fatal),
            ("AuthorizationHeaderMalformed", .fatal),
        ] as [(String, FaultClass)])
    func knowsACode(code: String, faultClass: FaultClass) {
        for status in [400, 403, 500, 503] {
            #expect(RetryPolicy.fault(of: response(status, code)).faultClass == faultClass)
        }
    }

    @Test func takesOverWhatTheServerSaid() {
        let fault = RetryPolicy.fault(
            of: response(503, "SlowDown", [("date", "Thu, 01 Jan 2026 00:00:00 GMT")]))
        #expect(fault.status == 503)
        #expect(fault.code == "SlowDown")
        #expect(fault.message == "m")
        #expect(fault.serverNow == Timestamp(secondsSince1970: 1_767_225_600))
    }

    @Test func knowsAnErrorBehindAGoodStatus() {
        let request = Request(.put, operation: "PutObject", bucket: "b")
        func faultClass(_ code: String?) -> FaultClass {
            RetryPolicy.fault(S3Error(response(200, code), to: request)).faultClass
        }
        #expect(faultClass("SlowDown") == .throttled)
        #expect(faultClass("SomethingNew") == .server)
        #expect(faultClass(nil) == .badAnswer)
    }

    @Test(arguments: [
        (TransportFault.Kind.broken, FaultClass.transport), (.stalled, .stalled), (.tls, .tls),
        (.overflow, .badAnswer), (.unsendable, .refused),
    ])
    func knowsATransport(kind: TransportFault.Kind, faultClass: FaultClass) {
        #expect(TransportFault(kind, message: "").faultClass == faultClass)
    }

    // MARK: - Nobody there

    @Test(arguments: [502, 503, 504])
    func knowsALoadBalancerWithNobodyBehindIt(status: Int) {
        #expect(RetryPolicy.isAbsence(response(status)))
        #expect(!RetryPolicy.isAbsence(response(status, "SlowDown")))
        #expect(!RetryPolicy.isAbsence(response(status, nil, [("x-amz-request-id", "1")])))
    }

    @Test(arguments: [200, 403, 404, 429, 500])
    func takesAllElseForAnAnswer(status: Int) {
        #expect(!RetryPolicy.isAbsence(response(status)))
    }

    @Test(arguments: [
        (TransportFault.Kind.broken, true), (.stalled, true), (.tls, true), (.overflow, false),
        (.unsendable, false),
    ])
    func knowsWhatMayBeNobody(kind: TransportFault.Kind, isAbsence: Bool) {
        #expect(TransportFault(kind, message: "").isAbsence == isAbsence)
    }

    @Test func knowsThrottling() {
        #expect(RetryPolicy.isThrottling(response(503, "SlowDown")))
        #expect(RetryPolicy.isThrottling(response(429)))
        #expect(!RetryPolicy.isThrottling(response(500, "InternalError")))
        #expect(!RetryPolicy.isThrottling(response(200)))
    }

    // MARK: - Verdicts

    @Test(arguments: FaultClass.allCases)
    func decidesByTheClass(faultClass: FaultClass) {
        let fault = Fault(faultClass, message: "")
        let verdict = draw(fault, attempt: 1)
        switch faultClass {
        case .fatal, .expired: #expect(verdict == .stopRun)
        case .refused, .denied, .archived, .tooLarge: #expect(verdict == .giveUp)
        case .missing, .size, .etag, .content, .metadata, .tags: #expect(verdict == .giveUp)
        case .transport, .stalled, .tls, .throttled, .server, .skew, .conflict, .mismatch,
            .changed, .badAnswer, .damaged:
            #expect(wait(verdict) != nil)
            let last = [.changed: Limits.restartsMax, .damaged: 2][faultClass] ?? 10
            #expect(wait(draw(fault, attempt: last)) != nil)
            #expect(draw(fault, attempt: last + 1) == .giveUp)
            #expect(draw(fault, attempt: 1, retries: 0) == .giveUp)
        }
    }

    @Test(
        arguments: [
            (.server, 1, 100), (.server, 2, 200), (.server, 5, 1600), (.server, 8, 12_800),
            (.server, 9, 20_000), (.server, 1000, 20_000), (.throttled, 1, 500),
            (.throttled, 2, 1000), (.throttled, 7, 20_000), (.transport, 3, 400),
        ] as [(FaultClass, Int, Int)])
    func doublesTheLongestWait(faultClass: FaultClass, attempt: Int, milliseconds: Int) {
        let longest = Duration.milliseconds(milliseconds)
        #expect(RetryPolicy().delay(of: faultClass, attempt: attempt) == longest)
        let fault = Fault(faultClass, message: "")
        let waits = (0..<200).compactMap {
            wait(draw(fault, attempt: attempt, retries: 1000, seed: UInt64($0)))
        }
        #expect(waits.count == 200)
        #expect(waits.allSatisfy { $0 >= .zero && $0 <= longest })
        // Evenly between nothing and the figure.
        #expect(waits.contains { $0 > longest * 9 / 10 })
        #expect(waits.contains { $0 < longest / 10 })
    }

    @Test func drawsTheSameFromTheSameSeed() {
        let fault = Fault(.server, message: "")
        #expect(draw(fault, attempt: 9, seed: 5) == draw(fault, attempt: 9, seed: 5))
        #expect(draw(fault, attempt: 9, seed: 5) != draw(fault, attempt: 9, seed: 6))
    }

    @Test(arguments: [("3", 3), ("119", 119), ("7200", 120)])
    func staysAwayAsLongAsTheServerAsks(text: String, seconds: Int) {
        let fault = RetryPolicy.fault(of: response(503, nil, [("retry-after", text)]))
        #expect(wait(draw(fault, attempt: 1)) == .seconds(seconds))
    }

    @Test(arguments: ["0", "-5", "soon", "", "1.5", "Thu, 01 Jan 2026 00:00:00 GMT"])
    func passesOverARetryAfterThatSaysNothing(text: String) throws {
        let fault = RetryPolicy.fault(of: response(503, nil, [("retry-after", text)]))
        let delay = try #require(wait(draw(fault, attempt: 1)))
        #expect(delay <= Limits.throttleDelayMin)
    }
}

@Suite struct SeededRandomTests {
    /// The first values of the reference implementation for the seed 1234567.
    @Test func isSplitMix64() {
        var random = SeededRandom(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
        #expect(random.next() == 9_817_491_932_198_370_423)
    }
}
