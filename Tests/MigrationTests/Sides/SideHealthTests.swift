//! When a side is down, when it is up again, and what an exchange without an answer was.

import Testing

@testable import Migration

@Suite struct SideHealthTests {
    private func at(_ milliseconds: Int) -> Instant {
        Instant(elapsed: .milliseconds(milliseconds))
    }

    private func health(failedAt times: Int...) -> SideHealth {
        var health = SideHealth()
        for time in times { health.failed(at: at(time), because: "refused") }
        return health
    }

    @Test func isUpFirst() {
        let health = SideHealth()
        #expect(health.state == .up)
        #expect(!health.isInDoubt)
        #expect(health.downFor(at: at(5000)) == nil)
    }

    @Test func isDownAfterFaultsInARowOverASecond() {
        #expect(health(failedAt: 100, 200, 300, 1099).state == .up)
        #expect(health(failedAt: 100, 1100).state == .up)
        #expect(health(failedAt: 100, 200, 1100).state == .down(since: at(100)))
        #expect(health(failedAt: 100, 200, 1100).downFor(at: at(3100)) == .seconds(3))
    }

    @Test func anAnswerInBetweenBeginsTheCountAnew() {
        var health = health(failedAt: 100, 200)
        health.answered(begunAt: at(150), endedAt: at(250))
        health.failed(at: at(1100), because: "")
        health.failed(at: at(1200), because: "")
        #expect(health.state == .up)
        health.failed(at: at(2100), because: "")
        #expect(health.state == .down(since: at(1100)))
    }

    @Test func comesBackWithTheFirstAnswer() {
        var health = health(failedAt: 100, 200, 1100)
        health.answered(begunAt: at(5000), endedAt: at(5010))
        #expect(health.state == .up)
        #expect(!health.isInDoubt)
    }

    /// A worker tells late of an answer that it had before.
    @Test func isNotBroughtBackByAnAnswerFromBefore() {
        var health = health(failedAt: 100, 200, 1100)
        health.answered(begunAt: at(50), endedAt: at(99))
        #expect(health.state == .down(since: at(100)))
    }

    // MARK: - What a fault was

    @Test func aFaultIsNotKnownUntilALaterExchangeIsAnswered() {
        var health = health(failedAt: 100)
        #expect(health.cause(ofFaultAt: at(100)) == .notKnownYet)
        #expect(health.isInDoubt)
        // It may have been answered before the side went down.
        health.answered(begunAt: at(99), endedAt: at(120))
        #expect(health.cause(ofFaultAt: at(100)) == .notKnownYet)
        #expect(health.isInDoubt)
        health.answered(begunAt: at(110), endedAt: at(130))
        #expect(health.cause(ofFaultAt: at(100)) == .own)
        #expect(!health.isInDoubt)
    }

    @Test func aFaultOfAnOutageIsNobodys() {
        var health = health(failedAt: 100, 200, 1100)
        for time in [100, 200, 1100] {
            #expect(health.cause(ofFaultAt: at(time)) == .notKnownYet)
        }
        health.answered(begunAt: at(5000), endedAt: at(5010))
        for time in [100, 200, 1100, 5005] {
            #expect(health.cause(ofFaultAt: at(time)) == .outage)
        }
        #expect(health.cause(ofFaultAt: at(99)) == .own)
        #expect(health.cause(ofFaultAt: at(5011)) == .notKnownYet)
    }

    /// Found by the simulation: an answer from before the outage, long on its way, came after the first fault.
    @Test func aLateAnswerDoesNotExplainTheFirstFault() {
        var health = health(failedAt: 100)
        health.answered(begunAt: at(50), endedAt: at(900))
        for time in [1000, 1500, 2100] { health.failed(at: at(time), because: "") }
        #expect(health.state == .down(since: at(1000)))
        health.answered(begunAt: at(9000), endedAt: at(9001))
        #expect(health.cause(ofFaultAt: at(100)) == .outage)
        #expect(!health.isInDoubt)
    }

    @Test func whatWasExplainedBeforeAnOutageStaysSo() {
        var health = health(failedAt: 100)
        health.answered(begunAt: at(150), endedAt: at(160))
        for time in [1000, 1500, 2100] { health.failed(at: at(time), because: "") }
        health.answered(begunAt: at(9000), endedAt: at(9001))
        #expect(health.cause(ofFaultAt: at(100)) == .own)
        #expect(health.cause(ofFaultAt: at(1000)) == .outage)
    }

    /// Nothing is kept back for ever: as long as a fault is not explained, somebody is to ask.
    @Test func isInDoubtAsLongAsAFaultIsNotExplained() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<2000 {
            var health = SideHealth()
            var faults: [Instant] = []
            var now = 0
            for _ in 0..<12 {
                now += Int.random(in: 0...700, using: &random)
                if Bool.random(using: &random) {
                    health.failed(at: at(now), because: "")
                    faults.append(at(now))
                } else {
                    let begun = now - Int.random(in: 0...900, using: &random)
                    health.answered(begunAt: at(begun), endedAt: at(now))
                }
                let isOpen = faults.contains { health.cause(ofFaultAt: $0) == .notKnownYet }
                #expect(!isOpen || health.isInDoubt)
            }
            health.answered(begunAt: at(now), endedAt: at(now + 1))
            #expect(faults.allSatisfy { health.cause(ofFaultAt: $0) != .notKnownYet })
            #expect(!health.isInDoubt)
        }
    }

    @Test(arguments: [(0, 100), (1, 200), (3, 800), (6, 5000), (1000, 5000)])
    func asksMoreAndMoreSeldom(failedCount: Int, longest: Int) {
        var random = SeededRandom(seed: 3)
        let delays = (0..<100).map { _ in
            SideHealth.probeDelay(failedCount: failedCount, random: &random).milliseconds
        }
        #expect(delays.allSatisfy { (Int64(longest / 2)...Int64(longest)).contains($0) })
        #expect(Set(delays).count > 5)
    }
}

@Suite struct OutageNewsTests {
    @Test func tellsBeginningAndEndAndALittleInBetween() {
        var news = OutageNews(place: "target: http://t", timeout: .seconds(3600))
        #expect(news.take(downFor: nil, reason: "") == nil)
        var lines: [String] = []
        for second in 1...3600 {
            if let line = news.take(downFor: .seconds(second), reason: "refused") {
                lines.append(line)
            }
        }
        #expect(
            lines.first
                == "target: http://t has not answered for 1 s (refused); waiting (at most 60 min)")
        #expect((4...8).contains(lines.count))
        let over = news.take(downFor: nil, reason: "")
        #expect(over == "target: http://t answers again after 60 min")
        #expect(news.take(downFor: nil, reason: "") == nil)
    }

    @Test(arguments: [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h")])
    func writesATime(seconds: Int, text: String) {
        #expect(OutageNews.text(.seconds(seconds)) == text)
    }
}
