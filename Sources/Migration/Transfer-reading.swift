//! A transfer's first half: from the source into the buffer.

internal import S3

extension Transfer {
    /// Asks for room for what will be read next: the whole object once its size is known.
    mutating func reserveForReading(in context: TransferContext) -> TransferAction {
        step = .reserving
        let bytes = facts?.sizeBytes ?? firstRangeBytes(in: context)
        reservedBytes = max(bytes, 1)
        return .reserve(bytes: reservedBytes)
    }

    /// What the first GET asks for: what the list promises, if it promises more than the usual.
    private func firstRangeBytes(in context: TransferContext) -> Int64 {
        let listed = item.listedBytes ?? 0
        guard listed <= context.rules.wholeObjectBytesMax else { return Limits.firstRangeBytes }
        return max(Limits.firstRangeBytes, listed)
    }

    /// Asks the source for the bytes that are missing: ranged, and pinned to the object that was begun.
    mutating func read(in context: TransferContext) -> TransferAction {
        step = .reading
        askedAt = context.now
        let end = facts?.sizeBytes ?? firstRangeBytes(in: context)
        let isRanged = !ignoresRanges && end > received
        let request = GetObject.request(
            bucket: context.rules.sourceBucket, key: item.key,
            bytes: isRanged ? received..<end : nil, ifMatch: facts?.etag)
        return ask(
            .source, request,
            sink: .object(offset: received, capacity: max(reservedBytes, end) - received))
    }

    mutating func answeredRead(
        _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        switch result.response.status {
        case 200, 206: return gotBytes(result, in: &context)
        case 416: return gotNoRange(result.response, in: &context)
        case 404: return gotNothing(result.response, in: &context)
        case 412: return changed("the source says that the object changed (412)", in: &context)
        default: return failed(.get, at: .read, with: result.response, in: &context)
        }
    }

    /// An empty object has no first byte, so it is asked for whole; any other has become shorter.
    private mutating func gotNoRange(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        guard facts == nil, !ignoresRanges else {
            return changed("the object became shorter while it was read (416)", in: &context)
        }
        ignoresRanges = true
        return read(in: context)
    }

    /// Only the words "no such key" mean that the object is gone; any other 404 may be a wrong bucket or a proxy.
    private mutating func gotNothing(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        guard S3ErrorBody(response.body).code == "NoSuchKey" else {
            return failed(.get, at: .read, with: response, in: &context)
        }
        if case .taken(_, isOurs: true) = place {
            return leftDamaged(
                "our copy at the target is damaged, and the source has the object no more",
                in: context)
        }
        return finish(Outcome(.skippedSource), in: context)
    }

    private mutating func gotBytes(
        _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        let answer: GetObject.Answer
        do throws(S3Error) {
            answer = try GetObject.answer(result.response, to: asked)
        } catch {
            return failed(.get, at: .read, with: RetryPolicy.fault(error), in: &context)
        }
        if let facts, !facts.isSameObject(as: answer.facts) {
            return changed("the object changed while it was read", in: &context)
        }
        sourceWrite = WriteTime(
            answer.facts, date: result.response.date, asked: askedAt, answered: context.now)
        if movesInParts(answer.facts, isRanged: isRanged(result), in: context) {
            guard result.overflowed || isAsAsked(answer, result, in: context) else {
                return gotOtherBytes(answer, result, in: &context)
            }
            return takeApart(answer.facts, in: &context)
        }
        if result.overflowed { return gotTooMuch(answer, in: &context) }
        guard answer.bytes.lowerBound == received, answer.bytes.count == result.objectBytes else {
            return gotOtherBytes(answer, result, in: &context)
        }
        facts = answer.facts
        return took(result.objectBytes, in: &context)
    }

    private mutating func gotOtherBytes(
        _ answer: GetObject.Answer, _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        let message =
            "asked for bytes from \(received), got \(result.objectBytes) of \(answer.bytes) of "
            + "\(answer.facts.sizeBytes)"
        return failed(
            .get, at: .read,
            with: Fault(.badAnswer, status: result.response.status, message: message),
            in: &context)
    }

    private mutating func took(
        _ byteCount: Int64, in context: inout TransferContext
    ) -> TransferAction {
        guard let facts else { preconditionFailure("bytes without an object") }
        received += byteCount
        attempts.ofStep = 0
        guard received == facts.sizeBytes else { return reserveForReading(in: context) }
        wasDownloaded = true
        knownAt = askedAt
        bufferMD5 = nil
        if doubted != nil { return hash(for: .secondReading) }
        if facts.missingMetaCount > 0 { losses.insert(.metadata) }
        return facts.tagCount > 0 ? readTags(in: &context) : write(in: &context)
    }

    /// The source sent the whole object although a range was asked for.
    private mutating func gotTooMuch(
        _ answer: GetObject.Answer, in context: inout TransferContext
    ) -> TransferAction {
        guard !ignoresRanges else {
            return changed("the object became longer while it was read", in: &context)
        }
        ignoresRanges = true
        facts = answer.facts
        received = 0
        return reserveForReading(in: context)
    }

