//! Bytes from outside, at random and half right: whatever comes, nothing traps and bounds hold.

import S3
import Testing

@Suite struct FuzzTests {
    /// Random bytes, or a right text with some of its bytes changed, doubled or cut.
    private func noise(_ examples: [String], _ random: inout SeededGenerator) -> [UInt8] {
        guard let example = examples.randomElement(using: &random),
            Int.random(in: 0..<5, using: &random) > 0
        else {
            return (0..<Int.random(in: 0..<80, using: &random)).map { _ in
                .random(in: 0...255, using: &random)
            }
        }
        var bytes = Array(example.utf8)
        for _ in 0..<Int.random(in: 1..<6, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = .random(in: 0...255, using: &random)
            case 1: bytes.removeSubrange(index...)
            case 2: bytes.insert(contentsOf: bytes[index...], at: index)
            default: bytes.remove(at: index)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<4)
    func xml(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let examples = [
            "<?xml version=\"1.0\"?><Error><Code>A</Code><Message>&#x8;&amp;\u{1}</Message></Error>",
            "<!DOCTYPE a [<!ENTITY b \"&c;\">]><a>&b;</a>",
            "<a b='c'><![CDATA[x]]><!-- y --><?z?></a>",
        ]
        for _ in 0..<2000 {
            let bytes = noise(examples, &random)
            let document = XMLDocument(bytes)
            #expect(document.elements.count <= bytes.count)
            let body = S3ErrorBody(bytes)
            #expect(body.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        }
    }

    @Test(arguments: 0..<4)
    func headers(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let request = GetObject.request(bucket: "b", key: ObjectKey("k"), bytes: 0..<10)
        let examples = [
            "bytes 0-9/100", "bytes 9223372036854775806-9223372036854775807/9223372036854775808",
            "bytes */5", "123", "\"etag-3\"", "W/\"x\"", "aws-chunked, gzip",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ]
        let names = [
            "content-range", "content-length", "etag", "content-encoding", "date",
            "x-amz-missing-meta",
        ]
        for _ in 0..<3000 {
            var headers = HeaderFields()
            for name in names where Bool.random(using: &random) {
                headers.append(name: name.utf8, value: noise(examples, &random))
            }
            let status = [200, 206, 416, 500].randomElement(using: &random) ?? 200
            let response = Response(status: status, headers: headers)
            _ = GetObject.sizeBytes(ofUnsatisfied: response)
            guard let answer = try? GetObject.answer(response, to: request) else { continue }
            #expect(
                answer.bytes.lowerBound >= 0 && answer.bytes.upperBound <= answer.facts.sizeBytes)
        }
    }

    @Test(arguments: 0..<4)
    func dates(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let examples = [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994", "2013-05-24T00:00:00.000Z",
        ]
        for _ in 0..<5000 {
            let text = String(decoding: noise(examples, &random), as: UTF8.self)
            for time in [Timestamp(httpDate: text), Timestamp(iso8601: text)].compactMap(\.self) {
                #expect(Timestamp(iso8601: time.iso8601) == time)
            }
        }
        for _ in 0..<5000 {
            let time = Timestamp(secondsSince1970: .random(in: .min ... .max, using: &random))
            #expect(time.amzDate.utf8.count == 16)
        }
    }

    @Test(arguments: 0..<4)
    func profilesAndEndpoints(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let profiles = [
            "[default]\naws_access_key_id = A\n  nested = 1\n# c\n[profile x]\r\nregion=r ; y\n"
        ]
        let endpoints = [
            "https://[2001:db8::7]:8443/", "http://user:pass@host:80/x?y#z", "http://1.2.3.4",
        ]
        for _ in 0..<3000 {
            let profile = try? CredentialsProfile(noise(profiles, &random), name: "default")
            _ = try? profile?.credentials()
            let text = String(decoding: noise(endpoints, &random), as: UTF8.self)
            guard let endpoint = try? Endpoint(text) else { continue }
            #expect((try? Endpoint(endpoint.description)) == endpoint)
        }
    }

    /// What is read of uploads is within bounds, and leads on.
    @Test(arguments: 0..<4)
    func uploadLists(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let examples = [
            "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>7"
                + "</NextPartNumberMarker><Part><PartNumber>7</PartNumber><ETag>e</ETag><Size>5</Size>"
                + "<ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part></ListPartsResult>",
            "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true"
                + "</IsTruncated><NextKeyMarker>%20</NextKeyMarker><Upload><Key>a%2B+</Key>"
                + "<UploadId>i</UploadId></Upload></ListMultipartUploadsResult>",
        ]
        let key = ObjectKey("k")
        let parts = ListParts.request(bucket: "b", key: key, uploadID: "i", after: 3)
        let uploads = ListMultipartUploads.request(bucket: "b", prefix: key)
        for _ in 0..<2000 {
            let response = Response(status: 200, body: noise(examples, &random))
            if let answer = try? ListParts.answer(response, to: parts) {
                #expect(answer.parts.allSatisfy { $0.number > 0 && $0.sizeBytes >= 0 })
                #expect(answer.next.map { $0 > 3 } ?? true)
            }
            if let answer = try? ListMultipartUploads.answer(response, to: uploads) {
                #expect(answer.uploads.allSatisfy { !$0.id.isEmpty })
                #expect(answer.next?.keyMarker.bytes.isEmpty != true)
            }
            _ = try? CreateMultipartUpload.answer(response, to: uploads)
            _ = try? CompleteMultipartUpload.answer(response, to: uploads)
        }
    }

    /// A signed request is always something that libcurl can take: no line end or blank in the URL,
    /// a line for every header, NUL only at the ends.
    @Test(arguments: 0..<4)
    func signedRequests(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var signer = Signer(
            endpoint: try Endpoint("http://host"),
            credentials: try Credentials(accessKey: "a", secret: "s"), region: "r")
        var signed = SignedRequest()
        for _ in 0..<1000 {
            let key = ObjectKey(noise(["a/b"], &random) + [1])
            var request = GetObject.request(bucket: "b", key: key)
            request.headers.append(name: "x-amz-meta-a".utf8, value: noise(["value"], &random))
            signer.sign(
                request,
                at: Timestamp(secondsSince1970: .random(in: 0...4_000_000_000, using: &random)),
                into: &signed)
            #expect(signed.url.dropLast().allSatisfy { $0 > 0x20 && $0 < 0x7f })
            #expect(signed.headerLines.count { $0 == 0 } == signed.headerLineStarts.count)
            #expect(!signed.headerLines.contains { $0 == 10 || $0 == 13 })
        }
    }
}
