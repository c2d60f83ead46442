//! What goes wrong on the way: each failure has its code, and the handle works afterwards.

import Testing

@testable import Curl

@Suite struct FailureTests {
    @Test func tellsThatNobodyListens() throws {
        let port = try closedPort()
        let client = try Client()
        let error = try #require(try client.run(TestRequest(.get, "http://127.0.0.1:\(port)/k")))
        #expect(error.code == CurlError.couldntConnect)
        #expect(error.symbol == "CURLE_COULDNT_CONNECT")
        #expect(error.message.contains("127.0.0.1 port \(port)"))
        #expect(client.facts.osErrno == 111)
        #expect(client.facts.responseCode == 0)
        #expect(client.facts.errorText == error.message)
    }

    @Test(arguments: [
        ("http://no-such-host.invalid/", CurlError.couldntResolveHost),
        ("ftp://127.0.0.1/", CurlError.unsupportedProtocol),
        ("file:///etc/passwd", CurlError.unsupportedProtocol),
        ("http://user:secret@127.0.0.1/", CurlError.loginDenied),
        ("http://127.0.0.1:99999/", CurlError.urlMalformat),
        ("", CurlError.urlMalformat),
    ])
    func refusesTheURL(_ url: String, code: Int32) throws {
        let error = try #require(try Client().run(TestRequest(.get, url)))
        #expect(error.code == code, "\(error)")
        #expect(!error.message.isEmpty)
        #expect(!error.message.contains("secret"))
    }

