//! A multipart copy's first third: the layout, the target's word that the key is free, the upload.

internal import S3

extension MultipartCopy {
    // MARK: - The layout

    mutating func beginning(in context: TransferContext) -> TransferAction {
        guard let etag = facts.etag, etag.partCount != nil, !etag.isPlaceholder,
            !mustUseOwnLayout
        else { return awaitTurn() }
        step = .askingLayout
        return ask(
            .source,
            HeadObject.request(
                bucket: context.rules.sourceBucket, key: item.key, partNumber: 1))
    }

    /// Servers that do not know part numbers answer with the whole object, or with any error.
    mutating func answeredLayout(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let fault = RetryPolicy.fault(of: response)
        if response.status >= 400, fault.faultClass == .throttled || fault.faultClass == .skew {
            return failed(.layout, at: .askLayout, with: fault, in: &context)
        }
        attempts.ofStep = 0
        guard let count = facts.etag?.partCount else { return awaitTurn() }
        let first = try? HeadObject.answer(response, to: asked)
        var told: PartPlan?
        if let first, first.partsCount == count {
            told = .told(
                sizeBytes: facts.sizeBytes, count: count, firstPartBytes: first.sizeBytes)
        }
        adopt(told, .told, in: context)
        if told == nil, first?.partsCount == nil {
            adopt(.guessed(sizeBytes: facts.sizeBytes, count: count), .guessed, in: context)
        }
        return awaitTurn()
    }

    /// Takes the source's layout, if there is one that we have the memory for.
    private mutating func adopt(_ plan: PartPlan?, _ layout: Layout, in context: TransferContext) {
        guard let plan, plan.partBytes <= context.rules.sourcePartBytesMax else { return }
        self.plan = plan
        self.layout = layout
    }

    private mutating func awaitTurn() -> TransferAction {
        step = .awaitingTurn
        return .park(.forTurn)
    }

    // MARK: - The target

    /// Before terabytes are sent, the target is asked whether it has the key.
    mutating func checkTarget(in context: TransferContext) -> TransferAction {
        guard plan.partBytes <= context.rules.claimBytesMax else {
            return finish(tooLarge(in: context), in: context)
        }
        step = .checkingTarget
        return headTarget(in: context)
    }

    private func tooLarge(in context: TransferContext) -> Outcome {
        let message =
            "an object of \(facts.sizeBytes) bytes needs parts of \(plan.partBytes) bytes, and buffers for "
            + "\(context.rules.claimBytesMax) are there: give more --memory"
        let failure = Failure(
            stage: .create, faultClass: .tooLarge, attempts: attempts.count, message: message)
        return Outcome(.failed, sizeBytes: facts.sizeBytes, failure: failure)
    }

