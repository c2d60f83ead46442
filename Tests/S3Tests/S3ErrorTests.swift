//! Errors: whatever a server says becomes a value that tells it and is safe to show.

import S3
import Testing

@Suite struct S3ErrorTests {
    private let request = PutObject.request(
        bucket: "b", key: ObjectKey("k"), metadata: HeaderFields(), condition: .ifAbsent,
        payloadHash: .unsigned)

    private func response(
        _ status: Int, _ body: String = "", _ headers: [(String, String)] = []
    ) -> Response {
        var fields = HeaderFields()
        for (name, value) in headers { fields.append(name, value) }
        return Response(status: status, headers: fields, body: Array(body.utf8))
    }

    @Test func readsAllFields() {
        let body = S3ErrorBody(
            Array(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <Error><Code>RequestTimeTooSkewed</Code><Message>Too far</Message><Region>eu</Region>
                <ServerTime>2013-05-24T00:00:00Z</ServerTime><RequestId>R1</RequestId>
                <Endpoint>b.s3.example.org</Endpoint><BucketName>b</BucketName><HostId>h</HostId></Error>
                """.utf8))
        #expect(body.code == "RequestTimeTooSkewed")
        #expect(body.message == "Too far")
        #expect(body.requestID == "R1")
        #expect(body.region == "eu")
        #expect(body.serverTime?.secondsSince1970 == 1_369_353_600)
        #expect(body.endpoint == "b.s3.example.org")
        #expect(body.bucket == "b")
    }

    @Test(arguments: [
        ("", ""),
        (
            "<html>\n<body><h1>502 Bad\u{7} Gateway</h1></body>",
            "<html> <body><h1>502 Bad Gateway</h1></body>"
        ),
        ("{\"error\": 1}", "{\"error\": 1}"),
        ("<Error><Code></Code></Error>", "<Error><Code></Code></Error>"),
        ("\u{0}\u{1b}]0;title\u{7}", "]0;title"),
    ])
    func foreignBodyIsItsOwnMessage(body: String, message: String) {
        let body = S3ErrorBody(Array(body.utf8))
        #expect(body.code == nil)
        #expect(body.message == message)
    }

    @Test func messagesAreBounded() {
        let long = String(repeating: "x", count: 100_000)
        #expect(S3ErrorBody(Array(long.utf8)).message.count == S3ErrorBody.foreignMessageCountMax)
        let xml = "<Error><Code>\(long)</Code><Message>\(long)</Message></Error>"
        #expect(S3ErrorBody(Array(xml.utf8)).message.count == S3ErrorBody.messageCountMax)
        #expect(S3ErrorBody(Array(xml.utf8)).code?.count == S3ErrorBody.messageCountMax)
    }

    @Test func describesItselfForPeople() {
        let xml = "<Error><Code>AccessDenied</Code><Message>No&#10;way</Message></Error>"
        let answered = response(403, xml, [("X-Amz-Request-Id", "R1")])
        let error = S3Error(answered, to: request)
        #expect(error.description == "PutObject answered 403 AccessDenied: No way (request id R1)")
        #expect(error.key == ObjectKey("k"))
    }

    @Test func describesAnAnswerWithoutABody() {
        #expect(S3Error(response(404), to: request).description == "PutObject answered 404")
    }

    @Test func takesRegionAndClockFromHeaders() {
        let headers = [
            ("x-amz-bucket-region", "eu-west-1"), ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ]
        let error = S3Error(response(301, "", headers), to: request)
        #expect(error.region == "eu-west-1")
        #expect(error.serverTime?.secondsSince1970 == 1_369_353_600)
    }

    /// What was signed with which key may stand in these, and is not taken over.
    @Test func echoedSignaturesAreNotKept() {
        let xml = """
            <Error><Code>SignatureDoesNotMatch</Code><Message>m</Message>
            <CanonicalRequest>x-amz-security-token:hush</CanonicalRequest></Error>
            """
        #expect(!"\(S3Error(response(403, xml), to: request))".contains("hush"))
    }

    @Test(arguments: [
        "<Error><Code>InternalError</Code></Error>",
        "<?xml version=\"1.0\"?>\n  <Error xmlns=\"x\"><Code>InternalError</Code></Error>",
        String(repeating: " ", count: 5000)
            + "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>",
    ])
    func errorInAGoodAnswerCounts(body: String) throws {
        let error = try #require(throws: S3Error.self) {
            try PutObject.answer(response(200, body), to: request)
        }
        #expect(error.status == 200)
        #expect(error.code == "InternalError")
    }

    @Test(arguments: [199, 301, 304, 307, 400, 412, 416, 500, 503])
    func onlySuccessIsGranted(status: Int) throws {
        let error = try #require(throws: S3Error.self) {
            try PutObject.answer(response(status), to: request)
        }
        #expect(error.status == status)
    }
}
