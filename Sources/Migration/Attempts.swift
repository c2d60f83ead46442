//! What has failed so far of one job, and what is to be done about the next failure.

internal import S3

/// Counts the failures of a job; the policy decides by them.
struct Attempts: Sendable {
    /// Failures of the present step in a row.
    var ofStep = 0
    /// Failures of all steps together.
    private(set) var count = 0

    init(count: Int = 0) {
        self.count = count
    }

    mutating func verdict(
        for fault: Fault, in context: inout TransferContext
    ) -> RetryPolicy.Verdict {
        guard !fault.isForgiven else {
            return .again(after: context.rules.retries.forgivenDelay(random: &context.random))
        }
        count += 1
        ofStep += 1
        return context.rules.retries.verdict(
            for: fault, attempt: ofStep, random: &context.random)
    }

    func failure(_ stage: Stage, _ fault: Fault, ourETag: ETag? = nil) -> Failure {
        Failure(
            stage: stage, faultClass: fault.faultClass, status: fault.status, code: fault.code,
            attempts: count, ourETag: ourETag, message: fault.message)
    }
}

extension Fault {
    init(_ fault: TransportFault) {
        self.init(fault.faultClass, message: fault.message)
        isForgiven = fault.isForgiven
    }

    /// After a complaint about the time, the server's clock is the one to sign by.
    func clock(at stage: Stage) -> ServerClock? {
        guard faultClass == .skew, let now = serverNow else { return nil }
        return ServerClock(side: stage.side, now: now)
    }
}
