//! Waiting for other threads, with and without a time limit.

import Glibc
import Linux
import Testing

struct MonitorTests {
    @Test func locksOutEverybodyElse() throws {
        let counter = Monitor(0)
        let threads = try (0..<4).map { number in
            try Thread(name: "counter \(number)") {
                for _ in 0..<10_000 { counter.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(counter.withLock { $0 } == 40_000)
    }

    @Test func unlocksWhenTheBodyThrows() {
        let monitor = Monitor(0)
        for _ in 0..<2 {
            #expect(throws: SystemError.self) {
                try monitor.withLock { _ throws(SystemError) in throw SystemError(code: EIO) }
            }
        }
    }

    /// Two threads that wait for each other's turns, each with a condition of its own.
    @Test func wakesWhoWaitsForTheCondition() throws {
        let (ball, even, odd) = (Monitor(0), Condition(), Condition())
        let other = try Thread(name: "odd") {
            for _ in 0..<1000 {
                ball.wait(for: odd, until: { $0 % 2 == 1 }, then: { $0 += 1 })
                even.wakeOne()
            }
        }
        for _ in 0..<1000 {
            ball.wait(for: even, until: { $0 % 2 == 0 ? ($0 += 1) : nil })
            odd.wakeAll()
        }
        other.join()
        #expect(ball.withLock { $0 } == 2000)
    }

    @Test func givesUpWhenTheTimeIsOver() {
        let monitor = Monitor("waited for in vain")
        let clock = ContinuousClock()
        var text = ""
        let time = clock.measure {
            text = monitor.wait(
                for: Condition(), atMost: .milliseconds(20), until: { _ in false }, then: { $0 })
        }
        #expect(text == "waited for in vain")
        #expect(time >= .milliseconds(20))
    }

    @Test(arguments: [.zero, .seconds(-1), .nanoseconds(1)] as [Duration])
    func doesNotWaitWhereThereIsNoTime(timeout: Duration) {
        let isOver = Monitor(true).wait(
            for: Condition(), atMost: timeout, until: { _ in false }, then: { $0 })
        #expect(isOver)
    }
}
