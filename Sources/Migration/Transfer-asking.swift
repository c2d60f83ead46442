//! A transfer's questions before it reads: has the target the object already, and is it the source's?

internal import S3

extension Transfer {
    /// Asks first where that may spare the reading: objects may be replaced, or most of them exist. What an earlier run
    /// has begun to upload is looked after by who copies the parts.
    mutating func beginning(in context: TransferContext) -> TransferAction {
        let isLikelyThere = context.rules.overwrite != .never || item.isLikelyThere
        guard isLikelyThere, item.earlierUploads.isEmpty else {
            return reserveForReading(in: context)
        }
        return askTarget(in: context)
    }

    mutating func askTarget(in context: TransferContext) -> TransferAction {
        step = .askingTarget
        return headTarget(in: context)
    }

    mutating func answeredAskTarget(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let fault = RetryPolicy.fault(of: response)
        switch response.status {
        case 200:
            guard let found = found(response, in: context) else {
                let fault = Fault(.badAnswer, status: 200, message: "HEAD tells no size")
                return failed(.head, at: .askTarget, with: fault, in: &context)
            }
            self.found = found
            return askSource(in: context)
        case 404 where fault.faultClass != .fatal:
            attempts.ofStep = 0
            return reserveForReading(in: context)
        // Who may not ask may still write, where nothing is to be replaced.
        case 403 where context.rules.overwrite == .never: return reserveForReading(in: context)
        default: return failed(.head, at: .askTarget, with: fault, in: &context)
        }
    }

    private mutating func askSource(in context: TransferContext) -> TransferAction {
        step = .askingSource
        askedAt = context.now
        return ask(
            .source, HeadObject.request(bucket: context.rules.sourceBucket, key: item.key))
    }

    /// What is not a clear yes is left to the GET, whose answer has words.
    mutating func answeredAskSource(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        attempts.ofStep = 0
        guard let found, response.status == 200,
            let source = try? HeadObject.answer(response, to: asked)
        else {
            place = found == nil ? .free : .rival
            return reserveForReading(in: context)
        }
        sourceWrite = WriteTime(
            source, date: response.date, asked: askedAt, answered: context.now)
        let comparison = source.comparison(with: found)
        // Where the tags differ but one of them is the MD5 of the bytes, those can tell.
        let needsBytes =
            comparison != .same && found.sizeBytes == source.sizeBytes && found.etag?.md5 != nil
        if needsBytes {
            place = .rival
            return reserveForReading(in: context)
        }
        return decide(comparison, source, found, in: context)
    }

    private mutating func decide(
        _ comparison: Proof, _ source: ObjectFacts, _ found: ObjectFacts,
        in context: TransferContext
    ) -> TransferAction {
        if comparison == .same, mayHaveWritten {
            return ownedBefore(source, found, in: context)
        }
        if let place = place(of: found, comparison, in: context) {
            self.place = place
            return reserveForReading(in: context)
        }
        return finish(
            Outcome(
                .skippedTarget, sizeBytes: source.sizeBytes, etag: found.etag, proof: comparison),
            in: context)
    }

    /// An earlier run may have written it: then it is a copy, if nothing of it is missing. Else the long way finds out.
    private mutating func ownedBefore(
        _ source: ObjectFacts, _ found: ObjectFacts, in context: TransferContext
    ) -> TransferAction {
        let isComplete =
            found.etag?.md5 != nil && found.metadata.holdsAll(of: source.metadata)
            && source.missingMetaCount == 0 && source.tagCount == 0
        guard isComplete else { return reserveForReading(in: context) }
        return finish(
            Outcome(.copied, sizeBytes: source.sizeBytes, etag: found.etag, proof: .etag),
            in: context)
    }

    // MARK: - What may be replaced

    /// Reads what the target shows, and when that was written; nil for an answer without a size.
    mutating func found(_ response: Response, in context: TransferContext) -> ObjectFacts? {
        guard let found = try? HeadObject.answer(response, to: asked) else { return nil }
        targetWrite = WriteTime(
            found, date: response.date, asked: shownAt, answered: context.now)
        return found
    }

    /// The place of the target's object, if it may be replaced.
    private func place(
        of found: ObjectFacts, _ comparison: Proof, in context: TransferContext
    ) -> Place? {
        let isOlder = sourceWrite.flatMap { targetWrite?.isSurelyBefore($0) } ?? false
        return context.rules.place(
            of: found, comparison, ourETag: item.damagedETag, isOlder: isOlder)
    }

    /// Takes the place of what was found, if that is allowed, or leaves it alone.
    mutating func replaceOrLeave(
        _ comparison: Proof, in context: inout TransferContext
    ) -> TransferAction {
        guard let found, let place = place(of: found, comparison, in: context) else {
            return skipped(comparison, in: &context)
        }
        replacementCount += 1
        guard replacementCount <= Limits.replacementsMax else {
            let fault = Fault(
                .conflict, status: 412,
                message: "the target's object changes whenever it is about to be replaced")
            return giveUp(attempts.failure(.put, fault, ourETag: written), in: context)
        }
        self.place = place
        return write(in: &context)
    }
}
