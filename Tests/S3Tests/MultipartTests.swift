//! The multipart operations: what they ask for, and what they make of good, odd and hostile answers.

import Testing

@testable import S3

private let key = ObjectKey("a key")

@Suite struct CreateMultipartUploadTests {
    private let request = CreateMultipartUpload.request(
        bucket: "b", key: key, metadata: HeaderFields())

    @Test func carriesMetadataAndTags() {
        let metadata = response(200, [("x-amz-meta-a", "1"), ("content-type", "text/plain")])
        let request = CreateMultipartUpload.request(
            bucket: "b", key: key, metadata: metadata.headers, tagging: "a=b")
        #expect(request.method == .post)
        #expect(request.queryText == "uploads=")
        #expect(
            pairs(request.headers)
                == ["x-amz-meta-a: 1", "content-type: text/plain", "x-amz-tagging: a=b"])
        #expect(pairs(self.request.headers) == ["content-type: binary/octet-stream"])
    }

    @Test(
        arguments: [
            (nil, []), (.md5, []), (.sha256, []),
            (.crc32c, ["x-amz-checksum-algorithm: CRC32C", "x-amz-checksum-type: COMPOSITE"]),
            (
                .crc64nvme,
                ["x-amz-checksum-algorithm: CRC64NVME", "x-amz-checksum-type: FULL_OBJECT"]
            ),
        ] as [(BodyDigest.Algorithm?, [String])])
    func namesTheChecksum(digest: BodyDigest.Algorithm?, headers: [String]) {
        let request = CreateMultipartUpload.request(
            bucket: "b", key: key, metadata: HeaderFields(), digest: digest)
        #expect(Array(pairs(request.headers).dropFirst()) == headers)
    }

    /// The key is echoed as it is, with characters that XML forbids; the document may break off; the
    /// last is rclone's.
    @Test(arguments: [
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Bucket>b</Bucket><Key>k</Key><UploadId>2~id.+/=</UploadId></InitiateMultipartUploadResult>
        """,
        "<InitiateMultipartUploadResult><Key>\u{8}</Key><UploadId>2~id.+/=</UploadId>"
            + "</InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId>2~id.+/=</UploadId>",
        "<InitiateMultipartUpload><UploadId>2~id.+/=</UploadId></InitiateMultipartUpload>",
    ])
    func answersTheID(body: String) throws {
        let id = try CreateMultipartUpload.answer(response(200, body: body), to: request)
        #expect(id == "2~id.+/=")
    }

    @Test(arguments: [
        "", "ok", "<InitiateMultipartUploadResult/>", "<UploadId>i</UploadId>",
        "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
        "<InitiateMultipartUploadResult><UploadId>cut",
        "<Error><Code>InternalError</Code></Error>",
        "<A><UploadId>" + String(repeating: "i", count: 1025) + "</UploadId></A>",
    ])
    func refusesAnAnswerWithoutAnID(body: String) throws {
        let error = try #require(throws: S3Error.self) {
            try CreateMultipartUpload.answer(response(200, body: body), to: request)
        }
        #expect(error.operation == "CreateMultipartUpload")
        #expect(!error.message.isEmpty || error.code == "InternalError")
    }
}

@Suite struct UploadPartTests {
    private func request(_ digest: BodyDigest? = nil) -> Request {
        UploadPart.request(bucket: "b", key: key, uploadID: "i", partNumber: 7, digest: digest)
    }

    @Test func namesPartAndUpload() {
        #expect(request().method == .put)
        #expect(request().queryText == "partNumber=7&uploadId=i")
        #expect(pairs(request().headers) == ["content-type: binary/octet-stream"])
        #expect(request().payloadHash == .unsigned)
    }

    /// The CRCs are those of "123456789".
    @Test(
        arguments: [
            (.crc32c(0xe306_9283), "x-amz-checksum-crc32c: 4waSgw=="),
            (.crc64nvme(0xae8b_1486_0a79_9888), "x-amz-checksum-crc64nvme: rosUhgp5mIg="),
            (.crc32c(1), "x-amz-checksum-crc32c: AAAAAQ=="),
            (.md5(MD5.digest(of: [])), "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg=="),
        ] as [(BodyDigest, String)])
    func carriesItsDigest(digest: BodyDigest, header: String) {
        #expect(pairs(request(digest).headers).dropFirst() == [header])
        #expect(request(digest).payloadHash == .unsigned)
    }

    @Test func signsItsSHA256() {
        let digest = SHA256.digest(of: [1, 2, 3])
        #expect(request(.sha256(digest)).payloadHash == .sha256(digest))
        #expect(request(.sha256(digest)).headers.count == 1)
    }

    @Test func answersTheTag() throws {
        let answer = try UploadPart.answer(response(200, [("etag", "\"e\"")]), to: request())
        #expect(answer.etag == ETag("e"))
        #expect(try UploadPart.answer(response(200), to: request()).etag == nil)
        let error = try #require(throws: S3Error.self) {
            try UploadPart.answer(
                response(404, body: "<Error><Code>NoSuchUpload</Code></Error>"), to: request())
        }
        #expect(error.code == "NoSuchUpload")
    }

    @Test(arguments: [0, 10_001])
    func partNumbersHaveBounds(number: Int) async {
        await #expect(processExitsWith: .failure) { [number] in
            _ = UploadPart.request(
                bucket: "b", key: ObjectKey("k"), uploadID: "i", partNumber: number)
        }
    }
}

@Suite struct CompleteMultipartUploadTests {
    private typealias Part = CompleteMultipartUpload.Part

    private func request(
        _ parts: [CompleteMultipartUpload.Part] = [.init(number: 1, etag: ETag("e"))],
        condition: PutObject.Condition = .ifAbsent
    ) -> Request {
        CompleteMultipartUpload.request(
            bucket: "b", key: key, uploadID: "i", parts: parts, condition: condition)
    }

    @Test func listsTheParts() {
        let request = request([
            Part(number: 1, etag: ETag("\"e1\""), digest: .crc32c(0xe306_9283)),
            Part(number: 3, etag: ETag("<&>"), digest: .crc64nvme(1)),
            Part(number: 10_000, etag: ETag("e3"), digest: .md5(MD5.digest(of: []))),
        ])
        #expect(request.method == .post)
        #expect(request.queryText == "uploadId=i")
        #expect(
            pairs(request.headers) == ["content-type: application/xml", "if-none-match: *"])
        #expect(request.payloadHash == .sha256(SHA256.digest(of: request.body)))
        #expect(
            request.bodyText == """
                <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
                <Part><ChecksumCRC32C>4waSgw==</ChecksumCRC32C><ETag>&quot;e1&quot;</ETag>\
                <PartNumber>1</PartNumber></Part>\
                <Part><ETag>&quot;&lt;&amp;&gt;&quot;</ETag><PartNumber>3</PartNumber></Part>\
                <Part><ETag>&quot;e3&quot;</ETag><PartNumber>10000</PartNumber></Part>\
                </CompleteMultipartUpload>
                """)
    }

    @Test(
        arguments: [
            (.none, []), (.ifAbsent, ["if-none-match: *"]),
            (.ifMatch(ETag("\"e\""), .quoted), ["if-match: \"e\""]),
            (.ifMatch(ETag("\"e\""), .unquoted), ["if-match: e"]),
        ] as [(PutObject.Condition, [String])])
    func carriesTheCondition(condition: PutObject.Condition, headers: [String]) {
        #expect(pairs(request(condition: condition).headers).dropFirst() == headers[...])
    }

    @Test func tenThousandPartsAreAnObject() {
        let parts = (1...10_000).map { Part(number: $0, etag: ETag("e\($0)"), digest: .crc32c(1)) }
        let document = XMLDocument(request(parts).body)
        #expect(document.failure == nil)
        let numbers = document.elements.filter { $0.path.hasSuffix("PartNumber") }.map(\.text)
        #expect(numbers == (1...10_000).map { "\($0)" })
    }

    @Test(arguments: [[], [2, 1], [1, 1], [0, 1], Array(1...10_001)])
    func partsStandInOrderAndWithinBounds(numbers: [Int]) async {
        await #expect(processExitsWith: .failure) { [numbers] in
            _ = CompleteMultipartUpload.request(
                bucket: "b", key: ObjectKey("k"), uploadID: "i",
                parts: numbers.map { .init(number: $0, etag: ETag("e")) }, condition: .none)
        }
    }

    @Test(arguments: [
        ("<ETag>\"e-2\"</ETag>", ETag("e-2")), ("<ETag>&quot;e-2&quot;</ETag>", ETag("e-2")),
        ("<ETag>e-2</ETag>", ETag("e-2")), ("<ETag></ETag>", nil), ("<ETag/>", nil), ("", nil),
        ("<Key>\u{1}</Key><ETag>e-2</ETag>", ETag("e-2")), ("<ETag>\"\"</ETag>", nil),
    ])
    func answersTheTag(element: String, etag: ETag?) throws {
        let body = "<CompleteMultipartUploadResult>\(element)</CompleteMultipartUploadResult>"
        for start in ["", "<?xml version=\"1.0\"?>\n", "  \n<?xml version=\"1.0\"?>   \n  "] {
            let answer = try CompleteMultipartUpload.answer(
                response(200, body: start + body), to: request())
            #expect(answer.etag == etag)
        }
    }

    @Test(arguments: ["", "   \n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n    \r\n"])
    func findsTheErrorBehindAGoodStatus(start: String) throws {
        let body = start + "<Error><Code>InternalError</Code><Message>try again</Message></Error>"
        let error = try #require(throws: S3Error.self) {
            try CompleteMultipartUpload.answer(response(200, body: body), to: request())
        }
        #expect(error.status == 200)
        #expect(error.code == "InternalError")
        #expect(error.message == "try again")
    }

    /// Nobody knows how a completion ended that was told by half.
    @Test(arguments: [
        "", "    ", "<?xml version=\"1.0\"?>\n   ", "done", "<Other/>",
        "<CompleteMultipartUploadResult><ETag>e-2</ETag>", "<html><body>welcome</body></html>",
        "<!DOCTYPE x><CompleteMultipartUploadResult/>",
    ])
    func refusesWhatTellsNoEnd(body: String) throws {
        let error = try #require(throws: S3Error.self) {
            try CompleteMultipartUpload.answer(response(200, body: body), to: request())
        }
        #expect(error.code == nil)
        #expect(!error.message.isEmpty)
    }

    @Test func tellsOfTheCondition() throws {
        let error = try #require(throws: S3Error.self) {
            try CompleteMultipartUpload.answer(response(412), to: request())
        }
        #expect(error.status == 412)
    }
}

@Suite struct AbortMultipartUploadTests {
    private let request = AbortMultipartUpload.request(bucket: "b", key: key, uploadID: "i")

    @Test func namesTheUpload() throws {
        #expect(request.method == .delete)
        #expect(request.key == key)
        #expect(request.queryText == "uploadId=i")
        try AbortMultipartUpload.answer(response(204), to: request)
        #expect(throws: S3Error.self) {
            try AbortMultipartUpload.answer(response(404), to: request)
        }
    }
}
