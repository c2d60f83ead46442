//! What a multipart copy does when a request fails: again after a while, give up, or stop the run.

internal import S3

extension MultipartCopy {
    /// The stage and the place to begin again for a connection that broke in this step.
    private var whereBroken: (Stage, Retry) {
        switch step {
        case .askingLayout: (.layout, .askLayout)
        case .checkingTarget: (.head, .checkTarget)
        case .cancelling(let cancellation, let next): (.abort, .cancel(cancellation, then: next))
        case .creating: (.create, .create)
        case .listingParts(let number): (.listParts, .listParts(after: number))
        case .recheckingSource: (.recheck, .recheckSource)
        case .checkingAgain: (.head, .recheckSource)
        case .completing: (.complete, .complete)
        case .settling: (.settle, .settle)
        case .measuring: (.settle, .measure)
        case .puttingTags: (.putTags, .putTags)
        case .idle, .awaitingTurn, .recording, .copyingParts, .backingOff, .finished:
            preconditionFailure("no exchange can break in the step \(step)")
        }
    }

    mutating func broken(
        _ fault: TransportFault, in context: inout TransferContext
    ) -> TransferAction {
        let (stage, retry) = whereBroken
        switch step {
        case .cancelling(let cancellation, let next):
            return cancelFailed(cancellation, Fault(fault), then: next, in: &context)
        case .creating where fault.kind == .unsendable:
            return failedCreate(Fault(fault), in: &context)
        // Their answers may be what was lost.
        case _ where fault.hadNoEffect: break
        case .creating: createsUnheard += 1 + fault.timesResent
        case .completing: mayHaveCompleted = true
        default: break
        }
        return failed(stage, at: retry, with: Fault(fault), in: &context)
    }

    mutating func failed(
        _ stage: Stage, at retry: Retry, with fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            step = .backingOff(then: retry)
            return .wait(until: context.now + delay, clock: fault.clock(at: stage))
        case .stopRun:
            step = .finished
            return .stopRun(attempts.failure(stage, fault, ourETag: written))
        case .giveUp:
            return giveUp(attempts.failure(stage, fault, ourETag: written), in: &context)
        }
    }

    /// The object fails. Its upload is aborted if no later pass could do better, and else kept for that.
    mutating func giveUp(
        _ failure: Failure, in context: inout TransferContext
    ) -> TransferAction {
        let outcome = Outcome(
            .failed, sizeBytes: facts.sizeBytes, losses: losses, failure: failure)
        guard failure.faultClass.isForGood, !mayHaveCompleted else {
            return finish(outcome, in: context)
        }
        return abandonUpload(then: .conclude(outcome), in: &context)
    }

    mutating func begin(_ retry: Retry, in context: inout TransferContext) -> TransferAction {
        switch retry {
        case .askLayout: return beginning(in: context)
        case .checkTarget: return checkTarget(in: context)
        case .cancel(let cancellation, let next): return perform(cancellation, then: next)
        case .create: return createAgain(in: context)
        case .listParts(let number): return listParts(in: context, after: number)
        // What is done before Complete is done again after a wait.
        case .recheckSource, .complete: return recheckSource(in: context)
        case .settle: return settle(in: context)
        case .measure: return measure(in: context)
        // Tags have no condition: while we waited, somebody else may have written the key.
        case .putTags where context.now - shownAt > Limits.sourceFreshFor:
            return measure(in: context)
        case .putTags: return putTags(in: context)
        case .readAgain: return abandonUpload(then: .readAgain, in: &context)
        }
    }
}

extension FaultClass {
    /// Whether a later pass would meet the same.
    var isForGood: Bool {
        switch self {
        case .refused, .denied, .archived, .tooLarge, .damaged, .changed, .badAnswer: true
        case .missing, .size, .etag, .content, .metadata, .tags: true
        case .transport, .stalled, .tls, .throttled, .server, .skew, .expired, .conflict, .mismatch,
            .fatal:
            false
        }
    }
}

extension Fault {
    /// What failed at a part, for those who decide about the whole.
    init(_ failure: Failure) {
        self.init(
            failure.faultClass, status: failure.status, code: failure.code,
            message: failure.message)
    }
}
