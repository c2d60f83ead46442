//! What the threads know of the sides: who is told what, who is woken, and what the watch is to do.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct SharedSidesTests {
    private final class Bell: Sendable {
        private let rung = Monitor(Set<Int>())

        func ring(_ worker: Int) { rung.withLock { _ = $0.insert(worker) } }

        func takeRung() -> Set<Int> {
            rung.withLock { set in
                defer { set = [] }
                return set
            }
        }
    }

    private let bell = Bell()
    private let clock = Clock()
    private let sides: SharedSides

    init() throws {
        let settings = try BothSides<SideSettings>(
            source: Self.settings(port: 1), target: Self.settings(port: 2))
        sides = SharedSides(
            settings, slots: 10, workerCount: 4, seed: 1, wake: { [bell] in bell.ring($0) })
    }

    private static func settings(port: Int) throws -> SideSettings {
        SideSettings(
            endpoint: try Endpoint("http://127.0.0.1:\(port)"), bucket: "bucket", region: "r",
            credentials: try Credentials(accessKey: "key", secret: "secret-of-\(port)"))
    }

    private func at(_ milliseconds: Int) -> Instant {
        Instant(elapsed: .milliseconds(milliseconds))
    }

    private func take(
        worker: Int = 0, target: SideReport = SideReport(), at milliseconds: Int = 0
    ) -> SharedSides.View {
        sides.take(
            BothSides(source: SideReport(), target: target), busy: 0, of: worker,
            at: at(milliseconds))
    }

    private func goDown() {
        for time in [0, 500, 1000] { sides.failed(.target, because: "gone", at: at(time)) }
    }

    private func answer(_ time: Int, worker: Int = 2) -> SharedSides.Answer {
        sides.answer(.silence, .target, askedAt: at(time), worker: worker)
    }

    @Test func dividesTheSlotsAmongTheWorkers() {
        #expect((0..<4).map { take(worker: $0).share } == [3, 3, 2, 2])
        var report = SideReport()
        report.count(isThrottled: true, begunAt: at(0), at: at(1), bytes: 0)
        _ = take(target: report, at: 1)
        #expect((0..<4).map { take(worker: $0, at: 2).share } == [2, 1, 1, 1])
        #expect(sides.condition(of: .target).limit.isReduced)
        #expect(!sides.condition(of: .source).limit.isReduced)
    }

    @Test func allAreWokenWhenASideGoesDownAndComesBack() {
        #expect(!sides.isTroubled)
        sides.failed(.target, because: "gone", at: at(0))
        #expect(sides.isTroubled)
        #expect(bell.takeRung().isEmpty)
        goDown()
        #expect(bell.takeRung() == [0, 1, 2, 3])
        #expect(take().isDown.target)
        #expect(!take().isDown.source)
        #expect(answer(500) == .notKnownYet)
        sides.probed(.target, begunAt: at(3000), at: at(3001), failure: nil)
        #expect(bell.takeRung() == [0, 1, 2, 3])
        #expect(answer(500) == .forgiven)
        #expect(!sides.isTroubled)
    }

    /// Only who keeps something back has to hear of each answer.
    @Test func whoKeepsSomethingIsWokenByAProof() {
        sides.failed(.target, because: "reset", at: at(0))
        #expect(answer(0) == .notKnownYet)
        // A question is no answer: else a worker that waits would wake itself for ever.
        _ = take(worker: 2, at: 1)
        #expect(bell.takeRung().isEmpty)
        var report = SideReport()
        report.count(isThrottled: false, begunAt: at(5), at: at(9), bytes: 0)
        _ = take(target: report, at: 10)
        #expect(bell.takeRung() == [2])
        #expect(answer(0) == .own)
    }

    @Test func whatWasNotSentWaitsForTheSide() {
        goDown()
        func isSent() -> SharedSides.Answer {
            sides.answer(.notSent, .target, askedAt: at(1500), worker: 0)
        }
        #expect(isSent() == .notKnownYet)
        sides.probed(.target, begunAt: at(3000), at: at(3001), failure: nil)
        #expect(isSent() == .forgiven)
    }

    @Test func newCredentialsForgiveWhatTheOldOnesWereRefused() throws {
        sides.refused(.target, generation: 0, isSure: true, at: at(5))
        #expect(take().isDown.target)
        let question = SharedSides.Question.refusal(generation: 0)
        #expect(
            sides.answer(question, .target, askedAt: at(5), worker: 1) == .notKnownYet)
        sides.renew(.target, try Credentials(accessKey: "key", secret: "another-secret"))
        #expect(take().generation.target == 1)
        #expect(sides.answer(question, .target, askedAt: at(5), worker: 1) == .forgiven)
        #expect(sides.redaction.applied(to: "another-secret secret-of-2") == "****** ******")
    }

    // MARK: - The watch

    @Test(.timeLimit(.minutes(1))) func theWatchIsToldWhatToFindOut() {
        let now = clock.now
        sides.failed(.target, because: "gone", at: now)
        let task = sides.nextTask(for: .target, clock: clock)
        #expect(task?.asksWhetherUp == true)
        #expect(task?.asksForCredentials == false)
        // Others are first left some time to find out.
        #expect(clock.now - now >= .milliseconds(40))
    }

    /// The doubt of one side is no news to the other's watch, nor does it hide that one's own.
    @Test(.timeLimit(.minutes(1))) func eachWatchIsWokenForItsOwnSide() throws {
        let asked = Monitor(false)
        let watch = try Thread(name: "watch") { [sides, clock] in
            let task = sides.nextTask(for: .target, clock: clock)
            asked.withLock { $0 = task?.asksWhetherUp == true }
        }
        sides.failed(.source, because: "gone", at: clock.now)
        pause(milliseconds: 200)
        sides.failed(.target, because: "gone", at: clock.now)
        for _ in 0..<100 where !asked.withLock({ $0 }) { pause(milliseconds: 50) }
        #expect(asked.withLock { $0 })
        sides.end()
        watch.join()
    }

    private func pause(milliseconds: Int) {
        usleep(UInt32(milliseconds * 1000))
    }

    @Test(.timeLimit(.minutes(1))) func theWatchEndsWithTheRun() throws {
        let watch = try Thread(name: "watch") { [sides, clock] in
            while sides.nextTask(for: .source, clock: clock) != nil {}
        }
        sides.end()
        watch.join()
        #expect(sides.isEnded)
    }
}
