//! An upload of an earlier run that this one had no use for, as a job of its own.

/// Aborts one upload and takes it off the books. An upload that cannot be aborted stays on them.
public struct UploadCleanup: Sendable {
    private var cancellation: UploadCancellation
    private var attempts = Attempts()
    private var warning: String?

    /// - Parameter others: as in `UploadCancellation`.
    public init(_ record: UploadRecord, bucket: String, others: [UploadRecord] = []) {
        cancellation = UploadCancellation(record, bucket: bucket, others: others)
    }

    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        switch event {
        case .begin, .woken: return perform(cancellation.begin(), in: &context)
        case .answered(let result):
            return perform(cancellation.answered(result.response), in: &context)
        case .broken(let fault): return perform(.failed(Fault(fault)), in: &context)
        case .recorded: return .finishCleanup(warning: warning)
        default: preconditionFailure("\(event) does not fit a cleanup")
        }
    }

    private mutating func perform(
        _ action: UploadCancellation.Action, in context: inout TransferContext
    ) -> TransferAction {
        switch action {
        case .exchange(let order): return .exchange(order)
        case .done: return .record(ended)
        case .unsure(let text):
            warning = text
            return .record(ended)
        case .failed(let fault): return failed(fault, in: &context)
        }
    }

    private var ended: UploadRecord {
        var record = cancellation.record
        record.state = .ended
        return record
    }

    private mutating func failed(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            return .wait(until: context.now + delay, clock: fault.clock(at: .abort))
        case .giveUp, .stopRun:
            let key = KeyListLine.escaped(cancellation.record.key)
            return .finishCleanup(
                warning: "the upload of \(key) could not be aborted: \(fault.message)")
        }
    }
}
