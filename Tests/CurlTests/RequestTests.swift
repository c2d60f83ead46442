//! The bytes of each kind of request, and how its answer arrives.

import Glibc
import Testing

@testable import Curl

@Suite struct RequestTests {
    /// What a request must look like: head and body.
    struct Kind: Sendable, CustomTestStringConvertible {
        let name: String
        let method: EasyHandle.Method
        var body: Body = .none
        let expectedTail: String
        var testDescription: String { name }
    }

    enum Body: Sendable {
        case none
        case memory(String)
        case stream(String)
    }

    static let kinds = [
        Kind(name: "GET", method: .get, expectedTail: "\r\n"),
        Kind(name: "HEAD", method: .head, expectedTail: "\r\n"),
        Kind(name: "DELETE", method: .delete, expectedTail: "\r\n"),
        Kind(
            name: "PUT memory", method: .put, body: .memory("abc\u{0}d"),
            expectedTail: "Content-Length: 5\r\n\r\nabc\u{0}d"),
        Kind(
            name: "PUT stream", method: .put, body: .stream("hello"),
            expectedTail: "Content-Length: 5\r\n\r\nhello"),
        Kind(name: "PUT none", method: .put, expectedTail: "Content-Length: 0\r\n\r\n"),
        Kind(
            name: "PUT empty memory", method: .put, body: .memory(""),
            expectedTail: "Content-Length: 0\r\n\r\n"),
        Kind(
            name: "PUT empty stream", method: .put, body: .stream(""),
            expectedTail: "Content-Length: 0\r\n\r\n"),
        Kind(name: "POST none", method: .post, expectedTail: "Content-Length: 0\r\n\r\n"),
        Kind(
            name: "POST memory", method: .post, body: .memory("<a/>"),
            expectedTail: "Content-Length: 4\r\n\r\n<a/>"),
        Kind(
            name: "POST stream", method: .post, body: .stream("<b/>"),
            expectedTail: "Content-Length: 4\r\n\r\n<b/>"),
    ]

    static func request(_ kind: Kind, _ url: String, _ lines: [String] = []) -> TestRequest {
        switch kind.body {
        case .none: TestRequest(kind.method, url, lines)
        case .memory(let text): TestRequest(kind.method, url, lines, .memory(Array(text.utf8)))
        case .stream(let text): TestRequest(kind.method, url, lines, .stream(Array(text.utf8)))
        }
    }

    static func expected(_ kind: Kind, _ path: String, port: UInt16) -> String {
        "\(kind.method.rawValue) \(path) HTTP/1.1\r\n"
            + "Host: 127.0.0.1:\(port)\r\nUser-Agent: test\r\n" + kind.expectedTail
    }

    @Test(arguments: kinds) func sendsTheseBytesAndNoOthers(_ kind: Kind) throws {
        let answer =
            kind.method == .head ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" : response("ok")
        let server = try ScriptedServer([.readRequest, .send(answer)])
        let client = try Client()
        #expect(try client.run(Self.request(kind, server.url("/b/k"))) == nil)
        #expect(client.facts.responseCode == 200)
        #expect(client.recorder.bodyText == (kind.method == .head ? "" : "ok"))
        #expect(try server.finishAsText() == [Self.expected(kind, "/b/k", port: server.port)])
    }

    /// Whatever a handle did before, each request is the same as from a new one.
    @Test(arguments: kinds, kinds) func leavesNothingForTheNext(_ first: Kind, _ second: Kind)
        throws
    {
        let lines = ["x-first: 1", "content-type: text/plain"]
        var script: [Step] = []
        for kind in [first, second, first] {
            let body = kind.method == .head ? "" : "ok"
            script += [.readRequest, .send(response(body, fields: "x-kind: \(kind.method)\r\n"))]
        }
        let server = try ScriptedServer(script)
        let client = try Client()
        let url = server.url("/k")
        #expect(try client.run(Self.request(first, url, lines)) == nil)
        #expect(try client.run(Self.request(second, url)) == nil)
        #expect(client.recorder.bodyText == (second.method == .head ? "" : "ok"))
        #expect(client.recorder.headerLines.contains("x-kind: \(second.method)\r\n"))
        #expect(try client.run(Self.request(first, url)) == nil)
        #expect(client.facts.newConnectionCount == 0)
        let requests = try server.finishAsText()
        #expect(requests[0].contains("\r\nx-first: 1\r\n"))
        #expect(requests[1] == Self.expected(second, "/k", port: server.port))
        #expect(requests[2] == Self.expected(first, "/k", port: server.port))
    }

