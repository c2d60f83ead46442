//! The operations: what they ask for, and what they make of the answers of good and of odd servers.

import S3
import Testing

@Suite struct GetObjectTests {
    private let request = GetObject.request(
        bucket: "b", key: ObjectKey("k"), bytes: 0..<1024, ifMatch: ETag("\"abc\""))

    @Test func asksForAPinnedRange() {
        #expect(request.method == .get)
        #expect(pairs(request.headers) == ["range: bytes=0-1023", "if-match: \"abc\""])
        #expect(GetObject.request(bucket: "b", key: ObjectKey("k")).headers.count == 0)
    }

    @Test(arguments: [200, 206])
    func readsTheRangeWhateverTheStatus(status: Int) throws {
        let headers = [
            ("Content-Range", "bytes 5-9/100"), ("Content-Length", "5"), ("ETag", "\"e\""),
        ]
        let answer = try GetObject.answer(response(status, headers), to: request)
        #expect(answer.bytes == 5..<10)
        #expect(answer.facts.sizeBytes == 100)
        #expect(answer.facts.etag == ETag("e"))
    }

    @Test func wholeObjectHasNoRange() throws {
        let answer = try GetObject.answer(response(200, [("content-length", "7")]), to: request)
        #expect(answer.bytes == 0..<7)
        #expect(answer.facts.sizeBytes == 7)
        let empty = try GetObject.answer(response(200, [("content-length", "0")]), to: request)
        #expect(empty.bytes.isEmpty)
    }

    @Test(arguments: [
        (206, [("content-length", "5")]),
        (200, []),
        (200, [("content-length", "-5")]),
        (200, [("content-length", "5x")]),
        (200, [("content-length", "99999999999999999999")]),
        (206, [("content-range", "bytes 5-9/100"), ("content-length", "6")]),
        (206, [("content-range", "bytes 5-9/*")]),
        (206, [("content-range", "bytes 9-5/100")]),
        (206, [("content-range", "bytes 5-9/9")]),
        (206, [("content-range", "bytes -9/100")]),
        (206, [("content-range", "bytes 0-9223372036854775807/9223372036854775807")]),
        (206, [("content-range", "items 0-9/10")]),
        (206, [("content-range", "")]),
    ])
    func refusesContradictions(status: Int, headers: [(String, String)]) throws {
        let error = try #require(throws: S3Error.self) {
            try GetObject.answer(response(status, headers), to: request)
        }
        #expect(error.status == status)
        #expect(error.code == nil)
        #expect(!error.message.isEmpty)
    }

    @Test func unsatisfiedRangeTellsTheSize() {
        let headers = [("content-range", "bytes */0")]
        #expect(GetObject.sizeBytes(ofUnsatisfied: response(416, headers)) == 0)
        #expect(GetObject.sizeBytes(ofUnsatisfied: response(416)) == nil)
        #expect(GetObject.sizeBytes(ofUnsatisfied: response(200, headers)) == nil)
    }

    @Test func absentObjectIsNamed() throws {
        let error = try #require(throws: S3Error.self) {
            try GetObject.answer(
                response(404, body: "<Error><Code>NoSuchKey</Code></Error>"), to: request)
        }
        #expect(error.code == "NoSuchKey")
        #expect(error.operation == "GetObject")
    }
}

@Suite struct ObjectFactsTests {
    private func facts(_ headers: [(String, String)]) throws -> ObjectFacts {
        try HeadObject.answer(
            response(200, [("content-length", "1")] + headers),
            to: HeadObject.request(bucket: "b", key: ObjectKey("k")))
    }

    @Test func carriesAllThatBelongsToTheObject() throws {
        let carried = [
            ("content-type", "text/plain"), ("content-encoding", "gzip"),
            ("content-language", "de"),
            ("content-disposition", "inline"), ("cache-control", "max-age=1"), ("expires", "5d"),
            ("x-amz-website-redirect-location", "/x"), ("x-amz-meta-a", ""),
            ("x-amz-meta-b", "=?UTF-8?B?w6k=?="), ("x-amz-meta-b", "2"),
        ]
        let others = [
            ("etag", "\"e\""), ("last-modified", "yesterday"), ("accept-ranges", "bytes"),
            ("x-amz-request-id", "1"), ("x-amz-version-id", "v"), ("x-amz-metadata", "no"),
            ("x-amz-tagging-count", "3"), ("x-amz-missing-meta", "2"), ("server", "s"),
            ("x-amz-storage-class", "COLD"), ("content-range", "bytes 0-0/1"),
        ]
        let facts = try facts(carried + others)
        #expect(pairs(facts.metadata) == carried.map { "\($0): \($1)" })
        #expect(facts.sizeBytes == 1)
        #expect(facts.etag?.text == "e")
        #expect(facts.lastModified == "yesterday")
        #expect(facts.tagCount == 3)
        #expect(facts.missingMetaCount == 2)
    }

