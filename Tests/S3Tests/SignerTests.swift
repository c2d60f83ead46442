//! The signer against AWS's published examples, and the form in which it hands requests to libcurl.

import S3
import Testing

/// "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3
/// API reference. The examples have the bucket in the host, so an object's name stands in the
/// bucket's place here.
@Suite struct PublishedSignatureTests {
    private let time = Timestamp(secondsSince1970: 1_369_353_600)

    private func signature(_ request: Request) throws -> String? {
        var signer = Signer(
            endpoint: try Endpoint("https://examplebucket.s3.amazonaws.com"),
            credentials: try Credentials(
                accessKey: "AKIAIOSFODNN7EXAMPLE",
                secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1")
        var signed = SignedRequest()
        signer.sign(request, at: time, into: &signed)
        return signed.value(of: "authorization")?.split(separator: "Signature=").last.map(
            String.init)
    }

    @Test func getObject() throws {
        var request = Request(.get, operation: "GetObject", bucket: "test.txt")
        request.headers.append("Range", "bytes=0-9")
        let expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        #expect(try signature(request) == expected)
    }

    @Test func putObject() throws {
        let body = Array("Welcome to Amazon S3.".utf8)
        var request = Request(.put, operation: "PutObject", bucket: "test$file.text")
        request.payloadHash = .sha256(SHA256.digest(of: body))
        request.headers.append("Date", "Fri, 24 May 2013 00:00:00 GMT")
        request.headers.append("x-amz-storage-class", "REDUCED_REDUNDANCY")
        let expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        #expect(try signature(request) == expected)
    }

    @Test func getBucketLifecycle() throws {
        var request = Request(.get, operation: "GetBucketLifecycle", bucket: "")
        request.query = [("lifecycle", "")]
        let expected = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        #expect(try signature(request) == expected)
    }

    @Test func listObjects() throws {
        var request = Request(.get, operation: "ListObjects", bucket: "")
        request.query = [("prefix", "J"), ("max-keys", "2")]
        let expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        #expect(try signature(request) == expected)
    }
}

@Suite struct SignerTests {
    private let time = Timestamp(secondsSince1970: 1_767_225_600)

    private func signer(_ url: String = "http://host:9000", token: String? = nil) throws -> Signer {
        Signer(
            endpoint: try Endpoint(url),
            credentials: try Credentials(accessKey: "AKID", secret: "secret", sessionToken: token),
            region: "us-east-1")
    }

    private func signed(_ request: Request, token: String? = nil) throws -> SignedRequest {
        var signer = try signer(token: token)
        var signed = SignedRequest()
        signer.sign(request, at: time, into: &signed)
        return signed
    }

    @Test(arguments: [
        ("a b", "a%20b"), ("//a/../b/./", "//a/../b/./"),
        ("+&=?#%2F'\"\\*~", "%2B%26%3D%3F%23%252F%27%22%5C%2A~"),
        ("é", "%C3%A9"), ("e\u{301}", "e%CC%81"), ("\r\n\t", "%0D%0A%09"), ("..", ".."),
        ("AZaz09-._~/", "AZaz09-._~/"),
    ])
    func pathIsEncodedOnceAndKept(key: String, path: String) throws {
        let request = GetObject.request(bucket: "bucket", key: ObjectKey(key))
        #expect(try signed(request).urlText == "http://host:9000/bucket/\(path)")
    }

    @Test func anyByteOfAKeyIsEncoded() throws {
        let key = ObjectKey((0...255).map { UInt8($0) })
        let url = try signed(GetObject.request(bucket: "b", key: key)).urlText
        #expect(url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        #expect(url.hasPrefix("http://host:9000/b/%00%01"))
        #expect(url.hasSuffix("%FE%FF"))
    }

    @Test func queryIsSortedAndEncoded() throws {
        var request = Request(.get, operation: "Test", bucket: "b")
        request.query = [("b", "2"), ("a-", "x"), ("a", "é/ +"), ("a", ""), ("B", "=")]
        let expected = "http://host:9000/b?B=%3D&a=&a=%C3%A9%2F%20%2B&a-=x&b=2"
        #expect(try signed(request).urlText == expected)
    }

    @Test func linesAreAsLibcurlTakesThem() throws {
        var request = Request(.put, operation: "Test", bucket: "b", payloadHash: .unsigned)
        request.headers.append("X-Amz-Meta-Empty", "")
        request.headers.append("x-amz-meta-blank", " \t ")
        request.headers.append("x-amz-meta-spaces", "  a   b ")
        request.headers.append("x-amz-meta-two", "1")
        request.headers.append("content-type", "text/plain")
        request.headers.append("x-amz-meta-two", "2")
        let signed = try signed(request, token: "token")
        #expect(
            signed.lines.dropLast() == [
                "content-type: text/plain", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                "x-amz-date: 20260101T000000Z", "x-amz-meta-blank:", "x-amz-meta-empty:",
                "x-amz-meta-spaces: a   b", "x-amz-meta-two: 1,2", "x-amz-security-token: token",
            ])
        let names =
            "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-blank;x-amz-meta-empty;"
            + "x-amz-meta-spaces;x-amz-meta-two;x-amz-security-token"
        #expect(signed.lines.last?.contains("SignedHeaders=\(names), Signature=") == true)
        #expect(signed.headerLines.last == 0)
        #expect(signed.url.last == 0)
        #expect(signed.method == .put)
    }

    @Test func lineEndsInAValueMakeNoHeader() throws {
        var request = Request(.put, operation: "Test", bucket: "b")
        request.headers.append("x-amz-meta-a", "1\r\nx-amz-acl: public-read\u{0}z")
        let signed = try signed(request)
        #expect(signed.lines.contains("x-amz-meta-a: 1  x-amz-acl: public-read z"))
        #expect(signed.value(of: "x-amz-acl") == nil)
    }

    @Test func payloadHashes() throws {
        var request = Request(.put, operation: "Test", bucket: "b")
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(try signed(request).value(of: "x-amz-content-sha256") == empty)
        request.payloadHash = .sha256(SHA256.digest(of: []))
        #expect(try signed(request).value(of: "x-amz-content-sha256") == empty)
    }

    /// Nothing of one request may show in the next, across seconds, days and back.
    @Test func reuseLeavesNoTrace() throws {
        var reused = try signer(token: "token")
        var signed = SignedRequest()
        for step: Int64 in [0, 0, 1, 86_400, 86_399, 0, 86_400 * 400] {
            let time = Timestamp(secondsSince1970: time.secondsSince1970 + step)
            for key in ["long key with many bytes", "k"] {
                var request = GetObject.request(bucket: "b", key: ObjectKey(key), bytes: 0..<10)
                if key == "k" { request.query = [("q", "")] }
                reused.sign(request, at: time, into: &signed)
                var fresh = SignedRequest()
                var freshSigner = try signer(token: "token")
                freshSigner.sign(request, at: time, into: &fresh)
                #expect(signed.lines == fresh.lines)
                #expect(signed.url == fresh.url)
            }
        }
    }

    /// Copies share nothing that one of them changes: also when they sign at the same time.
    @Test func copiesSignAtTheSameTime() async throws {
        let original = try signer()
        let request = GetObject.request(bucket: "b", key: ObjectKey("key"))
        let time = time
        let signatures = await withTaskGroup(of: Set<String>.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var copy = original
                    var signed = SignedRequest()
                    return Set(
                        (0..<500).map { _ in
                            copy.sign(request, at: time, into: &signed)
                            return signed.value(of: "authorization") ?? ""
                        })
                }
            }
            return await group.reduce(into: Set<String>()) { $0.formUnion($1) }
        }
        #expect(try signatures == [#require(signed(request).value(of: "authorization"))])
    }

    /// `/bucket/` is the bucket itself, and a DELETE of it is not what anyone meant.
    @Test func emptyKeyIsAFault() async {
        await #expect(processExitsWith: .failure) {
            var signer = Signer(
                endpoint: try Endpoint("http://host"),
                credentials: try Credentials(accessKey: "a", secret: "s"), region: "r")
            var signed = SignedRequest()
            let request = DeleteObject.request(bucket: "b", key: ObjectKey(""))
            signer.sign(request, at: Timestamp(secondsSince1970: 0), into: &signed)
        }
    }
}
