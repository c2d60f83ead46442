//! What a transfer does when an exchange fails: again after a while, give up, or stop the run.

internal import S3

extension Transfer {
    /// The stage and the place to begin again for a connection that broke in this step.
    private var whereBroken: (Stage, Retry) {
        switch step {
        case .askingTarget: (.head, .askTarget)
        case .askingSource: (.recheck, .askTarget)
        case .reading: (.get, .read)
        case .readingTags: (.getTags, .readTags)
        case .checkingTarget: (.head, .write)
        case .recheckingSource: (.recheck, .write)
        case .putting: (.put, .write)
        case .settling: (.settle, .settle)
        case .measuring: (.settle, .measure)
        case .puttingTags: (.putTags, .putTags)
        case .idle, .reserving, .hashing, .backingOff, .finished:
            preconditionFailure("no exchange can break in the step \(step)")
        }
    }

    mutating func broken(
        _ fault: TransportFault, in context: inout TransferContext
    ) -> TransferAction {
        let (stage, retry) = whereBroken
        // The answer to a PUT may be what was lost.
        if step == .putting, fault.kind == .unsendable {
            return failedPut(Fault(fault), in: &context)
        }
        if step == .putting, !fault.hadNoEffect { mayHaveWritten = true }
        return failed(
            stage, at: retry, with: Fault(fault), in: &context)
    }

    mutating func failed(
        _ stage: Stage, at retry: Retry, with response: Response,
        in context: inout TransferContext
    ) -> TransferAction {
        failed(stage, at: retry, with: RetryPolicy.fault(of: response), in: &context)
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
            return giveUp(attempts.failure(stage, fault, ourETag: written), in: context)
        }
    }

    mutating func giveUp(_ failure: Failure, in context: TransferContext) -> TransferAction {
        let etag = failure.faultClass == .damaged ? failure.ourETag : nil
        return finish(
            Outcome(
                .failed, sizeBytes: facts?.sizeBytes, etag: etag, losses: losses, failure: failure),
            in: context)
    }

    mutating func begin(_ retry: Retry, in context: inout TransferContext) -> TransferAction {
        switch retry {
        case .askTarget: return askTarget(in: context)
        case .read: return reserveForReading(in: context)
        case .readTags: return readTags(in: &context)
        case .write: return write(in: &context)
        case .settle: return settle(in: context)
        case .measure: return measure(in: context)
        // Tags have no condition: while we waited, somebody else may have written the key.
        case .putTags where context.now - shownAt > Limits.sourceFreshFor:
            return measure(in: context)
        case .putTags: return putTags(in: context)
        }
    }
}

extension Stage {
    /// With which end the exchanges of this stage are.
    public var side: Side {
        switch self {
        case .get, .getTags, .layout, .recheck, .verifySource: .source
        case .head, .put, .create, .listParts, .part, .complete, .abort, .settle, .putTags,
            .verify, .verifyTarget:
            .target
        }
    }
}
