//! A reused connection that was dead: libcurl sends the request again, and the body must be whole.

import Testing

@testable import Curl

@Suite struct ResendTests {
    /// What the handle did before: it must not change how a body is sent again.
    static let before = RequestTests.kinds.filter {
        ["GET", "PUT memory", "PUT stream"].contains($0.name)
    }

    @Test(arguments: before, [10, 100_000, 1_000_000])
    func sendsAStreamAgain(_ first: RequestTests.Kind, byteCount: Int) throws {
        let server = try Self.serverThatDropsTheSecond()
        let client = try Client()
        client.recorder.pieceSizeBytes = 30_000
        #expect(try client.run(RequestTests.request(first, server.url("/1"))) == nil)
        let body = pattern(byteCount)
        #expect(try client.run(TestRequest(.put, server.url("/2"), [], .stream(body))) == nil)
        #expect(client.facts.sendCount == 2)
        #expect(client.recorder.rewinds == [0])
        let requests = try server.finish()
        #expect(requests[1] == requests[2])
        #expect(Array(requests[2].suffix(byteCount)) == body)
    }

    @Test(arguments: before, [0, 10, 100_000, 1_000_000])
    func sendsMemoryAgain(_ first: RequestTests.Kind, byteCount: Int) throws {
        let server = try Self.serverThatDropsTheSecond()
        let client = try Client()
        #expect(try client.run(RequestTests.request(first, server.url("/1"))) == nil)
        let body = pattern(byteCount)
        #expect(try client.run(TestRequest(.put, server.url("/2"), [], .memory(body))) == nil)
        #expect(client.facts.sendCount == 2)
        let requests = try server.finish()
        #expect(requests[1] == requests[2])
        #expect(Array(requests[2].suffix(byteCount)) == body)
    }

    @Test func sendsAGetAgain() throws {
        let server = try Self.serverThatDropsTheSecond()
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/1"))) == nil)
        #expect(try client.run(TestRequest(.get, server.url("/2"))) == nil)
        #expect(client.facts.sendCount == 2)
        #expect(client.recorder.bodyText == "ok")
        let requests = try server.finish()
        #expect(requests[1] == requests[2])
    }

    /// A rewind that fails spoils the handle (curl #17139): it says so, and a new one works.
    @Test func isTaintedByAFailedRewind() throws {
        let server = try ScriptedServer(
            [.readRequest, .send(response("ok")), .readRequest, .close],
            // libcurl rewinds when it has the new connection.
            [.hold],
            [.readRequest, .send(response("ok"))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/1"))) == nil)
        client.recorder.canRewind = false
        let request = TestRequest(.put, server.url("/2"), [], .stream(pattern(1000)))
        #expect(try client.run(request)?.code == CurlError.sendFailRewind)
        #expect(client.facts.isTainted)

        let slot = client.slots[0]
        slot.easy.take()?.close()
        slot.easy = try EasyHandle(callbacks: slot.recorder, slot: 0, settings: .brisk)
        #expect(!client.facts.isTainted)
        #expect(try client.run(request) == nil)
        _ = try server.finish()
    }

    /// An idle connection that the server closed is not even tried.
    @Test func opensAConnectionWhenTheOldOneWasClosed() throws {
        let server = try ScriptedServer(
            [.readRequest, .send(response("ok")), .close], [.readRequest, .send(response("ok"))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/1"))) == nil)
        _ = try client.multi?.poll(timeout: .milliseconds(100))
        let body = pattern(1000)
        #expect(try client.run(TestRequest(.put, server.url("/2"), [], .stream(body))) == nil)
        #expect(client.facts.newConnectionCount == 1)
        #expect(Array(try server.finish()[1].suffix(1000)) == body)
    }

    /// A new connection that dies is not libcurl's to repair.
    @Test func doesNotSendAgainOnANewConnection() throws {
        let server = try ScriptedServer([.readRequest, .close])
        let client = try Client()
        let request = TestRequest(.put, server.url("/k"), [], .stream(pattern(1000)))
        #expect(try client.run(request)?.code == CurlError.gotNothing)
        #expect(client.facts.sendCount == 1)
        #expect(client.recorder.rewinds == [])
        _ = try server.finish()
    }

    /// Resets in the midst of a body: whether libcurl tries again or not, no wrong body counts as
    /// sent.
    @Test(arguments: [0, 1, 200_000], [false, true])
    func neverSendsAWrongBodyAfterAReset(_ takenByteCount: Int, isStream: Bool) throws {
        let server = try ScriptedServer(
            [
                .readRequest, .send(response("ok")), .readHead(bodyByteCount: takenByteCount),
                .reset,
            ],
            [.readRequest, .send(response("ok"))])
        let client = try Client()
        #expect(try client.run(TestRequest(.get, server.url("/1"))) == nil)
        let body = pattern(3_000_000)
        let request = TestRequest(
            .put, server.url("/2"), [], isStream ? .stream(body) : .memory(body))
        if let error = try client.run(request) {
            #expect([CurlError.sendError, CurlError.recvError].contains(error.code), "\(error)")
            #expect(try client.run(request) == nil)
        }
        #expect(client.facts.responseCode == 200)
        #expect(Array(try server.finish()[2].suffix(body.count)) == body)
    }

    private static func serverThatDropsTheSecond() throws -> ScriptedServer {
        try ScriptedServer(
            [.readRequest, .send(response("ok")), .readRequest, .close],
            [.readRequest, .send(response("ok"))])
    }
}
