//! A key that the target's lists have: what its answer is taken for.

import Migration
import S3
import Testing

@Suite struct ListSampleTests {
    private func ask(
        _ answers: [Scripted.Answer], listedBytes: Int64? = nil, listedETag: String? = nil
    ) throws -> (outcome: Outcome?, asked: [String]) {
        let now = Instant(elapsed: .zero)
        let item = WorkItem(
            sequence: 0, key: ObjectKey("k"), listedBytes: listedBytes,
            listedETag: listedETag.map { ETag($0) }, isSample: true)
        var job = Job.sample(ListSample(item: item, now: now))
        #expect(job.item?.key == ObjectKey("k"))
        var context = TransferContext(
            now: now, rules: .play(retries: 1), random: SeededRandom(seed: 1))
        var rest = answers[...]
        var asked: [String] = []
        var buffer: [UInt8] = []
        var event = TransferEvent.begin
        while true {
            switch job.handle(event, in: &context) {
            case .exchange(let order):
                guard let answer = rest.popFirst() else { throw PlayError(order.title) }
                asked.append(order.title)
                event = answer(order, &buffer)
            case .wait: event = .woken
            case .finish(let outcome): return (outcome, asked)
            case .stopRun: return (nil, asked)
            default: throw PlayError("a HEAD needs nothing but an exchange")
            }
        }
    }

    private let hello = TestObject("hello")

    @Test func asksTheTargetOnly() throws {
        let (outcome, asked) = try ask([shows(hello)])
        #expect(asked == ["target HeadObject"])
        #expect(outcome?.kind == .exist)
        #expect(outcome?.sizeBytes == 5)
        #expect(outcome?.proof == nil, "the list says nothing to compare it with")
    }

    @Test func comparesWithWhatTheSourcesListSays() throws {
        let etag = "\"5d41402abc4b2a76b9719d911017c592\""
        let other = "\"00000000000000000000000000000000\""
        #expect(try ask([shows(hello)], listedBytes: 6).outcome?.proof == .differs)
        #expect(try ask([shows(hello)], listedBytes: 5).outcome?.proof == nil)
        #expect(try ask([shows(hello)], listedETag: etag).outcome?.proof == .same)
        #expect(try ask([shows(hello)], listedETag: other).outcome?.proof == .differs)
        #expect(
            try ask([shows(hello)], listedBytes: 5, listedETag: "\"abc-2\"").outcome?.proof == nil,
            "it may be the same object in parts")
    }

    @Test func tellsWhatIsMissing() throws {
        #expect(try ask([refuses(404)]).outcome?.proof == .missing)
        #expect(try ask([breaks(), refuses(404)]).outcome?.proof == .missing)
    }

    @Test func whatCannotBeAskedIsNotFailed() throws {
        for answers in [[refuses(403)], [refuses(503), refuses(503)], [breaks(), reply(200)]] {
            let outcome = try ask(answers).outcome
            #expect(outcome?.kind == .exist)
            #expect(outcome?.proof == nil)
        }
    }

    @Test func aFaultOfTheWholeRunStopsIt() throws {
        #expect(try ask([refuses(301)]).outcome == nil)
    }
}