    mutating func answeredCheck(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200:
            guard let found = found(response, in: context) else {
                let fault = Fault(.badAnswer, status: 200, message: "HEAD tells no size")
                return failed(.head, at: .checkTarget, with: fault, in: &context)
            }
            attempts.ofStep = 0
            return judge(found, in: &context)
        case 404 where RetryPolicy.fault(of: response).faultClass != .fatal:
            attempts.ofStep = 0
            place = .free
            targetDate = response.date
            datedAt = context.now
            return upload(in: context)
        default:
            return failed(
                .head, at: .checkTarget, with: RetryPolicy.fault(of: response), in: &context)
        }
    }

    // MARK: - The upload

    /// Goes on with an upload of an earlier run if it is of this very object, after aborting all that are not;
    /// else begins a new one.
    mutating func upload(in context: TransferContext) -> TransferAction {
        let useful = earlier.lastIndex { isUseful($0, in: context) }
        if let useless = earlier.indices.first(where: { $0 != useful }) {
            return cancel(earlier.remove(at: useless), then: .upload)
        }
        if let useful { return resume(earlier.remove(at: useful), in: context) }
        return intend(in: context)
    }

    mutating func intend(in context: TransferContext) -> TransferAction {
        var intent = UploadRecord(
            key: item.key, facts: facts, plan: plan, digest: digestWanted(in: context))
        intent.begunAt = targetDate.map { date in
            let elapsed = (context.now - datedAt).components.seconds
            return Timestamp(secondsSince1970: date.secondsSince1970 + elapsed)
        }
        record = intent
        intendedAt = context.now
        return write(intent, then: .create)
    }

    /// Creates once more. Where the first one may have been carried out, its intent stays on the books until somebody
    /// has looked for what it began.
    mutating func createAgain(in context: TransferContext) -> TransferAction {
        guard let record else { preconditionFailure("a Create without an intent") }
        guard createsUnheard > 0 else { return createUnder(record, in: context) }
        guard createsUnheard > 1 else {
            createsUnheard = 0
            earlier.append(record)
            return intend(in: context)
        }
        return writeUnheard(record, then: .createAgain)
    }

    /// Creates under an intent that stands for no upload yet. One that is old, since the target did not answer or asked
    /// for patience, is replaced: what is begun long after its intent is not found by it.
    private mutating func createUnder(
        _ intent: UploadRecord, in context: TransferContext
    ) -> TransferAction {
        guard context.now - intendedAt > Limits.intentFreshFor else { return create(in: context) }
        var old = intent
        old.state = .ended
        record = nil
        return write(old, then: .intend)
    }

    /// Puts one more line of the intent on the books, where each stands for an upload that it may have begun.
    mutating func writeUnheard(_ record: UploadRecord, then next: AfterRecord) -> TransferAction {
        createsUnheard -= 1
        earlier.append(record)
        return write(record, then: next)
    }

    private func isUseful(_ record: UploadRecord, in context: TransferContext) -> Bool {
        record.uploadID != nil && record.isOf(facts) && !mustUseOwnLayout
            && record.partBytes <= context.rules.claimBytesMax
            && PartPlan(sizeBytes: facts.sizeBytes, partBytes: record.partBytes).count
                <= PartPlan.countMax
    }

    private mutating func resume(
        _ earlier: UploadRecord, in context: TransferContext
    ) -> TransferAction {
        if earlier.partBytes != plan.partBytes { layout = .own }
        if earlier.state == .completing { mayHaveCompleted = true }
        plan = PartPlan(sizeBytes: facts.sizeBytes, partBytes: earlier.partBytes)
        record = earlier
        isUploadGone = false
        receipts = [:]
        isOfEarlierCreate = true
        return listParts(in: context)
    }

    /// Parts whose ETags will be compared with the source's need no digest; where the layout is a guess, they may not
    /// come out alike.
    private func digestWanted(in context: TransferContext) -> BodyDigest.Algorithm? {
        let target = context.rules.target
        if layout == .told, target.partETagIsMD5, !facts.isServerEncryptedWithKey { return nil }
        return target.partDigest ?? (target.partETagIsMD5 ? .md5 : nil)
    }

    mutating func create(in context: TransferContext) -> TransferAction {
        step = .creating
        isOfEarlierCreate = false
        let target = context.rules.target
        return ask(
            .target,
            CreateMultipartUpload.request(
                bucket: targetBucket, key: item.key, metadata: sentMetadata,
                tagging: target.multipartTagging == .onPut ? urlQuery(of: tags) : nil,
                digest: record?.digest))
    }

    mutating func answeredCreate(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let id: String
        do throws(S3Error) {
            id = try CreateMultipartUpload.answer(response, to: asked)
        } catch {
            let fault =
                (200..<300).contains(response.status)
                ? RetryPolicy.fault(error) : RetryPolicy.fault(of: response)
            if response.status < 300 || response.status >= 500 { createsUnheard += 1 }
            return failedCreate(fault, in: &context)
        }
        attempts.ofStep = 0
        return open(id)
    }

    /// More may have been begun than this one: their intents have to stay on the books.
    mutating func open(_ id: String) -> TransferAction {
        if createsUnheard > 0, let record { return writeUnheard(record, then: .open(id)) }
        guard var record else { preconditionFailure("an upload without an intent") }
        record.state = .open
        record.uploadID = id
        self.record = record
        isUploadGone = false
        receipts = [:]
        return write(record, then: .copyParts)
    }
}
