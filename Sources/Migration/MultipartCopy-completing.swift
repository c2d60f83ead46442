//! A multipart copy's last third: Complete, whose object the target shows, the tags, and the end.

internal import S3

extension MultipartCopy {
    // MARK: - Before Complete

    /// A client's delete must not be undone by an object that took hours.
    mutating func recheckSource(in context: TransferContext) -> TransferAction {
        step = .recheckingSource
        askedAt = context.now
        return ask(
            .source, HeadObject.request(bucket: context.rules.sourceBucket, key: item.key))
    }

    mutating func answeredRecheck(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200:
            guard let now = try? HeadObject.answer(response, to: asked), facts.isSameObject(as: now)
            else { return sourceGone("the object changed while it was copied", in: &context) }
            // The failures of Complete go on being counted, since this is asked before each.
            recheckCount += 1
            // A HEAD that took its time tells of the past; but a source that is always slow has to be believed.
            let isStale = context.now - askedAt > Limits.sourceFreshFor
            return isStale && recheckCount < Limits.rechecksMax
                ? recheckSource(in: context) : checkAgain(in: context)
        case 404:
            // A HEAD's answer has no body that could say what is missing; the GET's has.
            return sourceGone("the object vanished while it was copied", in: &context)
        default:
            return failed(
                .recheck, at: .recheckSource, with: RetryPolicy.fault(of: response), in: &context)
        }
    }

    /// A Complete of ours may have come before it: then the copy was made while there was something to copy.
    private mutating func sourceGone(
        _ message: String, in context: inout TransferContext
    ) -> TransferAction {
        mayHaveCompleted ? settle(in: context) : readAgain(message, in: &context)
    }

    /// Takes the place of the condition where the target ignores it on Complete.
    private mutating func checkAgain(in context: TransferContext) -> TransferAction {
        guard context.rules.completeCondition(for: place) == nil else {
            return complete(in: context)
        }
        step = .checkingAgain
        return headTarget(in: context)
    }

    mutating func answeredCheckAgain(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200 where isStillThere(response): return complete(in: context)
        case 200: return gotFound(response, at: .recheckSource, in: &context)
        case 404 where RetryPolicy.fault(of: response).faultClass != .fatal:
            place = .free
            return complete(in: context)
        default:
            return failed(
                .head, at: .recheckSource, with: RetryPolicy.fault(of: response), in: &context)
        }
    }

    // MARK: - Complete

    private mutating func complete(in context: TransferContext) -> TransferAction {
        step = .completing
        recheckCount = 0
        shownAt = context.now
        let parts = (1...plan.count).compactMap { number in
            receipts[number].map {
                CompleteMultipartUpload.Part(number: number, etag: $0.etag, digest: $0.digest)
            }
        }
        asked = CompleteMultipartUpload.request(
            bucket: targetBucket, key: item.key, uploadID: record?.uploadID ?? "", parts: parts,
            condition: context.rules.completeCondition(for: place) ?? .none)
        var order = ExchangeOrder(.target, asked)
        order.patience = Limits.completePatience
        return .exchange(order)
    }

    mutating func answeredComplete(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let fault: Fault
        if (200..<300).contains(response.status) {
            do throws(S3Error) {
                let answer = try CompleteMultipartUpload.answer(response, to: asked)
                attempts.ofStep = 0
                return completed(answer.etag, in: context)
            } catch {
                // The head was sent before the target knew how it would end.
                fault = RetryPolicy.fault(error)
            }
        } else {
            fault = RetryPolicy.fault(of: response)
        }
        return refusedComplete(response.status, fault, in: &context)
    }

    private mutating func refusedComplete(
        _ status: Int, _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        switch (status, fault.code) {
        case (412, _), (_, "PreconditionFailed"): return settle(in: context)
        case (404, "NoSuchUpload"), (404, "NoSuchKey"), (200, "NoSuchUpload"):
            // Ours may have ended it, and its answer been lost.
            isUploadGone = true
            return settle(in: context)
        case (409, _):
            // The upload is of no use after a conflict (API reference, CompleteMultipartUpload).
            return uploadGone(fault, in: &context)
        case (_, "InvalidPart") where invalidParts < Limits.restartsMax:
            invalidParts += 1
            forgetParts()
            return listParts(in: context)
        case (_, "EntityTooSmall") where mayUseOwnLayout(in: context):
            return useOwnLayout(in: &context)
        default:
            if status >= 500 || status < 300 { mayHaveCompleted = true }
            return failed(.complete, at: .complete, with: fault, in: &context)
        }
    }

    private mutating func completed(
        _ etag: ETag?, in context: TransferContext
    ) -> TransferAction {
        mayHaveCompleted = true
        written = etag
        // Some targets answer Complete with another ETag (rclone), or none (Ceph), than they show from then on.
        guard etag == facts.etag, !wantsToSeeMetadata else { return measure(in: context) }
        return proved(in: context)
    }

    /// Whether the target calls the object what its parts lead to expect.
    private func isExpected(_ etag: ETag) -> Bool {
        isSources(etag) || etag == record?.targetETag
    }

    /// Whether it is the source's ETag, and tells of the bytes: one that all objects have is anybody's.
    private func isSources(_ etag: ETag) -> Bool { etag == facts.etag && etag.isDigest }

    // MARK: - Whose object is it?

    mutating func settle(in context: TransferContext) -> TransferAction {
        step = .settling
        return headTarget(in: context)
    }

    mutating func answeredSettle(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200: return gotFound(response, at: .settle, in: &context)
        case 404 where RetryPolicy.fault(of: response).faultClass != .fatal:
            let fault = Fault(
                .conflict, status: 404,
                message: "the target has neither the upload nor the object")
            if case .taken = place, !isUploadGone {
                // What was to be replaced is gone.
                place = .free
                return recheckSource(in: context)
            }
            // A Complete whose answer was lost may still be going on.
            if mayHaveCompleted, attempts.ofStep < Limits.completeLooksMax {
                return failed(.settle, at: .settle, with: fault, in: &context)
            }
            return uploadGone(fault, in: &context)
        default:
            return failed(
                .settle, at: .settle, with: RetryPolicy.fault(of: response), in: &context)
        }
    }

    private mutating func gotFound(
        _ response: Response, at retry: Retry, in context: inout TransferContext
    ) -> TransferAction {
        guard let found = found(response, in: context) else {
            let fault = Fault(.badAnswer, status: 200, message: "HEAD tells no size")
            return failed(.settle, at: retry, with: fault, in: &context)
        }
        attempts.ofStep = 0
        return judge(found, in: &context)
    }

    /// The target has an object of this key: ours, whose Complete was answered to nobody, or another's.
    mutating func judge(
        _ found: ObjectFacts, in context: inout TransferContext
    ) -> TransferAction {
        if let earlier = ourCompletion(of: found) {
            record = earlier.state == .completed ? nil : earlier
            proof = earlier.proof
            written = found.etag
            isOfEarlierCreate = true
            seeMetadata(found)
            return proved(in: context)
        }
        if context.rules.isResumed, record == nil, isWhatOursWouldBe(found) {
            (written, proof) = (found.etag, .etag)
            isOfEarlierCreate = true
            seeMetadata(found)
            return proved(in: context)
        }
        if restarts == 0, record == nil, isAnOlderCopyOfOurs(found) {
            // The source has another object than the one that was copied, or has answered wrongly once.
            restarts += 1
            return abandonUpload(then: .readAgain, in: &context)
        }
        let comparison = facts.comparison(with: found)
        if let place = place(of: found, comparison, in: context) {
            return take(place, in: &context)
        }
        let outcome = Outcome(
            .skippedTarget, sizeBytes: facts.sizeBytes, etag: found.etag, proof: comparison)
        return abandonUpload(then: .conclude(outcome), in: &context)
    }

    /// Whether an earlier run made what was found, out of another object than this one seems to be.
    private func isAnOlderCopyOfOurs(_ found: ObjectFacts) -> Bool {
        (earlier + completedBefore).contains { record in
            [.completing, .completed].contains(record.state) && found.etag != nil
                && record.targetETag == found.etag
        }
    }

    /// A run that was killed may have ended an upload without a log that tells so; then the object there has the very
    /// ETag that we would have written.
    private func isWhatOursWouldBe(_ found: ObjectFacts) -> Bool {
        guard let etag = facts.etag, etag.partCount != nil, !etag.isPlaceholder else {
            return false
        }
        return found.etag == etag && found.sizeBytes == facts.sizeBytes
    }

    /// The Complete of ours, of this run or an earlier one, that made what was found.
    private mutating func ourCompletion(of found: ObjectFacts) -> UploadRecord? {
        func made(_ record: UploadRecord) -> Bool {
            guard [.completing, .completed].contains(record.state), record.isOf(facts),
                let etag = found.etag,
                found.sizeBytes == facts.sizeBytes
            else { return false }
            return etag == record.targetETag || isSources(etag)
        }
        if let record, mayHaveCompleted, made(record) { return record }
        if let pastCompletion, made(pastCompletion) { return pastCompletion }
        if let index = earlier.firstIndex(where: made) { return earlier.remove(at: index) }
        return completedBefore.first(where: made)
    }

    // MARK: - The object as the target shows it

    mutating func measure(in context: TransferContext) -> TransferAction {
        step = .measuring
        return headTarget(in: context)
    }

    mutating func answeredMeasure(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        // Whoever deleted our object since then wanted it deleted.
        if response.status == 404, RetryPolicy.fault(of: response).faultClass != .fatal {
            return superseded(in: context)
        }
        guard response.status == 200, let seen = try? HeadObject.answer(response, to: asked) else {
            return failed(
                .settle, at: .measure, with: RetryPolicy.fault(of: response), in: &context)
        }
        if let etag = seen.etag, isExpected(etag) {
            written = etag
            seeMetadata(seen)
            // Of the whole, which is more than the parts could say.
            if isSources(etag) { proof = .etag }
            return proved(in: context)
        }
        return judgeStrange(seen, in: context)
    }

    /// The object has another ETag than its parts lead to expect: somebody has written since then, or the target does
    /// not compute ETags as S3 does, and shows the MD5 of the whole (rclone).
    private mutating func judgeStrange(
        _ seen: ObjectFacts, in context: TransferContext
    ) -> TransferAction {
        if seen.etag != nil, seen.etag == written {
            seeMetadata(seen)
            // What we were told: the target has a way of its own to name objects.
            guard seen.sizeBytes != facts.sizeBytes else { return provedByParts(in: context) }
            let failure = Failure(
                stage: .complete, faultClass: .damaged, attempts: attempts.count, ourETag: written,
                message: "the target shows \(seen.sizeBytes) bytes of \(facts.sizeBytes)")
            return conclude(
                Outcome(.failed, sizeBytes: facts.sizeBytes, etag: written, failure: failure),
                in: context)
        }
        let isWholeMD5 =
            seen.sizeBytes == facts.sizeBytes && seen.etag?.md5 != nil && facts.etag?.md5 == nil
        // What was proved was right; another object than that is somebody else's.
        guard isWholeMD5, written != nil, !wasProved, mayBeOfTheWhole(seen, in: context) else {
            return superseded(in: context)
        }
        written = seen.etag
        seeMetadata(seen)
        return provedByParts(in: context)
    }

    /// Of a single part we know the MD5, which is that of the whole: another one is somebody else's.
    private func mayBeOfTheWhole(_ seen: ObjectFacts, in context: TransferContext) -> Bool {
        guard plan.count == 1, context.rules.target.partETagIsMD5,
            let sent = receipts[1]?.etag.md5
        else { return true }
        return seen.etag?.md5 == sent
    }

    private mutating func provedByParts(in context: TransferContext) -> TransferAction {
        claimPartsAlone()
        return proved(in: context)
    }

    /// The parts agree with the source, but the target itself does not say so.
    private mutating func claimPartsAlone() {
        guard proof == .etag else { return }
        proof = .md5
        isProofOfSource = true
    }

    // MARK: - Tags, and the end

    private mutating func proved(in context: TransferContext) -> TransferAction {
        wasProved = true
        guard !tags.isEmpty else { return copied(in: context) }
        switch context.rules.target.multipartTagging {
        case .onPut: return copied(in: context)
        case .afterwards: return putTags(in: context)
        case .none:
            losses.insert(.tags)
            return copied(in: context)
        }
    }

    mutating func putTags(in context: TransferContext) -> TransferAction {
        step = .puttingTags
        return ask(
            .target,
            PutObjectTagging.request(bucket: targetBucket, key: item.key, tags: tags))
    }

    mutating func answeredPutTags(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let fault: Fault
        switch response.status {
        case 200..<300:
            do throws(S3Error) {
                try PutObjectTagging.answer(response, to: asked)
                return copied(in: context)
            } catch {
                fault = RetryPolicy.fault(error)
            }
        default:
            fault = RetryPolicy.fault(of: response)
        }
        guard fault.faultClass.concernsTheTags else {
            return failed(.putTags, at: .putTags, with: fault, in: &context)
        }
        losses.insert(.tags)
        return copied(in: context)
    }

    /// The copy was made, and somebody has deleted or replaced it since then: it is theirs, and so are its tags.
    private mutating func superseded(in context: TransferContext) -> TransferAction {
        if written != facts.etag { claimPartsAlone() }
        if !tags.isEmpty, context.rules.target.multipartTagging == .afterwards {
            losses.insert(.tags)
        }
        return copied(in: context)
    }

    private mutating func copied(in context: TransferContext) -> TransferAction {
        let claimed = context.rules.proof(proof, sizeBytes: facts.sizeBytes)
        var outcome = Outcome(
            .copied, sizeBytes: facts.sizeBytes, etag: written,
            proof: isProofOfSource ? proof : claimed, losses: losses)
        outcome.isReplacement = place.isReplaced
        return conclude(outcome, in: context)
    }

    /// Takes what has ended off the books, and ends. Our own object's upload comes last: until then its line tells
    /// the next run whose object the target shows.
    mutating func conclude(_ outcome: Outcome, in context: TransferContext) -> TransferAction {
        if outcome.kind != .failed, let other = earlier.popLast() {
            return cancel(other, then: .conclude(outcome))
        }
        guard var record, outcome.kind == .copied || outcome.failure?.faultClass == .damaged else {
            return finish(outcome, in: context)
        }
        record.state = outcome.kind == .copied ? .completed : .ended
        self.record = nil
        return write(record, then: .conclude(outcome))
    }
}
