//! ListParts and ListMultipartUploads: nothing is overlooked, doubled or guessed.

import Testing

@testable import S3

@Suite struct ListPartsTests {
    private let request = ListParts.request(bucket: "b", key: ObjectKey("k"), uploadID: "i")

    private func answer(_ members: String, to request: Request? = nil) throws -> ListParts.Answer {
        let body = "<?xml version=\"1.0\"?>\n<ListPartsResult>\(members)</ListPartsResult>"
        return try ListParts.answer(response(200, body: body), to: request ?? self.request)
    }

    private func part(_ number: Int) -> String {
        "<Part><PartNumber>\(number)</PartNumber><ETag>\"e\(number)\"</ETag><Size>5</Size></Part>"
    }

    @Test func asksFromTheStartOrBehindAPart() {
        #expect(request.method == .get)
        #expect(request.queryText == "uploadId=i")
        let next = ListParts.request(
            bucket: "b", key: ObjectKey("k"), uploadID: "i", after: 1000)
        #expect(next.queryText == "uploadId=i&part-number-marker=1000")
    }

    @Test func readsTheParts() throws {
        let answer = try answer(
            """
            <Bucket>b</Bucket><Key>\u{8}</Key><UploadId>i</UploadId>
            <PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker>
            <MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated><Owner><ID>o</ID></Owner>
            <Part><LastModified>2026-01-01T00:00:00.000Z</LastModified><PartNumber>1</PartNumber>
            <ETag>"e1"</ETag><Size>5368709120</Size>
            <ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part>
            <Part><PartNumber>3</PartNumber><ETag>&quot;e3&quot;</ETag><Size>0</Size>
            <ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME></Part>
            """)
        #expect(answer.next == nil)
        #expect(answer.parts.map(\.number) == [1, 3])
        #expect(answer.parts.map(\.etag) == [ETag("e1"), ETag("e3")])
        #expect(answer.parts.map(\.sizeBytes) == [5_368_709_120, 0])
        #expect(
            answer.parts.map(\.digest)
                == [.crc32c(0xe306_9283), .crc64nvme(0xae8b_1486_0a79_9888)])
    }

    @Test(arguments: ["", "====", "4waSgw", "4waSgw==x", "4waSgwA=", "\u{e9}", "4waSgx=="])
    func aChecksumThatIsNoneIsNone(text: String) throws {
        let part = """
            <Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>5</Size>\
            <ChecksumCRC32C>\(text)</ChecksumCRC32C></Part>
            """
        #expect(try answer(part).parts.map(\.digest) == [nil])
    }

    @Test func noParts() throws {
        let answer = try answer("<IsTruncated>false</IsTruncated>")
        #expect(answer.parts.isEmpty)
        #expect(answer.next == nil)
        #expect(try self.answer("").parts.isEmpty)
    }

    @Test func tellsWhereItGoesOn() throws {
        let page = "<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
        #expect(try answer(page + part(1) + part(2)).next == 2)
    }

    /// A thousand are S3's page, but a server may give all.
    @Test func tenThousandParts() throws {
        let answer = try answer((1...10_000).map(part).joined())
        #expect(answer.parts.map(\.number) == Array(1...10_000))
    }

    @Test(arguments: [
        "<Part/>", "<Part><ETag>e</ETag><Size>5</Size></Part>",
        "<Part><PartNumber>1</PartNumber><Size>5</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag></ETag><Size>5</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>",
        "<Part><PartNumber>0</PartNumber><ETag>e</ETag><Size>5</Size></Part>",
        "<Part><PartNumber>-1</PartNumber><ETag>e</ETag><Size>5</Size></Part>",
        "<Part><PartNumber>one</PartNumber><ETag>e</ETag><Size>5</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>-5</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>5 MiB</Size></Part>",
        "<Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>9223372036854775808</Size></Part>",
        "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextPartNumberMarker>x</NextPartNumberMarker>",
        "<IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker>",
    ])
    func refusesWhatItCannotUse(members: String) {
        #expect(throws: S3Error.self) { try answer(members) }
    }

    /// A member of one part does not stand in for what the next one lacks.
    @Test func partsDoNotBorrow() {
        #expect(throws: S3Error.self) {
            try answer(part(1) + "<Part><PartNumber>2</PartNumber></Part>")
        }
    }

    @Test(arguments: [999, 1000])
    func refusesToGoInCircles(marker: Int) {
        let request = ListParts.request(
            bucket: "b", key: ObjectKey("k"), uploadID: "i", after: 1000)
        #expect(throws: S3Error.self) {
            try answer(
                "<IsTruncated>true</IsTruncated><NextPartNumberMarker>\(marker)"
                    + "</NextPartNumberMarker>", to: request)
        }
    }

    @Test(arguments: [
        "", "the object's bytes", "<ListBucketResult/>",
        "<ListPartsResult><Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>5</Size></Part>",
    ])
    func refusesWhatIsNotWhole(body: String) {
        #expect(throws: S3Error.self) {
            try ListParts.answer(response(200, body: body), to: request)
        }
    }
}

