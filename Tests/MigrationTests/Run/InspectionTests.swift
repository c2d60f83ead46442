//! What a dry run does with an object: asks, and touches nothing.

import Migration
import S3
import Testing

@Suite struct InspectionTests {
    private func inspect(_ answers: [Scripted.Answer]) throws -> (Outcome?, [ExchangeOrder]) {
        let now = Instant(elapsed: .zero)
        var job = Job.inspection(
            Inspection(item: WorkItem(sequence: 0, key: ObjectKey("k")), now: now))
        var context = TransferContext(
            now: now, rules: .play(retries: 1), random: SeededRandom(seed: 1))
        var rest = answers[...]
        var orders: [ExchangeOrder] = []
        var buffer: [UInt8] = []
        var event = TransferEvent.begin
        while true {
            switch job.handle(event, in: &context) {
            case .exchange(let order):
                guard let answer = rest.popFirst() else { throw PlayError(order.title) }
                orders.append(order)
                event = answer(order, &buffer)
            case .wait: event = .woken
            case .finish(let outcome): return (outcome, orders)
            case .stopRun: return (nil, orders)
            default: throw PlayError("a HEAD needs nothing but an exchange")
            }
        }
    }

    @Test func tellsWhatWouldBeCopied() throws {
        let (outcome, orders) = try inspect([shows(TestObject("hello"))])
        #expect(outcome?.kind == .copied)
        #expect(outcome?.sizeBytes == 5)
        #expect(outcome?.proof == nil)
        #expect(orders.map(\.title) == ["source HeadObject"])
    }

    @Test func tellsWhatIsGone() throws {
        #expect(try inspect([refuses(404)]).0?.kind == .skippedSource)
    }

    @Test func triesAgain() throws {
        #expect(try inspect([breaks(), shows(TestObject("x"))]).0?.kind == .copied)
        #expect(try inspect([refuses(503), reply(200)]).0?.failure?.words == "get bad-answer")
        #expect(try inspect([refuses(403)]).0?.failure?.words == "get denied")
        #expect(try inspect([refuses(301)]).0 == nil)
    }
}