    @Test func worksAgainAfterAFailure() throws {
        let closed = try closedPort()
        let server = try ScriptedServer([.readRequest, .send(response("ok"))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, "http://127.0.0.1:\(closed)/")) != nil)
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.bodyText == "ok")
        #expect(client.facts.errorText == nil)
        _ = try server.finish()
    }

    @Test(arguments: [(Step.close, CurlError.partialFile), (Step.reset, CurlError.recvError)])
    func noticesAShortBody(_ end: Step, code: Int32) throws {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
        let server = try ScriptedServer(
            [.readRequest, .send(start), end], [.readRequest, .send(response("whole"))])
        let client = try Client()
        let error = try #require(try client.run(TestRequest(.get, server.url("/k"))))
        // A reset may overtake the bytes before it.
        #expect([code, CurlError.partialFile].contains(error.code), "\(error)")
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.bodyText == "whole")
        _ = try server.finish()
    }

    @Test func noticesAShortChunkedBody() throws {
        let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"
        let server = try ScriptedServer([.readRequest, .send(start), .close])
        let error = try #require(try Client().run(TestRequest(.get, server.url("/k"))))
        #expect(
            error.code == CurlError.partialFile || error.code == CurlError.recvError, "\(error)")
        _ = try server.finish()
    }

    @Test(arguments: [
        (RequestTests.kinds[0], [Step.close]), (RequestTests.kinds[3], [Step.close]),
        (RequestTests.kinds[4], [Step.close]),
        (RequestTests.kinds[0], [.send("HTTP/1.1 200"), .close]),
    ])
    func noticesAMissingAnswer(_ kind: RequestTests.Kind, end: [Step]) throws {
        let server = try ScriptedServer([.readRequest] + end)
        let client = try Client()
        let error = try #require(try client.run(RequestTests.request(kind, server.url("/k"))))
        #expect([CurlError.gotNothing, CurlError.recvError].contains(error.code), "\(error)")
        #expect(client.facts.sendCount == 1)
        _ = try server.finish()
    }

    @Test(arguments: ["SSH-2.0-OpenSSH\r\n", "HTTP/0.9 hello\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"])
    func refusesWhatIsNoHTTP(_ answer: String) throws {
        let server = try ScriptedServer([.readRequest, .send(answer), .close])
        #expect(try Client().run(TestRequest(.get, server.url("/k"))) != nil)
        _ = try server.finish()
    }

    @Test func refusesAHugeHeader() throws {
        let answer = "HTTP/1.1 200 OK\r\nx: \(String(repeating: "v", count: 300_000))\r\n\r\n"
        let server = try ScriptedServer([.readRequest, .send(answer), .hold])
        let client = try Client()
        let error = try #require(try client.run(TestRequest(.get, server.url("/k"))))
        #expect([CurlError.outOfMemory, CurlError.recvError].contains(error.code), "\(error)")
        #expect(client.recorder.body.isEmpty)
        // The server may be stopped in the middle of its answer, so what it did is not asked.
        _ = try? server.finish()
    }

    @Test func givesUpAServerThatStalls() throws {
        var settings = EasySettings.brisk
        settings.lowSpeedTime = .seconds(1)
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
        let server = try ScriptedServer(
            [.readRequest, .send(start), .hold], [.readRequest, .hold])
        let client = try Client(settings)
        for _ in 1...2 {
            let begin = ContinuousClock.now
            let error = try #require(try client.run(TestRequest(.get, server.url("/k"))))
            #expect(error.code == CurlError.operationTimedOut, "\(error)")
            #expect((.seconds(1)...(.seconds(4))).contains(ContinuousClock.now - begin))
        }
        _ = try server.finish()
    }

    /// One exchange may be given more time, and the next one has no more than usual again.
    @Test func waitsLongerWhenTold() throws {
        var settings = EasySettings.brisk
        settings.lowSpeedTime = .seconds(1)
        let server = try ScriptedServer([.readRequest, .hold], [.readRequest, .hold])
        let client = try Client(settings)
        var request = TestRequest(.get, server.url("/k"))
        for patience in [Duration.seconds(3), nil] {
            let atLeast = patience ?? settings.lowSpeedTime
            request.lowSpeedTime = patience
            let begin = ContinuousClock.now
            let error = try #require(try client.run(request))
            #expect(error.code == CurlError.operationTimedOut, "\(error)")
            let elapsed = ContinuousClock.now - begin
            #expect((atLeast...(atLeast + .milliseconds(1900))).contains(elapsed))
        }
        _ = try server.finish()
    }

    @Test func givesUpAServerThatTakesNothing() throws {
        var settings = EasySettings.brisk
        settings.lowSpeedTime = .seconds(1)
        let server = try ScriptedServer([.readHead(), .idle])
        let body = pattern(20_000_000)
        let error = try Client(settings).run(TestRequest(.put, server.url("/k"), [], .memory(body)))
        #expect(error?.code == CurlError.operationTimedOut, "\(String(describing: error))")
        _ = try server.finish()
    }

    @Test(arguments: [true, false]) func endsWhenACallbackSaysSo(_ inHead: Bool) throws {
        let server = try ScriptedServer(
            [.readRequest, .send(response("body")), .hold], [.readRequest, .send(response("ok"))])
        let client = try Client()
        client.recorder.acceptsHeaderLines = !inHead
        client.recorder.acceptsBody = inHead
        let error = try #require(try client.run(TestRequest(.get, server.url("/k"))))
        #expect(error.code == CurlError.writeError)
        #expect(client.recorder.headerLines.count == (inHead ? 1 : 3))
        client.recorder.acceptsHeaderLines = true
        client.recorder.acceptsBody = true
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        #expect(client.recorder.bodyText == "ok")
        _ = try server.finish()
    }

    /// The source of a streamed body fails, or holds less than it said.
    @Test(arguments: [nil, 100_000]) func endsAnUploadWithoutSource(_ failsAtOffset: Int?) throws {
        let server = try ScriptedServer(
            [.readHead(bodyByteCount: 100_000), .hold], [.readRequest, .send(response(""))])
        let client = try Client()
        client.recorder.failsAtOffset = failsAtOffset
        client.recorder.pieceSizeBytes = 50_000
        var request = TestRequest(.put, server.url("/k"), [], .stream(pattern(100_000)))
        request.streamSizeBytes = 200_000
        let error = try #require(try client.run(request))
        #expect(error.code == CurlError.abortedByCallback, "\(error)")
        client.recorder.failsAtOffset = nil
        request.streamSizeBytes = nil
        #expect(try client.run(request) == nil)
        #expect(Array(try server.finish()[1].suffix(100_000)) == pattern(100_000))
    }

    @Test func neverSendsMoreThanAnnounced() throws {
        let server = try ScriptedServer([
            .readRequest, .send(response("")), .readRequest, .send(response("")),
        ])
        let client = try Client()
        var request = TestRequest(
            .put, server.url("/k"), [], .stream(Array("abcGET / HTTP/1.1".utf8)))
        request.streamSizeBytes = 3
        #expect(try client.run(request) == nil)
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        let requests = try server.finishAsText()
        #expect(requests[0].hasSuffix("\r\n\r\nabc"))
        #expect(requests[1].hasPrefix("GET /k HTTP/1.1\r\n"))
    }

    /// The answer comes before the body was taken: it counts, the connection does not.
    @Test func takesAnEarlyAnswer() throws {
        let server = try ScriptedServer(
            [.readHead(), .send(response("<Error/>", status: "412 Precondition Failed")), .hold],
            [.readRequest, .send(response("ok"))])
        let client = try Client()
        let request = TestRequest(.put, server.url("/k"), [], .stream(pattern(9_000_000)))
        #expect(try client.run(request) == nil)
        #expect(client.facts.responseCode == 412)
        #expect(client.recorder.bodyText == "<Error/>")
        #expect(try client.run(TestRequest(.get, server.url("/k"))) == nil)
        _ = try server.finish()
    }
}