@Suite struct ListMultipartUploadsTests {
    private let request = ListMultipartUploads.request(bucket: "b", prefix: ObjectKey("a b"))

    private func answer(
        _ members: String, to request: Request? = nil
    ) throws -> ListMultipartUploads.Answer {
        let body = "<ListMultipartUploadsResult>\(members)</ListMultipartUploadsResult>"
        return try ListMultipartUploads.answer(
            response(200, body: body), to: request ?? self.request)
    }

    private func upload(_ key: String, id: String = "i") -> String {
        "<Upload><Key>\(key)</Key><UploadId>\(id)</UploadId></Upload>"
    }

    @Test func asksForEncodedKeys() {
        #expect(request.method == .get)
        #expect(request.key == nil)
        #expect(request.queryText == "uploads=&encoding-type=url&prefix=a b")
        let next = ListMultipartUploads.request(
            bucket: "b", prefix: ObjectKey("a"), keyMarker: ObjectKey("ab"), uploadIDMarker: "i")
        #expect(
            next.queryText
                == "uploads=&encoding-type=url&prefix=a&key-marker=ab&upload-id-marker=i")
    }

    @Test func readsTheUploads() throws {
        let answer = try answer(
            """
            <Bucket>b</Bucket><KeyMarker/><UploadIdMarker/><NextKeyMarker/><Prefix>a</Prefix>
            <EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>
            <Upload><Key>a+b%2Bc%08%F0%9F%98%80</Key><UploadId>2~i+/=</UploadId>
            <Initiator><ID>arn:who</ID><DisplayName>Who</DisplayName></Initiator>
            <Owner><ID>owner</ID></Owner><StorageClass>STANDARD</StorageClass>
            <Initiated>2026-01-01T00:00:01.123Z</Initiated></Upload>
            <Upload><Key>b</Key><UploadId>j</UploadId><Initiated>lately</Initiated></Upload>
            """)
        #expect(answer.next == nil)
        #expect(answer.uploads.map(\.key) == [ObjectKey("a b+c\u{8}😀"), ObjectKey("b")])
        #expect(answer.uploads.map(\.id) == ["2~i+/=", "j"])
        #expect(answer.uploads.map(\.initiatorID) == ["arn:who", nil])
        #expect(answer.uploads.map(\.initiated?.iso8601) == ["2026-01-01T00:00:01Z", nil])
    }

    /// Who does not say that keys are encoded means them as they stand, if they fit the prefix so.
    /// Ceph encodes as it was asked and does not say so; the prefix tells.
    @Test(arguments: [
        ("a b", "a%20b", "a b"), ("a%20b", "a%20b", "a%20b"), ("a%20b", "a%2520b", "a%20b"),
        ("a", "a%20b", "a%20b"),
    ])
    func thePrefixTellsAnUnnamedEncoding(prefix: String, listed: String, key: String) throws {
        let request = ListMultipartUploads.request(bucket: "b", prefix: ObjectKey(prefix))
        let body = """
            <?xml version="1.0"?>
            <ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
            <Upload><Key>\(listed)</Key><UploadId>i</UploadId></Upload></ListMultipartUploadsResult>
            """
        let answer = try ListMultipartUploads.answer(response(200, body: body), to: request)
        #expect(answer.uploads.map(\.key) == [ObjectKey(key)])
    }

    @Test(arguments: [
        ("", "a+b%20"), ("<EncodingType/>", "a+b%20"), ("<EncodingType>url</EncodingType>", "a b "),
    ])
    func undoesTheEncodingThatTheAnswerNames(element: String, key: String) throws {
        // Also where the element follows the uploads.
        let request = ListMultipartUploads.request(bucket: "b", prefix: ObjectKey("a"))
        for members in [element + upload("a+b%20"), upload("a+b%20") + element] {
            #expect(try answer(members, to: request).uploads.map(\.key) == [ObjectKey(key)])
        }
    }

    @Test func tellsWhereItGoesOn() throws {
        let page = """
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextKeyMarker>a%2Bb</NextKeyMarker><NextUploadIdMarker>j+</NextUploadIdMarker>
            """
        let next = try #require(try answer(page).next)
        #expect(next.keyMarker == ObjectKey("a+b"))
        #expect(next.uploadIDMarker == "j+")
        let keyOnly = "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
        let other = try #require(try answer(keyOnly).next)
        #expect(other.keyMarker == ObjectKey("k"))
        #expect(other.uploadIDMarker == nil)
    }

    @Test func refusesToGoInCircles() {
        let request = ListMultipartUploads.request(
            bucket: "b", prefix: ObjectKey(""), keyMarker: ObjectKey("k"), uploadIDMarker: "i")
        let page = "<IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
        #expect(throws: S3Error.self) {
            try answer(page + "<NextUploadIdMarker>i</NextUploadIdMarker>", to: request)
        }
        #expect(throws: Never.self) {
            try answer(page + "<NextUploadIdMarker>j</NextUploadIdMarker>", to: request)
        }
    }

    @Test(arguments: [
        "<Upload/>", "<Upload><Key>k</Key></Upload>", "<Upload><UploadId>i</UploadId></Upload>",
        "<Upload><Key>k</Key><UploadId/></Upload>",
        "<EncodingType>url</EncodingType><Upload><Key>%</Key><UploadId>i</UploadId></Upload>",
        "<EncodingType>url</EncodingType><Upload><Key>%4</Key><UploadId>i</UploadId></Upload>",
        "<EncodingType>url</EncodingType><Upload><Key>%xy</Key><UploadId>i</UploadId></Upload>",
        "<Upload><Key>\u{8}</Key><UploadId>i</UploadId></Upload>",
        "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>true</IsTruncated><NextKeyMarker/>",
        "<Upload><Key>k</Key><UploadId>i</UploadId>",
    ])
    func refusesWhatItCannotUse(members: String) {
        #expect(throws: S3Error.self) { try answer(members) }
    }
}