    @Test(arguments: [
        ([], nil), ([("x-amz-mp-parts-count", "10000")], 10000),
        ([("x-amz-mp-parts-count", "0")], nil),
        ([("x-amz-mp-parts-count", "-3")], nil), ([("x-amz-mp-parts-count", "three")], nil),
    ])
    func tellsThePartsWhereTheServerDoes(headers: [(String, String)], count: Int?) throws {
        #expect(try facts(headers).partsCount == count)
    }

    @Test(arguments: [
        ([], false), ([("x-amz-server-side-encryption", "AES256")], false),
        ([("x-amz-server-side-encryption", "aws:kms")], true),
        ([("x-amz-server-side-encryption", "aws:kms:dsse")], true),
        ([("x-amz-server-side-encryption-customer-algorithm", "AES256")], true),
        ([("x-amz-server-side-encryption-customer-key-MD5", "aGFsbG8=")], true),
    ])
    func knowsWhoseKeyEncrypts(headers: [(String, String)], isKeyed: Bool) throws {
        #expect(try facts(headers).isServerEncryptedWithKey == isKeyed)
    }

    @Test func asksForAPart() {
        let request = HeadObject.request(bucket: "b", key: ObjectKey("k"), partNumber: 1)
        #expect(request.queryText == "partNumber=1")
        #expect(HeadObject.request(bucket: "b", key: ObjectKey("k")).query.isEmpty)
    }

    @Test func lacksWhatTheServerLacks() throws {
        let facts = try facts([("etag", "\"\""), ("x-amz-tagging-count", "many")])
        #expect(facts.etag == nil)
        #expect(facts.lastModified == nil)
        #expect(facts.tagCount == 0)
        #expect(facts.missingMetaCount == 0)
        #expect(facts.metadata.count == 0)
    }

    @Test(arguments: [
        ("aws-chunked", nil), ("AWS-Chunked", nil), ("aws-chunked,gzip", "gzip"),
        ("gzip, aws-chunked", "gzip"), ("aws-chunked, gzip, br", "gzip, br"),
        ("gzip,  br", "gzip,  br"),
        ("gzip", "gzip"), ("", nil), ("x-aws-chunked", "x-aws-chunked"),
        ("aws-chunked,aws-chunked", nil),
    ])
    func dropsTheTransferCoding(value: String, kept: String?) throws {
        #expect(try facts([("content-encoding", value)]).metadata["content-encoding"] == kept)
    }

    @Test func valuesAreBytes() throws {
        var headers = HeaderFields()
        headers.append("content-length", "0")
        headers.append(name: "X-Amz-Meta-Raw".utf8, value: [0xff, 0x80, 0x20, 0x41])
        let facts = try HeadObject.answer(
            Response(status: 200, headers: headers),
            to: HeadObject.request(bucket: "b", key: ObjectKey("k")))
        #expect(
            facts.metadata.bytes(of: "x-amz-meta-raw").map(Array.init) == [0xff, 0x80, 0x20, 0x41])
    }

    @Test func aSizeIsNeeded() {
        #expect(throws: S3Error.self) {
            try HeadObject.answer(
                response(200), to: HeadObject.request(bucket: "b", key: ObjectKey("k")))
        }
    }
}

@Suite struct PutObjectTests {
    private func request(
        _ metadata: [(String, String)] = [], condition: PutObject.Condition = .none,
        tagging: String? = nil, md5: [UInt8]? = nil
    ) -> Request {
        PutObject.request(
            bucket: "b", key: ObjectKey("k"), metadata: response(200, metadata).headers,
            tagging: tagging, condition: condition, contentMD5: md5, payloadHash: .unsigned)
    }

