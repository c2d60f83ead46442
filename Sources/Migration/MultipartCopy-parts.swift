//! A multipart copy's middle: which parts are there, which have to be copied, and what came of them.

internal import S3

extension MultipartCopy {
    // MARK: - What an earlier run has sent

    mutating func listParts(in context: TransferContext, after number: Int = 0) -> TransferAction {
        step = .listingParts(after: number)
        return ask(
            .target,
            ListParts.request(
                bucket: targetBucket, key: item.key, uploadID: record?.uploadID ?? "",
                after: number))
    }

    mutating func answeredParts(
        _ response: Response, after number: Int, in context: inout TransferContext
    ) -> TransferAction {
        if response.status == 404, RetryPolicy.fault(of: response).faultClass != .fatal {
            return uploadGone(
                Fault(.server, status: 404, message: "the target has lost the upload"),
                in: &context)
        }
        let answer: ListParts.Answer
        do throws(S3Error) {
            answer = try ListParts.answer(response, to: asked)
        } catch {
            let fault =
                response.status == 200 ? RetryPolicy.fault(error) : RetryPolicy.fault(of: response)
            return failed(
                .listParts, at: .listParts(after: number), with: fault, in: &context)
        }
        attempts.ofStep = 0
        for part in answer.parts { take(part) }
        if let next = answer.next { return listParts(in: context, after: next) }
        return copyParts(in: &context)
    }

    /// A part counts if it has its place's size, and what Complete has to say of it.
    private mutating func take(_ part: ListParts.Part) {
        guard (1...plan.count).contains(part.number) else { return }
        let bytes = plan.bytes(of: part.number)
        guard part.sizeBytes == bytes.upperBound - bytes.lowerBound else { return }
        // Only CRC32C has to be told again when the upload is completed.
        guard record?.digest != .crc32c || part.digest != nil else { return }
        receipts[part.number] = PartReceipt(etag: part.etag, digest: part.digest)
    }

    // MARK: - To the workers and back

    /// Has the workers copy what is missing, and read once more what may have been damaged on its way.
    mutating func copyParts(in context: inout TransferContext) -> TransferAction {
        let known = isWordTaken(in: context) ? [:] : receipts
        let numbers = (1...plan.count).filter { receipts[$0] == nil || known[$0] != nil }
        guard !numbers.isEmpty else { return partsAreThere(in: &context) }
        return park(numbers, known: known)
    }

    /// Whether a part that is found is what was sent. A target that checks no digest keeps one that was damaged on its
    /// way to it; who sent it saw that by its ETag, or was killed before.
    private func isWordTaken(in context: TransferContext) -> Bool {
        record?.digest != .md5 || context.rules.target.partDigest != nil
    }

    private mutating func park(_ numbers: [Int], known: [Int: PartReceipt] = [:]) -> TransferAction
    {
        step = .copyingParts
        return .park(
            .forParts(
                PartsOrder(
                    item: item, facts: facts, uploadID: record?.uploadID ?? "", plan: plan,
                    digest: record?.digest, numbers: numbers, known: known)))
    }

    mutating func partsEnded(
        _ report: PartsReport, in context: inout TransferContext
    ) -> TransferAction {
        let isRepeated = report.receipts.allSatisfy { receipts[$0.key] == $0.value }
        receipts.merge(report.receipts) { _, new in new }
        switch report.problem {
        case nil, .copied:
            wasDownloaded = true
            // Of what was sent again there is one reading only.
            if !isRepeated { wasReadTwice = false }
            return partsAreThere(in: &context)
        case .changed(let message):
            return readAgain(message, in: &context)
        case .uploadGone(let failure):
            return uploadGone(Fault(failure), in: &context)
        case .sizeRefused(let failure):
            return sizeRefused(failure, in: &context)
        case .failed(let failure):
            return giveUp(failure, in: &context)
        }
    }

    // MARK: - Before Complete

    /// The ETag that the target must give the object; nil where its parts' ETags are no MD5s.
    var expectedETag: ETag? {
        let digests = (1...plan.count).compactMap { receipts[$0]?.etag.md5 }
        return digests.count == plan.count ? .composite(ofPartMD5s: digests) : nil
    }

    mutating func partsAreThere(in context: inout TransferContext) -> TransferAction {
        let expected = expectedETag
        // Parts without a digest were sent for their ETags' sake, also where the source does not tell its layout today.
        let isUncovered = layout == .told || record?.digest == nil
        let isDoubtful =
            isUncovered && expected != facts.etag && expected != nil
            && context.rules.target.partETagIsMD5 && !facts.isServerEncryptedWithKey
        if isDoubtful, !wasReadTwice {
            // Damaged on its way, or an ETag that is none of MD5s: a second reading tells.
            guard doubts < Limits.restartsMax else { return unsteady(in: &context) }
            doubts += 1
            wasReadTwice = true
            return park(Array(1...plan.count), known: receipts)
        }
        proof = proofOfParts(expected, in: context)
        guard var record else { preconditionFailure("parts without an upload") }
        record.state = .completing
        record.targetETag = expected
        record.proof = proof
        self.record = record
        return write(record, then: .recheckSource)
    }

    private mutating func unsteady(in context: inout TransferContext) -> TransferAction {
        let fault = Fault(.mismatch, message: "the source sends other bytes at each reading")
        return giveUp(attempts.failure(.get, fault), in: &context)
    }

    private func proofOfParts(_ expected: ETag?, in context: TransferContext) -> Proof {
        if let expected, expected == facts.etag { return .etag }
        if wasReadTwice { return .md5 }
        switch record?.digest {
        case .crc32c, .crc64nvme: return .crc
        case .sha256: return .sha256
        case .md5: return .md5
        case nil: return .size
        }
    }

