//! The multi handle: many exchanges at once, waking, and the order of the end.

import Glibc
import Synchronization
import Testing

@testable import Curl

@Suite struct MultiHandleTests {
    @Test func drivesManyAtOnce() throws {
        let slotCount = 64
        let rounds = 4
        let server = try ScriptedServer(each: [.answerAll(response("ok"))])
        let client = try Client(slotCount: slotCount)
        for round in 0..<rounds {
            for (number, slot) in client.slots.enumerated() {
                let path = "/\(round)/\(number)"
                try slot.prepare(TestRequest(.put, server.url(path), [], .memory(Array(path.utf8))))
                try client.add(number)
            }
            let finished = try client.finish(count: slotCount)
            #expect(finished.allSatisfy { $0.error == nil })
            #expect(finished.map(\.slot).sorted() == Array(0..<slotCount))
            #expect(client.slots.allSatisfy { $0.recorder.bodyText == "ok" })
        }
        let requests = try server.finishAsText()
        #expect(Set(requests).count == slotCount * rounds)
        for request in requests {
            let path = request.split(separator: " ")[1]
            #expect(request.hasSuffix("\r\n\r\n\(path)"))
        }
    }

    @Test func tellsWhichOfManyFailed() throws {
        let closed = try closedPort()
        let server = try ScriptedServer(each: [.answerAll(response(""))])
        let client = try Client(slotCount: 3)
        for (number, slot) in client.slots.enumerated() {
            let url = number == 1 ? "http://127.0.0.1:\(closed)/" : server.url("/\(number)")
            try slot.prepare(TestRequest(.get, url))
            try client.add(number)
        }
        for finished in try client.finish(count: 3) {
            #expect(finished.error?.code == (finished.slot == 1 ? CurlError.couldntConnect : nil))
        }
        _ = try server.finish()
    }

    @Test func takesBackWhatIsNotFinished() throws {
        let server = try ScriptedServer(
            [.readRequest, .hold], [.readRequest, .send(response("ok"))])
        let client = try Client()
        try client.slots[0].prepare(TestRequest(.get, server.url("/1")))
        try client.add(0)
        for _ in 1...5 {
            #expect(try client.multi?.perform() == 1)
            try client.multi?.poll(timeout: .milliseconds(10))
        }
        try client.remove(0)
        #expect(try client.multi?.perform() == 0)
        let nothing = client.multi?.nextFinished() == nil
        #expect(nothing)
        // The answer to the first request can never be taken for the second's.
        #expect(try client.run(TestRequest(.get, server.url("/2"))) == nil)
        #expect(client.facts.newConnectionCount == 1)
        #expect(client.recorder.bodyText == "ok")
        _ = try server.finish()
    }

    @Test func isWokenByAnotherThread() throws {
        let client = try Client()
        try client.multi?.poll(timeout: .zero)
        guard let waker = client.multi?.waker else { return }
        let begin = ContinuousClock.now
        onThread {
            usleep(50_000)
            waker.wake()
        }
        try client.multi?.poll(timeout: .seconds(10))
        #expect(ContinuousClock.now - begin < .seconds(5))
        #expect(ContinuousClock.now - begin > .milliseconds(40))
    }

    @Test func remembersThatItWasWoken() throws {
        let client = try Client()
        try client.multi?.poll(timeout: .zero)
        client.multi?.waker.wake()
        client.multi?.waker.wake()
        let begin = ContinuousClock.now
        try client.multi?.poll(timeout: .seconds(10))
        #expect(ContinuousClock.now - begin < .seconds(5))
        // Two wakes are one.
        let second = ContinuousClock.now
        try client.multi?.poll(timeout: .milliseconds(50))
        #expect(ContinuousClock.now - second > .milliseconds(40))
    }

    @Test func canBeWokenWhileAndAfterItIsClosed() throws {
        for _ in 0..<50 {
            let client = try Client()
            guard let waker = client.multi?.waker else { return }
            let isRunning = Atomic(false)
            let isOver = Atomic(false)
            onThread(while: {
                while !isRunning.load(ordering: .acquiring) {}
                client.multi.take()?.close()
                isOver.store(true, ordering: .releasing)
            }) {
                while !isOver.load(ordering: .acquiring) {
                    waker.wake()
                    isRunning.store(true, ordering: .releasing)
                }
                waker.wake()
            }
        }
    }

    @Test(arguments: [
        (Duration.zero, 0), (.nanoseconds(1), 1), (.microseconds(1500), 2), (.milliseconds(7), 7),
        (.seconds(3), 3000), (.seconds(-5), 0), (.seconds(1_000_000_000_000), Int(Int32.max)),
    ])
    func roundsTimesUp(_ time: Duration, milliseconds: Int) {
        #expect(time.milliseconds == milliseconds)
    }

    @Test(arguments: [(Duration.zero, 0), (.milliseconds(1), 1), (.seconds(60), 60)])
    func roundsTimesUp(_ time: Duration, seconds: Int) {
        #expect(time.seconds == seconds)
    }

    @Test func trapsWhenAHandleIsDropped() async {
        await #expect(processExitsWith: .failure) {
            _ = try EasyHandle(callbacks: Recorder(), slot: 0, settings: .brisk)
        }
        await #expect(processExitsWith: .failure) {
            _ = try MultiHandle(connectionCacheSize: 2)
        }
    }

    @Test func trapsWhenTheEndIsOutOfOrder() async {
        await #expect(processExitsWith: .failure) {
            let client = try Client()
            try client.slots[0].prepare(TestRequest(.get, "http://127.0.0.1:1/"))
            try client.add(0)
            client.multi.take()?.close()
        }
        await #expect(processExitsWith: .failure) {
            let client = try Client()
            try client.slots[0].prepare(TestRequest(.get, "http://127.0.0.1:1/"))
            try client.add(0)
            client.slots[0].easy.take()?.close()
        }
        await #expect(processExitsWith: .failure) {
            let client = try Client()
            try client.slots[0].prepare(TestRequest(.get, "http://127.0.0.1:1/"))
            try client.add(0)
            try client.slots[0].prepare(TestRequest(.get, "http://127.0.0.1:1/"))
        }
    }

    @Test func trapsWhenAGetHasABody() async {
        await #expect(processExitsWith: .failure) {
            let client = try Client()
            let request = TestRequest(.get, "http://127.0.0.1:1/", [], .memory([1]))
            try client.slots[0].prepare(request)
        }
    }

    /// What traps must not be the test's own doing: the same without the fault ends well.
    @Test func endsWellInOrder() async {
        await #expect(processExitsWith: .success) {
            let client = try Client()
            try client.slots[0].prepare(TestRequest(.get, "http://127.0.0.1:1/"))
            try client.add(0)
            try client.remove(0)
            client.multi.take()?.close()
            client.slots[0].easy.take()?.close()
        }
    }
}