    // MARK: - In parts

    /// Large objects move in parts, and those that the source has in parts move in the same ones, so that the ETags
    /// come out alike.
    private func movesInParts(
        _ facts: ObjectFacts, isRanged: Bool, in context: TransferContext
    ) -> Bool {
        if facts.sizeBytes > context.rules.wholeObjectBytesMax { return true }
        // Of a source that ignores ranges no part can be read.
        guard context.rules.target.takesMultipart, doubted == nil, facts.sizeBytes > 0, isRanged
        else { return false }
        return facts.etag?.partCount != nil && facts.etag?.isPlaceholder == false
    }

    private func isRanged(_ result: ExchangeResult) -> Bool {
        !ignoresRanges && result.response.headers["content-range"] != nil
    }

    /// Whether the answer's range fits the size that it tells, since of the rest nothing is asked before the parts are.
    private func isAsAsked(
        _ answer: GetObject.Answer, _ result: ExchangeResult, in context: TransferContext
    ) -> Bool {
        let end = min(facts?.sizeBytes ?? firstRangeBytes(in: context), answer.facts.sizeBytes)
        return answer.bytes.lowerBound == received && answer.bytes.upperBound >= end
            && answer.bytes.count == result.objectBytes
    }

    private mutating func takeApart(
        _ facts: ObjectFacts, in context: inout TransferContext
    ) -> TransferAction {
        guard context.rules.target.takesMultipart else { return tooLarge(facts, in: context) }
        self.facts = facts
        isForParts = true
        received = 0
        attempts.ofStep = 0
        if facts.missingMetaCount > 0 { losses.insert(.metadata) }
        return facts.tagCount > 0 ? readTags(in: &context) : becomeMultipart(in: context)
    }

    private mutating func becomeMultipart(in context: TransferContext) -> TransferAction {
        guard let facts else { preconditionFailure("nothing is known of the object") }
        step = .finished
        return .become(
            .multipart(
                MultipartCopy(
                    item: item, facts: facts, tags: tags, losses: losses, begun: begun,
                    restarts: restarts, attempts: attempts.count, sourceWrite: sourceWrite,
                    now: context.now, rules: context.rules)))
    }

    private mutating func tooLarge(
        _ facts: ObjectFacts, in context: TransferContext
    ) -> TransferAction {
        let message =
            "the object has \(facts.sizeBytes) bytes, more than --multipart-threshold "
            + "(\(context.rules.wholeObjectBytesMax)), and the target takes no multipart uploads"
        let failure = Failure(
            stage: .get, faultClass: .tooLarge, attempts: attempts.count, message: message)
        return finish(
            Outcome(.failed, sizeBytes: facts.sizeBytes, failure: failure), in: context)
    }

    /// Begins the object again, since what was read is no longer the whole of one object.
    mutating func changed(
        _ message: String, in context: inout TransferContext
    ) -> TransferAction {
        restarts += 1
        attempts.ofStep = restarts - 1
        forgetReading()
        return failed(.get, at: .read, with: Fault(.changed, message: message), in: &context)
    }

    mutating func forgetReading() {
        facts = nil
        tags = []
        losses = []
        received = 0
        ignoresRanges = false
        bufferMD5 = nil
        doubted = nil
        etagIsNoMD5 = false
        isForParts = false
        cut = .nothing
        hasSeenMetadata = false
    }

    // MARK: - Tags

    mutating func readTags(in context: inout TransferContext) -> TransferAction {
        let target = context.rules.target
        guard (isForParts ? target.multipartTagging : target.tagging) != .none else {
            losses.insert(.tags)
            return goOnAfterTags(in: &context)
        }
        step = .readingTags
        let request = GetObjectTagging.request(
            bucket: context.rules.sourceBucket, key: item.key)
        return ask(.source, request)
    }

    mutating func answeredTags(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200:
            do throws(S3Error) {
                tags = try GetObjectTagging.answer(response, to: asked)
            } catch {
                return failed(.getTags, at: .readTags, with: RetryPolicy.fault(error), in: &context)
            }
            return goOnAfterTags(in: &context)
        case 404:
            return changed("the object vanished before its tags were read", in: &context)
        default:
            let fault = RetryPolicy.fault(of: response)
            guard fault.faultClass.concernsTheTags else {
                return failed(.getTags, at: .readTags, with: fault, in: &context)
            }
            // The body may be read, the tags not: a copy without them, said so, is better than none.
            losses.insert(.tags)
            return goOnAfterTags(in: &context)
        }
    }

    private mutating func goOnAfterTags(in context: inout TransferContext) -> TransferAction {
        attempts.ofStep = 0
        return isForParts ? becomeMultipart(in: context) : write(in: &context)
    }
}