    // MARK: - When the upload cannot be used

    /// The target expired the upload, or somebody completed or aborted it.
    mutating func uploadGone(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        guard restarts < Limits.restartsMax else {
            return giveUp(attempts.failure(.part, fault), in: &context)
        }
        restarts += 1
        return abandonUpload(then: .startOver, in: &context)
    }

    private mutating func sizeRefused(
        _ failure: Failure, in context: inout TransferContext
    ) -> TransferAction {
        guard mayUseOwnLayout(in: context) else {
            var failure = failure
            failure.message += " (a part of \(plan.partBytes) bytes; see --part-size)"
            return giveUp(failure, in: &context)
        }
        return useOwnLayout(in: &context)
    }

    /// Whether the parts are not ours already: the source's, or those of an upload that an earlier run began.
    func mayUseOwnLayout(in context: TransferContext) -> Bool {
        !mustUseOwnLayout
            && plan != .ours(sizeBytes: facts.sizeBytes, partBytes: context.rules.partBytes)
    }

    /// The source's parts are not what this target takes: then its ETag cannot be had either.
    mutating func useOwnLayout(in context: inout TransferContext) -> TransferAction {
        mustUseOwnLayout = true
        layout = .own
        plan = .ours(sizeBytes: facts.sizeBytes, partBytes: context.rules.partBytes)
        return abandonUpload(then: .startOver, in: &context)
    }

    /// The source's object is another one now: nothing of the old may be mixed with it.
    mutating func readAgain(
        _ message: String, in context: inout TransferContext
    ) -> TransferAction {
        restarts += 1
        attempts.ofStep = restarts - 1
        return failed(.get, at: .readAgain, with: Fault(.changed, message: message), in: &context)
    }

    /// What was read twice says nothing of parts that are sent anew.
    mutating func forgetParts() {
        receipts = [:]
        wasReadTwice = false
    }

    // MARK: - Aborting

    /// Aborts our upload, if there is one, and goes on.
    mutating func abandonUpload(
        then next: AfterCancelling, in context: inout TransferContext
    ) -> TransferAction {
        guard let record else { return goOn(next, in: &context) }
        if createsUnheard > 1 { return writeUnheard(record, then: .abandon(next)) }
        if mayHaveCompleted, record.state == .completing { pastCompletion = record }
        self.record = nil
        forgetParts()
        // Where every Create was refused there is nothing to look for: what could be found is somebody else's.
        guard record.uploadID != nil || createsUnheard > 0 else {
            return cancelled(record, then: next)
        }
        createsUnheard = 0
        return cancel(record, then: next)
    }

    mutating func cancel(
        _ record: UploadRecord, then next: AfterCancelling
    ) -> TransferAction {
        let others = earlier + leftBehind + [self.record].compactMap(\.self)
        return perform(
            UploadCancellation(record, bucket: targetBucket, others: others), then: next)
    }

    mutating func perform(
        _ cancellation: UploadCancellation, then next: AfterCancelling
    ) -> TransferAction {
        var cancellation = cancellation
        let action = cancellation.begin()
        step = .cancelling(cancellation, then: next)
        guard case .exchange(let order) = action else {
            preconditionFailure("a cancellation begins with a question")
        }
        return .exchange(order)
    }

    mutating func answeredCancel(
        _ response: Response, _ cancellation: UploadCancellation, then next: AfterCancelling,
        in context: inout TransferContext
    ) -> TransferAction {
        var cancellation = cancellation
        switch cancellation.answered(response) {
        case .exchange(let order):
            step = .cancelling(cancellation, then: next)
            return .exchange(order)
        case .done:
            return cancelled(cancellation.record, then: next)
        case .unsure(let warning):
            warnings.append(warning)
            return cancelled(cancellation.record, then: next)
        case .failed(let fault):
            return cancelFailed(cancellation, fault, then: next, in: &context)
        }
    }

    private mutating func cancelled(
        _ record: UploadRecord, then next: AfterCancelling
    ) -> TransferAction {
        attempts.ofStep = 0
        var record = record
        record.state = .ended
        return write(record, then: .cancelled(next))
    }

    /// An upload that cannot be aborted stays on the books, for `cancel` or the next run; it is no reason to fail.
    mutating func cancelFailed(
        _ cancellation: UploadCancellation, _ fault: Fault, then next: AfterCancelling,
        in context: inout TransferContext
    ) -> TransferAction {
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            step = .backingOff(then: .cancel(cancellation, then: next))
            return .wait(until: context.now + delay, clock: fault.clock(at: .abort))
        case .giveUp:
            attempts.ofStep = 0
            leftBehind.append(cancellation.record)
            return goOn(next, in: &context)
        case .stopRun:
            step = .finished
            return .stopRun(attempts.failure(.abort, fault))
        }
    }

    /// What comes after an upload was aborted.
    mutating func goOn(
        _ next: AfterCancelling, in context: inout TransferContext
    ) -> TransferAction {
        switch next {
        case .upload: return upload(in: context)
        case .startOver: return checkTarget(in: context)
        case .conclude(let outcome): return conclude(outcome, in: context)
        case .readAgain:
            step = .finished
            return .become(
                .transfer(
                    Transfer(
                        again: item.with(earlierUploads: completedBefore + earlier + leftBehind),
                        begun: begun, now: context.now, restarts: restarts, attempts: attempts.count
                    )))
        }
    }
}