    @Test func carriesMetadataAndDigests() {
        let request = request(
            [("x-amz-meta-a", "1"), ("content-type", "text/plain")], condition: .ifAbsent,
            tagging: "a=b", md5: MD5.digest(of: []))
        #expect(
            pairs(request.headers) == [
                "x-amz-meta-a: 1", "content-type: text/plain", "x-amz-tagging: a=b",
                "if-none-match: *", "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg==",
            ])
        #expect(request.payloadHash == .unsigned)
    }

    @Test(arguments: [[], [("content-type", "")]])
    func thereIsAlwaysAContentType(metadata: [(String, String)]) {
        #expect(pairs(request(metadata).headers) == ["content-type: binary/octet-stream"])
    }

    @Test(
        arguments: [(.quoted, "\"abc\""), (.unquoted, "abc")] as [(PutObject.IfMatchForm, String)])
    func conditionOnATagIsInTheFormThatTheServerWants(form: PutObject.IfMatchForm, text: String) {
        let request = request(condition: .ifMatch(ETag("\"abc\""), form))
        #expect(request.headers["if-match"] == text)
    }

    @Test func answersTheTag() throws {
        #expect(
            try PutObject.answer(response(200, [("etag", "\"x-2\"")]), to: request()).etag
                == ETag("x-2"))
        #expect(try PutObject.answer(response(200), to: request()).etag == nil)
    }
}

@Suite struct SmallOperationTests {
    @Test func headBucketTellsTheRegion() throws {
        let request = HeadBucket.request(bucket: "b")
        #expect(request.key == nil)
        #expect(try HeadBucket.answer(response(200), to: request).region == nil)
        let answer = try HeadBucket.answer(
            response(200, [("x-amz-bucket-region", "eu")]), to: request)
        #expect(answer.region == "eu")
        let error = try #require(throws: S3Error.self) {
            try HeadBucket.answer(response(301, [("x-amz-bucket-region", "eu")]), to: request)
        }
        #expect(error.region == "eu")
    }

    @Test func deleteIsContentWithAnAbsentObject() throws {
        let request = DeleteObject.request(bucket: "b", key: ObjectKey("k"))
        try DeleteObject.answer(response(204), to: request)
        #expect(throws: S3Error.self) { try DeleteObject.answer(response(403), to: request) }
    }
}

@Suite struct TaggingTests {
    private let tags = [
        ObjectTag(key: "a b+", value: "c=d&e/:@é"), ObjectTag(key: "empty", value: ""),
        ObjectTag(key: "<&>\"'", value: "\r\n"),
    ]
    private let request = GetObjectTagging.request(bucket: "b", key: ObjectKey("k"))

    @Test func queryFormIsPercentEncoded() {
        #expect(
            urlQuery(of: tags)
                == "a%20b%2B=c%3Dd%26e%2F%3A%40%C3%A9&empty=&%3C%26%3E%22%27=%0D%0A")
        #expect(urlQuery(of: []) == "")
    }

    @Test func writtenTagsAreReadBack() throws {
        let put = PutObjectTagging.request(bucket: "b", key: ObjectKey("k"), tags: tags)
        #expect(put.payloadHash == .sha256(SHA256.digest(of: put.body)))
        #expect(put.headers["content-md5"] == base64Text(MD5.digest(of: put.body)))
        #expect(put.query.map(\.name) == ["tagging"])
        let answer = Response(status: 200, body: put.body)
        #expect(try GetObjectTagging.answer(answer, to: request) == tags)
    }

    @Test func noTags() throws {
        let body = "<Tagging><TagSet></TagSet></Tagging>"
        #expect(try GetObjectTagging.answer(response(200, body: body), to: request).isEmpty)
    }

    /// A server that overlooks the query answers with the object itself; a cut or mended answer may
    /// lack a tag.
    @Test(arguments: [
        "", "the object's bytes", "<Other/>", "<Tagging><TagSet><Tag><Key>a</Key>",
        "<Tagging><TagSet><Tag><Key>a\u{8}</Key><Value/></Tag></TagSet></Tagging>",
        "<!DOCTYPE x><Tagging/>",
    ])
    func refusesWhatIsNoTagging(body: String) {
        #expect(throws: S3Error.self) {
            try GetObjectTagging.answer(response(200, body: body), to: request)
        }
    }
}
