//! How many transfers a side is given: by hand, and in small models of servers.

import Testing

@testable import Migration

@Suite struct ConcurrencyLimitTests {
    private func at(_ milliseconds: Int) -> Instant {
        Instant(elapsed: .milliseconds(milliseconds))
    }

    private func report(good: Int = 0, throttled: Int = 0) -> SideReport {
        var report = SideReport()
        (report.answerCount, report.throttledCount) = (good, throttled)
        return report
    }

    @Test func beginsWithEverything() {
        let limit = ConcurrencyLimit(most: 64)
        #expect(limit.current == 64)
        #expect(!limit.isReduced)
    }

    @Test func halvesOnceForOneBurst() {
        var limit = ConcurrencyLimit(most: 64)
        for time in 0..<100 { limit.take(report(throttled: 5), busy: 64, at: at(time)) }
        #expect(limit.current == 32)
        #expect(limit.throttledCount == 500)
    }

    /// As long as more are under way than it allows, the last cut has not had its effect.
    @Test func waitsForTheCutToHaveItsEffect() {
        var limit = ConcurrencyLimit(most: 64)
        limit.take(report(throttled: 1), busy: 64, at: at(0))
        limit.take(report(throttled: 1), busy: 33, at: at(5000))
        #expect(limit.current == 32)
        limit.take(report(throttled: 1), busy: 32, at: at(5001))
        #expect(limit.current == 16)
        limit.take(report(throttled: 1), busy: 33, at: at(15_002))
        #expect(limit.current == 8)
    }

    @Test func neverFallsBelowOne() {
        var limit = ConcurrencyLimit(most: 3)
        for round in 0..<20 { limit.take(report(throttled: 1), busy: 0, at: at(round * 1000)) }
        #expect(limit.current == 1)
    }

    @Test func risesMoreAndMoreQuicklyWhenAllIsCalm() {
        var limit = ConcurrencyLimit(most: 64)
        for round in 0..<4 { limit.take(report(throttled: 1), busy: 0, at: at(round * 400)) }
        #expect(limit.current == 4)
        var seen: [Int] = []
        for tick in 0..<200 {
            limit.take(report(good: 9), busy: 4, at: at(1200 + tick * 100))
            if seen.last != limit.current { seen.append(limit.current) }
        }
        #expect(seen.starts(with: [4, 5, 7, 10, 14]))
        #expect(limit.current == 64)
        #expect(!limit.isReduced)
    }

    // MARK: - A server that takes so many at once

    /// A closed loop: transfers take 20 ms where the server has room, else they are refused and come again later.
    private struct Model {
        var capacity: Int
        var limit = ConcurrencyLimit(most: 64)
        var refusedCount = 0
        var doneCount = 0

        mutating func run(seconds: Int) {
            var waiting: [Int] = []
            for tick in 0..<seconds * 50 {
                let now = Instant(elapsed: .milliseconds(tick * 20))
                let due = waiting.filter { $0 <= tick }.count
                waiting.removeAll { $0 <= tick }
                let new = max(0, limit.current - waiting.count - due)
                let asked = due + new
                let served = min(asked, capacity)
                var report = SideReport()
                report.answerCount = served
                report.throttledCount = asked - served
                report.time = .milliseconds(20 * asked)
                for number in 0..<asked - served { waiting.append(tick + 5 + number % 20) }
                limit.take(report, busy: waiting.count + served, at: now)
                refusedCount += asked - served
                doneCount += served
            }
        }
    }

    @Test(arguments: [1, 4, 20, 50])
    func findsWhatAServerTakes(capacity: Int) {
        var model = Model(capacity: capacity)
        model.run(seconds: 60)
        #expect(model.limit.current <= capacity * 2)
        // Nearly all of what the server could do, and few refusals.
        #expect(Double(model.doneCount) > 0.6 * Double(capacity * 50 * 60))
        #expect(Double(model.refusedCount) < 0.2 * Double(model.doneCount) + 500)
    }

    @Test func aServerThatTakesAllIsNeverSpared() {
        var model = Model(capacity: 64)
        model.run(seconds: 60)
        #expect(model.refusedCount == 0)
        #expect(!model.limit.isReduced)
    }

    // MARK: - Latency

    /// Windows of five seconds: how long answers take, how many there are, and their bytes.
    private func limit(
        after windows: [(latencyMS: Int, count: Int, bytes: Int64)]
    ) -> ConcurrencyLimit {
        var limit = ConcurrencyLimit(most: 64)
        limit.take(report(), busy: 64, at: at(0))
        for (index, window) in windows.enumerated() {
            var report = report(good: window.count)
            report.time = .milliseconds(window.latencyMS * window.count)
            report.bytes = window.bytes
            limit.take(report, busy: 64, at: at((index + 1) * 5000))
        }
        return limit
    }

    private static let usual = (latencyMS: 400, count: 800, bytes: 8_000_000 as Int64)

    @Test func isCutWhenAnswersTakeMuchLongerAndBringLess() {
        let slow = (latencyMS: 3200, count: 100, bytes: 1_000_000 as Int64)
        #expect(limit(after: [Self.usual, slow]).current == 64)
        #expect(limit(after: [Self.usual, slow, slow]).current == 48)
        #expect(limit(after: [Self.usual] + Array(repeating: slow, count: 30)).current >= 16)
    }

    @Test(arguments: [
        // Many times slower, and still quick.
        (latencyMS: 900, count: 100, bytes: 1_000_000 as Int64),
        // Larger objects: fewer of them, as many bytes.
        (latencyMS: 3200, count: 100, bytes: 8_000_000),
        // A longer way, and as many answers.
        (latencyMS: 3200, count: 700, bytes: 1_000_000),
        // Not that much slower.
        (latencyMS: 1500, count: 100, bytes: 1_000_000),
        // Too few to tell.
        (latencyMS: 9000, count: 10, bytes: 1000),
    ])
    func isNotCutByLatencyAlone(window: (latencyMS: Int, count: Int, bytes: Int64)) {
        #expect(limit(after: [Self.usual, window, window, window]).current == 64)
    }
}
