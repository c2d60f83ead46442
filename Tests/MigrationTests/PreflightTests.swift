//! The first words to the operator: which side, what the server said, what to check.

import Migration
import S3
import Testing

@Suite struct PreflightTests {
    private let source = Preflight(
        side: .source, url: "http://10.0.0.1:8000", bucket: "photos", region: "us-east-1")
    private let target = Preflight(
        side: .target, url: "https://new.example", bucket: "copy", region: "eu-1")

    private func listing(
        _ code: String?, _ message: String = "said", _ more: String = ""
    ) -> Response {
        guard let code else { return Response(status: 403) }
        let xml = "<Error><Code>\(code)</Code><Message>\(message)</Message>\(more)</Error>"
        return Response(status: 403, body: Array(xml.utf8))
    }

    private func refusal(_ verdict: Preflight.Verdict) -> String {
        guard case .refused(let text) = verdict else { return "not refused: \(verdict)" }
        return text
    }

    private let lists = Response(status: 200, body: Array("<?xml?><ListBucketResult/>".utf8))

    @Test(arguments: [200, 204])
    func isReady(status: Int) {
        let head = Response(status: status)
        #expect(source.verdict(on: head, listing: lists, clockDifference: nil) == .ready)
        // Who copies need not be allowed to list.
        let denied = listing("AccessDenied")
        #expect(source.verdict(on: head, listing: denied, clockDifference: nil) == .ready)
    }

    @Test func refusesAWebServer() {
        let page = Response(status: 200, body: Array("<html>welcome</html>".utf8))
        let text = refusal(
            source.verdict(on: Response(status: 200), listing: page, clockDifference: nil))
        #expect(text.contains("is this an S3 endpoint?"))
    }

    @Test func namesTheKeyThatCannotBeRead() {
        let text = source.unreadable(ObjectKey("a\tb"))
        #expect(text.contains("'\\a\\tb'") && text.contains("--src-key"))
    }

    /// Users who may only read objects often lack HeadBucket.
    @Test func warnsAtAMere403() {
        let verdict = source.verdict(
            on: Response(status: 403), listing: listing("AccessDenied"), clockDifference: nil)
        guard case .warning(let text) = verdict else { return #expect(Bool(false), "\(verdict)") }
        #expect(text.contains("source: bucket 'photos' at http://10.0.0.1:8000"))
        #expect(text.contains("HTTP 403 AccessDenied: said"))
    }

    @Test(
        arguments: [
            (403, "SignatureDoesNotMatch", ["--src-key", "--src-secret"]),
            (403, "InvalidAccessKeyId", ["--src-key", "--src-secret"]),
            (400, "ExpiredToken", ["--src-profile"]),
            (404, "NoSuchBucket", ["--src-bucket"]),
            (404, "", ["--src-bucket"]),
            (301, "PermanentRedirect", ["--src-region"]),
            (400, "AuthorizationHeaderMalformed", ["--src-region", "us-east-1"]),
            (307, "TemporaryRedirect", ["--src-url", "another address"]),
            (500, "InternalError", ["the server"]),
            (400, "", ["--src-url", "S3 endpoint"]),
            (405, "", ["--src-url"]),
        ] as [(Int, String, [String])])
    func refusesWithWhatToCheck(status: Int, code: String, words: [String]) {
        let body = listing(code.isEmpty ? nil : code)
        let text = refusal(
            source.verdict(on: Response(status: status), listing: body, clockDifference: nil))
        #expect(text.hasPrefix("source: bucket 'photos' at http://10.0.0.1:8000: HTTP \(status)"))
        #expect(text.contains(code))
        #expect(text.contains("\n  check "))
        for word in words { #expect(text.contains(word), "\(text)") }
    }

    @Test func namesTheFlagsOfItsSide() {
        let text = refusal(
            target.verdict(
                on: Response(status: 403), listing: listing("SignatureDoesNotMatch"),
                clockDifference: nil))
        #expect(text.contains("target: bucket 'copy' at https://new.example"))
        #expect(text.contains("--dest-key") && !text.contains("--src"))
    }

    @Test(arguments: [(900, "900 s behind"), (-901, "901 s ahead")])
    func tellsHowWrongTheClockIs(seconds: Int, words: String) {
        let text = refusal(
            source.verdict(
                on: Response(status: 403), listing: listing("RequestTimeTooSkewed"),
                clockDifference: .seconds(seconds)))
        #expect(text.contains(words))
    }

    @Test func namesTheRegionThatTheServerNames() {
        var response = Response(status: 301)
        response.headers.append("x-amz-bucket-region", "eu-west-3")
        let byHeader = refusal(
            target.verdict(on: response, listing: listing(nil), clockDifference: nil))
        #expect(byHeader.contains("'eu-west-3'") && byHeader.contains("'eu-1'"))
        let body = listing("AuthorizationHeaderMalformed", "m", "<Region>ap-1</Region>")
        let byBody = refusal(
            target.verdict(on: Response(status: 400), listing: body, clockDifference: nil))
        #expect(byBody.contains("'ap-1'"))
        let swift =
            "The authorization header is malformed; the region 'eu-1' is wrong; expecting 'us-2'"
        let byMessage = refusal(
            target.verdict(
                on: Response(status: 400), listing: listing("AuthorizationHeaderMalformed", swift),
                clockDifference: nil))
        #expect(byMessage.contains("check --dest-region: the server names 'us-2'"))
    }

    @Test(arguments: [
        (TransportFault.Kind.tls, "--dest-ca-file"), (.stalled, "firewall"),
        (.broken, "--dest-url"), (.overflow, "--dest-url"),
    ])
    func tellsWhyNobodyAnswered(kind: TransportFault.Kind, words: String) {
        let text = refusal(
            target.verdict(on: TransportFault(kind, message: "Could not resolve host: new.example"))
        )
        #expect(text.contains("no answer (Could not resolve host: new.example)"))
        #expect(text.contains(words))
    }
}
