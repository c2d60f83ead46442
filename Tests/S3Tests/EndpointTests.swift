//! Endpoints and bucket names: one form for what is right, a helpful word for what is wrong.

import S3
import Testing

@Suite struct EndpointTests {
    @Test(arguments: [
        ("http://127.0.0.1:8010", "http://127.0.0.1:8010"),
        ("https://s3.example.org", "https://s3.example.org"),
        ("https://s3.example.org/", "https://s3.example.org"),
        ("HTTPS://S3.Example.ORG:443/", "https://s3.example.org"),
        ("http://host:80", "http://host"),
        ("http://host:080", "http://host"),
        ("http://host:443", "http://host:443"),
        ("https://host:80", "https://host:80"),
        ("http://under_score-1.x", "http://under_score-1.x"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://[::]", "http://[::]"),
        ("http://[2001:DB8:0:0:0:0:0:7]:80/", "http://[2001:db8::7]"),
        ("http://[2001:db8:0:1:1:1:1:1]", "http://[2001:db8:0:1:1:1:1:1]"),
        ("http://[1:0:0:2:0:0:0:3]", "http://[1:0:0:2::3]"),
        ("http://[::ffff:192.168.1.1]", "http://[::ffff:c0a8:101]"),
        ("http://[1:2:3:4:5:6:7::]", "http://[1:2:3:4:5:6:7:0]"),
    ])
    func hasOneForm(text: String, form: String) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.description == form)
        #expect(try Endpoint(form) == endpoint)
    }

    @Test func tellsItsParts() throws {
        let endpoint = try Endpoint("https://[::1]:8443")
        #expect(endpoint.isSecure)
        #expect(endpoint.host == "::1")
        #expect(endpoint.port == 8443)
        #expect(endpoint.authority == "[::1]:8443")
        #expect(try !Endpoint("http://host").isSecure)
        #expect(try Endpoint("https://host:443").authority == "host")
    }

    @Test(arguments: [
        ("", EndpointError.schemeMissing),
        ("s3.example.org", .schemeMissing),
        ("//host", .schemeMissing),
        ("ftp://host", .schemeUnknown("ftp")),
        ("s3://bucket", .schemeUnknown("s3")),
        ("http://user:pass@host", .userInfo),
        ("http://user@host/path?query", .userInfo),
        ("http://host?x=1", .query),
        ("http://host/?x", .query),
        ("http://host/#x", .fragment),
        ("http://host/bucket", .path),
        ("http://host//", .path),
        ("http://", .hostEmpty),
        ("http:///", .hostEmpty),
        ("http://:80", .hostEmpty),
        ("http://host:", .port),
        ("http://host:0", .port),
        ("http://host:65536", .port),
        ("http://host:80x", .port),
        ("http://host:-1", .port),
        ("http://host:1:2", .port),
        ("http://host:999999999999999999999", .port),
    ])
    func refuses(text: String, error: EndpointError) {
        #expect(throws: error) { try Endpoint(text) }
    }

    /// Addresses that libcurl would write anew, and bytes that no host has.
    @Test(arguments: [
        "http://127.1", "http://0x7f.1", "http://0177.0.0.1", "http://1.2.3.256",
        "http://1.2.3.4.5",
        "http://2130706433", "http://0x", "http://host.", "http://a..b", "http://.a",
        "http://hö.de",
        "http://a b", "http://a%41", "http://host\n", "http://a\u{0}b", "http://[::1", "http://::1",
        "http://[fe80::1%eth0]", "http://[1:2]", "http://[1::2::3]", "http://[12345::]",
        "http://[+1::]", "http://[1:2:3:4:5:6:7:8:9]", "http://[]", "http://[1.2.3.4]",
        "http://[1.2.3.4::]", "http://[::1]x", "http://\(String(repeating: "a", count: 64)).de",
    ])
    func refusesHost(text: String) {
        #expect(throws: EndpointError.self) { try Endpoint(text) }
    }

    @Test(arguments: [
        "http://AKIA:hush@host", "AKIA:hush@host", "http://AKIA:hush", "https://host/?secret=hush",
        "https://host/hush@x", "http://hush@", "http://[hush]",
    ])
    func neverRepeatsWhatMayBeSecret(text: String) throws {
        let error = try #require(throws: EndpointError.self) { try Endpoint(text) }
        #expect(!error.description.contains("hush"))
        #expect(error.description.contains("https://host"), "the right form is shown")
    }

    @Test(arguments: ["bucket", "a", "with.dots-and_more", "Upper", "tenant:bucket", "ä"])
    func takesBucket(name: String) throws {
        #expect(try BucketName(name).text == name)
    }

    @Test(arguments: [
        ("", BucketNameError.empty), ("a/b", .slash), ("/", .slash), (".", .dots), ("..", .dots),
        ("a\n", .controlCharacter), ("a b", .controlCharacter), ("\u{7f}", .controlCharacter),
        (String(repeating: "b", count: 256), .tooLong),
    ])
    func refusesBucket(name: String, error: BucketNameError) {
        #expect(throws: error) { try BucketName(name) }
    }
}
