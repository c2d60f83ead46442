//! What is done with a key of the target's lists that belongs to the sample: the target is asked whether it is there.

internal import S3

/// Chooses the sample among the keys that both lists have: the first ones, then fewer and fewer.
///
/// The n-th of the sample is at about the place n² / 25, so that lists of the wrong folder show at once, five hundred
/// keys in ten thousand are asked for, and 50,000 in a hundred million.
struct ExistSampling: Sendable {
    private var taken = 0
    /// No key before this place belongs to it.
    private(set) var next = 0

    /// Whether the key of this place, counted from 0, belongs to it. Places come in order.
    mutating func takes(_ place: Int) -> Bool {
        guard place >= next else { return false }
        taken += 1
        next = max(place + 1, taken * taken / Limits.existSampleThinness)
        return true
    }
}

/// A HEAD of one object at the target, whose lists have it. Its outcome is `exist`, whatever the answer, with a proof
/// that tells the answer; an object is not failed for it.
public struct ListSample: Sendable {
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
        let request = HeadObject.request(bucket: context.rules.targetBucket, key: item.key)
        switch event {
        case .begin, .woken: return .exchange(ExchangeOrder(.target, request))
        case .answered(let result): return answered(result.response, request, in: &context)
        case .broken(let fault): return failed(Fault(fault), in: &context)
        default: preconditionFailure("\(event) does not fit a sample of the lists")
        }
    }

    private mutating func answered(
        _ response: Response, _ request: Request, in context: inout TransferContext
    ) -> TransferAction {
        if response.status == 200, let found = try? HeadObject.answer(response, to: request) {
            let outcome = Outcome(
                .exist, sizeBytes: found.sizeBytes, etag: found.etag, proof: proof(found))
            return finish(outcome, in: context)
        }
        let fault = RetryPolicy.fault(of: response)
        // An answer to HEAD has no body, so the bucket may be missing; the run's other requests will tell.
        if response.status == 404, fault.faultClass != .fatal {
            return finish(Outcome(.exist, proof: .missing), in: context)
        }
        return failed(fault, in: &context)
    }

    /// What the object is beside what the source's list says; nil where that says too little.
    private func proof(_ found: ObjectFacts) -> Proof? {
        if let listed = item.listedBytes, listed != found.sizeBytes { return .differs }
        guard let listed = item.listedETag, let etag = found.etag else { return nil }
        if listed == etag { return .same }
        return listed.md5 != nil && etag.md5 != nil ? .differs : nil
    }

    private mutating func failed(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            return .wait(until: context.now + delay, clock: fault.clock(at: .head))
        case .giveUp: return finish(Outcome(.exist), in: context)
        case .stopRun: return .stopRun(attempts.failure(.head, fault))
        }
    }

    private func finish(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        var outcome = outcome
        outcome.elapsed = context.now - begun
        return .finish(outcome)
    }
}