@Suite struct CompositeETagTests {
    /// As Amazon S3 and Ceph name an object of these parts: `md5(md5(a) + md5(b))-2`.
    @Test(arguments: [
        (["a"], "b6ff9a06b7e20bcb2858c5b8ff744aea-1"),
        (["a", "b"], "96e024ba2074fe77e8e965ba43a704be-2"),
        (["", "", ""], "2bc3f09a6fbadbe687825030c6e7b9a4-3"),
    ])
    func isTheMD5OfTheParts(parts: [String], etag: String) {
        let digests = parts.map { MD5.digest(of: Array($0.utf8)) }
        #expect(ETag.composite(ofPartMD5s: digests).text == etag)
        #expect(ETag.composite(ofPartMD5s: digests).partCount == parts.count)
    }

    @Test(arguments: [
        ("00000000000000000000000000000000", true), ("00000000000000000000000000000000-2", true),
        ("0", true), ("", false), ("-2", false), ("d41d8cd98f00b204e9800998ecf8427e", false),
        ("00000000000000000000000000000001", false), ("0000000000000000000000000000000x", false),
    ])
    func knowsAPlaceholder(text: String, isPlaceholder: Bool) {
        #expect(ETag(text).isPlaceholder == isPlaceholder)
    }

    @Test(arguments: [
        ("d41d8cd98f00b204e9800998ecf8427e", true), ("d41d8cd98f00b204e9800998ecf8427e-2", true),
        ("00000000000000000000000000000000", false), ("00000000000000000000000000000000-2", false),
        ("constant", false), ("v42", false), ("", false),
    ])
    func knowsADigest(text: String, isDigest: Bool) {
        #expect(ETag(text).isDigest == isDigest)
    }
}
