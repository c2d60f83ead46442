//! What a dry run does with an object: asks the source for it, and touches nothing.

internal import S3

/// A HEAD of one object at the source. Its outcome tells what a run would do.
public struct Inspection: Sendable {
    public let item: WorkItem
    private let begun: Instant
    private var attempts = Attempts()

    public init(item: WorkItem, now: Instant) {
        self.item = item
        self.begun = now
    }

    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        let request = HeadObject.request(bucket: context.rules.sourceBucket, key: item.key)
        switch event {
        case .begin, .woken: return .exchange(ExchangeOrder(.source, request))
        case .answered(let result): return answered(result.response, request, in: &context)
        case .broken(let fault): return failed(Fault(fault), in: &context)
        default: preconditionFailure("\(event) does not fit an inspection")
        }
    }

    private mutating func answered(
        _ response: Response, _ request: Request, in context: inout TransferContext
    ) -> TransferAction {
        if response.status == 404 { return finish(Outcome(.skippedSource), in: context) }
        guard response.status == 200 else {
            return failed(RetryPolicy.fault(of: response), in: &context)
        }
        do throws(S3Error) {
            let facts = try HeadObject.answer(response, to: request)
            return finish(
                Outcome(.copied, sizeBytes: facts.sizeBytes, etag: facts.etag), in: context)
        } catch {
            return failed(RetryPolicy.fault(error), in: &context)
        }
    }

    private mutating func failed(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        let verdict = attempts.verdict(for: fault, in: &context)
        let failure = attempts.failure(.get, fault)
        switch verdict {
        case .again(let delay): return .wait(until: context.now + delay, clock: nil)
        case .giveUp: return finish(Outcome(.failed, failure: failure), in: context)
        case .stopRun: return .stopRun(failure)
        }
    }

    private func finish(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        var outcome = outcome
        outcome.elapsed = context.now - begun
        return .finish(outcome)
    }
}