    @Test func sendsARangeAsAHeader() throws {
        let answer = response(
            "hello", status: "206 Partial Content", fields: "Content-Range: bytes 5-9/20\r\n")
        let server = try ScriptedServer([.readRequest, .send(answer)])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/k"), ["range: bytes=5-9"])) == nil)
        #expect(client.facts.responseCode == 206)
        #expect(client.recorder.bodyText == "hello")
        #expect(try server.finishAsText()[0].contains("\r\nrange: bytes=5-9\r\n"))
    }

    @Test(arguments: [
        "/b//a", "//b/a", "/b/../c", "/b/./c", "/b/..", "/b/%2F%2f", "/b/%2E%2e/x",
        "/b/a%20b%2Bc%25",
        "/b/%F0%9F%92%A9", "/b/~'()*!$&=:@,;", "/b?list-type=2&prefix=a%2F..%2F", "/b/k?uploads",
        "/b/k?x=a+b&y", "/",
    ])
    func keepsThePathAsItIs(_ path: String) throws {
        let server = try ScriptedServer([.readRequest, .send(response(""))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url(path))) == nil)
        #expect(try server.finishAsText()[0].hasPrefix("GET \(path) HTTP/1.1\r\n"))
    }

    /// One handle goes from server to server, and each URL is its own.
    @Test func goesWhereEachURLSays() throws {
        let answer: [Step] = [.readRequest, .send(response("")), .readRequest, .send(response(""))]
        let (one, other) = (try ScriptedServer(answer), try ScriptedServer(answer))
        let client = try Client()
        for (server, path) in [(one, "/1"), (other, "/2"), (one, "/3?a=/b"), (other, "")] {
            #expect(try client.run(TestRequest(.get, server.url(path))) == nil, "\(path)")
        }
        let lines = try [one, other].map { server in
            try server.finishAsText().map { $0.prefix { $0 != "\r\n" } }
        }
        #expect(lines[0] == ["GET /1 HTTP/1.1", "GET /3?a=/b HTTP/1.1"])
        #expect(lines[1] == ["GET /2 HTTP/1.1", "GET / HTTP/1.1"])
    }

    @Test(arguments: ["/a b", "/a\r\nx: y", "/a\u{7f}", "/a\tb", "/\n"])
    func refusesAURLThatWouldBeAnotherRequest(_ path: String) throws {
        let client = try Client()
        #expect(throws: CurlError.self) {
            try client.run(TestRequest(.get, "http://127.0.0.1:1\(path)"))
        }
    }

    @Test func sendsOddHeadersAsTheyAre() throws {
        let server = try ScriptedServer([.readRequest, .send(response(""))])
        let client = try Client()
        var request = TestRequest(
            .put, server.url("/k"),
            [
                "x-empty: ", "x-blank:", "x-semicolon: ;", "x-colon: a:b", "host: other:1",
                "content-type: ", "x-inner: a  b", "x;odd: 1",
            ])
        request.lines.insert(Array("x-bytes: ".utf8) + [0xFF, 0x80, 0xC3, 0xA4], at: 0)
        #expect(try client.run(request) == nil)
        let sent = try server.finish()[0]
        let expected =
            Array("PUT /k HTTP/1.1\r\nHost: other:1\r\nUser-Agent: test\r\n".utf8)
            + Array("x-bytes: ".utf8) + [0xFF, 0x80, 0xC3, 0xA4]
            + Array(
                """
                \r\nx-empty:\r\nx-blank:\r\nx-semicolon: ;\r\nx-colon: a:b\r\ncontent-type:\r
                x-inner: a  b\r\nx;odd: 1\r\nContent-Length: 0\r\n\r\n
                """.utf8)
        #expect(String(decoding: sent, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
        #expect(sent == expected)
    }

    @Test func sendsASmallBodyInOnePacketWithItsHead() throws {
        let server = try ScriptedServer([.readRequest, .send(response(""))])
        let client = try Client()
        let body = [UInt8](repeating: 7, count: 4096)
        #expect(try client.run(TestRequest(.put, server.url("/k"), [], .memory(body))) == nil)
        let sent = try server.finish()[0]
        #expect(sent.suffix(4096) == body[...])
        #expect(client.facts.requestSizeBytes == sent.count)
    }

    @Test(arguments: [65_535, 65_536, 65_537, 1_048_577, 5_000_000])
    func sendsLargeBodiesWhole(_ byteCount: Int) throws {
        let body = pattern(byteCount)
        let server = try ScriptedServer([
            .readRequest, .send(response("")), .readRequest, .send(response("")),
        ])
        let client = try Client()
        client.recorder.pieceSizeBytes = 70_001
        #expect(try client.run(TestRequest(.put, server.url("/m"), [], .memory(body))) == nil)
        #expect(client.facts.sentBodyBytes == Int64(byteCount))
        #expect(try client.run(TestRequest(.put, server.url("/s"), [], .stream(body))) == nil)
        #expect(client.facts.sentBodyBytes == Int64(byteCount))
        for request in try server.finish() {
            #expect(Array(request.suffix(byteCount)) == body)
            #expect(!String(decoding: request.prefix(300), as: UTF8.self).contains("Expect"))
        }
    }

    @Test func receivesALargeBodyWhole() throws {
        let body = pattern(3_000_001)
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n"
        let server = try ScriptedServer([.readRequest, .sendBytes(Array(head.utf8) + body)])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.body == body)
        #expect(client.facts.receivedBodyBytes == 3_000_001)
        _ = try server.finish()
    }

    @Test func neverDecodesABody() throws {
        let fields = "Content-Encoding: gzip\r\n"
        let server = try ScriptedServer([.readRequest, .send(response("no gzip", fields: fields))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.bodyText == "no gzip")
        _ = try server.finish()
    }

    @Test func takesAChunkedBodyApart() throws {
        let answer =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n2\r\nde\r\n0\r\nx-end: 1\r\n\r\n"
        let server = try ScriptedServer([.readRequest, .send(answer)])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.bodyText == "abcde")
        #expect(client.recorder.headerLines.contains("x-end: 1\r\n"))
        _ = try server.finish()
    }

    @Test func handsOverEachLineOfTheHead() throws {
        let long = String(repeating: "v", count: 60_000)
        let answer =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
            + "HTTP/1.1 200 \r\nX-Long: \(long)\r\nx-empty:\r\ncontent-length: 0\r\n\r\n"
        let server = try ScriptedServer([.readRequest, .send(answer)])
        let client = try Client()
        #expect(try client.run(TestRequest(.put, server.url("/k"), [], .stream([1, 2]))) == nil)
        #expect(client.facts.responseCode == 200)
        #expect(
            client.recorder.headerLines == [
                "HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 103 Early Hints\r\n", "link: x\r\n",
                "\r\n", "HTTP/1.1 200 \r\n", "X-Long: \(long)\r\n", "x-empty:\r\n",
                "content-length: 0\r\n", "\r\n",
            ])
        _ = try server.finish()
    }

    @Test(arguments: ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
    func doesNotFollowARedirect(_ status: String) throws {
        let fields = "Location: http://127.0.0.1:1/elsewhere\r\n"
        let answer = response("<Error/>", status: status, fields: fields)
        let server = try ScriptedServer([.readRequest, .send(answer)])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.facts.responseCode == Int(status.prefix(3)))
        #expect(client.recorder.bodyText == "<Error/>")
        _ = try server.finish()
    }

    /// The environment does not decide where data goes.
    @Test func knowsNoProxy() async throws {
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:1", 1)
            }
            let server = try ScriptedServer([.readRequest, .send(response("ok"))])
            let error = try Client().run(TestRequest(.get, server.url("/k")))
            try #require(error == nil)
            _ = try server.finish()
        }
    }

    @Test func tellsAboutTheExchange() throws {
        let server = try ScriptedServer([
            .readRequest, .send(response("")), .readRequest, .send(response("")),
        ])
        let client = try Client()
        #expect(client.facts.localPort == nil)
        #expect(client.facts.responseCode == 0)
        #expect(try client.run(TestRequest(.get, server.url("/1"))) == nil)
        let port = client.facts.localPort
        #expect(port != nil)
        #expect(client.facts.newConnectionCount == 1)
        #expect(client.facts.primaryIP == "127.0.0.1")
        #expect(client.facts.sendCount == 1)
        #expect(client.facts.osErrno == 0)
        #expect(try client.run(TestRequest(.get, server.url("/2"))) == nil)
        #expect(client.facts.localPort == port)
        #expect(client.facts.newConnectionCount == 0)
        #expect(client.facts.totalTime > .zero)
        #expect(client.facts.errorText == nil)
        _ = try server.finish()
    }
}

/// Bytes that repeat only after 65,521, a prime, so never at the border of a buffer.
func pattern(_ byteCount: Int) -> [UInt8] {
    var state: UInt32 = 1
    let block = (0..<min(byteCount, 65_521)).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 24)
    }
    var result = block
    result.reserveCapacity(byteCount + block.count)
    while result.count < byteCount { result += block }
    return Array(result.prefix(byteCount))
}
