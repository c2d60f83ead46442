//! A transfer's second half: from the buffer into the target, and the proof that it arrived.

internal import S3

extension Transfer {
    /// The MD5 that the body must have: the source's word for it, or our own where that is no MD5.
    private var promisedMD5: [UInt8]? {
        etagIsNoMD5 ? bufferMD5 : facts?.etag?.md5 ?? bufferMD5
    }

    /// Goes on with what has to happen before the PUT, one step at a time, and then sends it.
    mutating func write(in context: inout TransferContext) -> TransferAction {
        if place == .rival { return compareWithFound(in: &context) }
        guard promisedMD5 != nil else { return hash(for: .contentMD5) }
        if case .taken = place {
            guard bufferMD5 != nil else { return hash(for: .contentMD5) }
            // There is a target (LocalStack) that destroys what a refused body was to replace, so no digest is sent
            // that could be wrong.
            if isContradicted { return readAgain(visible: nil, in: context) }
        }
        guard context.rules.putCondition(for: place) != nil else { return checkTarget(in: context) }
        return recheckOrPut(in: context)
    }

    /// The source's ETag, if it is an MD5, tells of other bytes than we have read.
    private var isContradicted: Bool {
        guard let promised = facts?.etag?.md5, !etagIsNoMD5 else { return false }
        return promised != bufferMD5
    }

    // MARK: - Before the PUT

    /// Takes the place of the condition where the target ignores it: a HEAD just before the PUT.
    private mutating func checkTarget(in context: TransferContext) -> TransferAction {
        step = .checkingTarget
        return headTarget(in: context)
    }

    mutating func answeredCheck(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200 where isStillThere(response):
            return recheckOrPut(in: context)
        case 200:
            return gotFound(response, stage: .head, retry: .write, in: &context)
        case 404:
            place = .free
            return recheckOrPut(in: context)
        default:
            return failed(.head, at: .write, with: response, in: &context)
        }
    }

    /// Whether the target shows the very object that we have decided to replace.
    private func isStillThere(_ response: Response) -> Bool {
        guard case .taken = place, let found,
            let seen = try? HeadObject.answer(response, to: asked)
        else { return false }
        return found.isSameObject(as: seen)
    }

    /// After a while the source is asked whether it still has the object, so that a delete is not undone.
    private mutating func recheckOrPut(in context: TransferContext) -> TransferAction {
        guard context.now - knownAt > Limits.sourceFreshFor else { return put(in: context) }
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
            guard let now = try? HeadObject.answer(response, to: asked), let facts,
                facts.isSameObject(as: now)
            else { return changed("the object changed before it was written", in: &context) }
            knownAt = askedAt
            recheckCount += 1
            // A HEAD that took its time tells of the past, too; but a source that is always slow has to be believed.
            return recheckCount < Limits.rechecksMax
                ? recheckOrPut(in: context) : put(in: context)
        case 404:
            // A HEAD's answer has no body that could say what is missing; the GET's has. Counted, since a
            // source whose HEAD denies what its GET sends would keep the transfer busy for ever.
            guard restarts < Limits.restartsMax else {
                return changed("the source's HEAD and GET contradict each other", in: &context)
            }
            restarts += 1
            forgetReading()
            return reserveForReading(in: context)
        default:
            return failed(.recheck, at: .write, with: response, in: &context)
        }
    }

    // MARK: - The PUT

    mutating func put(in context: TransferContext) -> TransferAction {
        guard let facts else { preconditionFailure("a PUT without an object") }
        step = .putting
        putCount += 1
        recheckCount = 0
        shownAt = context.now
        let target = context.rules.target
        let request = PutObject.request(
            bucket: context.rules.targetBucket, key: item.key, metadata: sentMetadata,
            tagging: target.tagging == .onPut ? urlQuery(of: tags) : nil,
            condition: context.rules.putCondition(for: place) ?? .none,
            contentMD5: promisedMD5, payloadHash: .unsigned)
        return ask(.target, request, upload: .object(byteCount: facts.sizeBytes))
    }

    mutating func answeredPut(
        _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        let response = result.response
        if result.timesResent > 0 { mayHaveWritten = true }
        switch response.status {
        case 200..<300:
            do throws(S3Error) {
                let answer = try PutObject.answer(response, to: asked)
                attempts.ofStep = 0
                return accepted(answer.etag, in: &context)
            } catch {
                mayHaveWritten = true
                return failed(.put, at: .write, with: RetryPolicy.fault(error), in: &context)
            }
        case 412:
            return settle(in: context)
        default:
            let fault = RetryPolicy.fault(of: response)
            // What was to be replaced is gone (S3); others say 412.
            if case .taken = place, response.status == 404, fault.faultClass != .fatal {
                return settle(in: context)
            }
            if fault.faultClass == .mismatch { return refusedBody(fault, in: &context) }
            // A server that failed may have stored the object before it did.
            if response.status >= 500 { mayHaveWritten = true }
            return failedPut(fault, in: &context)
        }
    }

    /// The target has the object; how sure is it that it is the right one?
    private mutating func accepted(
        _ etag: ETag?, in context: inout TransferContext
    ) -> TransferAction {
        guard let facts else { preconditionFailure("an answer to a PUT without an object") }
        written = etag
        mayHaveWritten = true
        if let etag, let proof = proof(byETag: etag) {
            return proved(proof, in: context)
        }
        // A digest that was checked is proof enough, unless the ETag, which is one too, tells otherwise.
        let isDoubtful = context.rules.target.etagIsMD5 && etag?.md5 != nil
        if context.rules.target.checksContentMD5, !isDoubtful { return proved(.md5, in: context) }
        if !context.rules.target.checksContentMD5, etag?.md5 != nil, facts.etag?.md5 != nil,
            bufferMD5 == nil
        {
            return hash(for: .unprovedCopy)
        }
        return measure(in: context)
    }

    /// What an ETag of the target's proves, which it computed from what it received.
    func proof(byETag etag: ETag) -> Proof? {
        if !etagIsNoMD5, etag == facts?.etag, etag.md5 != nil { return .etag }
        if let md5 = etag.md5, md5 == bufferMD5 { return .md5 }
        return nil
    }

    mutating func proved(_ proof: Proof, in context: TransferContext) -> TransferAction {
        // A second look, before the tags are tried again, may see less than the answer to the PUT told.
        self.proof = proof == .size ? self.proof ?? .size : proof
        if wantsToSeeMetadata { return measure(in: context) }
        if !tags.isEmpty, context.rules.target.tagging == .afterwards {
            return putTags(in: context)
        }
        return copied(in: context)
    }

    /// The copy was made, and somebody has deleted or replaced it since then: it is theirs, and so are its tags.
    private mutating func superseded(in context: TransferContext) -> TransferAction {
        if !tags.isEmpty, context.rules.target.tagging == .afterwards { losses.insert(.tags) }
        return copied(in: context)
    }

    mutating func copied(in context: TransferContext) -> TransferAction {
        var outcome = Outcome(
            .copied, sizeBytes: facts?.sizeBytes, etag: written,
            proof: context.rules.proof(proof, sizeBytes: facts?.sizeBytes), losses: losses)
        outcome.isReplacement = place.isReplaced
        return finish(outcome, in: context)
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
        if response.status == 403, proof != nil, wantsToSeeMetadata {
            return couldNotSeeMetadata(in: context)
        }
        guard response.status == 200 else {
            return failed(.settle, at: .measure, with: response, in: &context)
        }
        guard let seen = try? HeadObject.answer(response, to: asked) else {
            let fault = Fault(.badAnswer, status: 200, message: "HEAD tells no size")
            return failed(.settle, at: .measure, with: fault, in: &context)
        }
        return judge(seen, in: &context)
    }

    private mutating func judge(
        _ seen: ObjectFacts, in context: inout TransferContext
    ) -> TransferAction {
        if let etag = seen.etag, let proof = proof(byETag: etag) {
            written = etag
            seeMetadata(seen)
            return proved(proof, in: context)
        }
        // Another ETag than the one we were told: somebody has written since then, or the PUT's answer lied.
        let isOurs = written == nil || seen.etag == written
        // What was proved once was right, so it is not a lie.
        guard isOurs || proof == nil else { return superseded(in: context) }
        guard seen.sizeBytes == facts?.sizeBytes else {
            guard isOurs else { return superseded(in: context) }
            let message = "the target shows \(seen.sizeBytes) bytes of \(facts?.sizeBytes ?? 0)"
            return damaged(message, in: &context)
        }
        if isOurs, context.rules.target.etagIsMD5, seen.etag?.md5 != nil {
            return damaged("the target's ETag tells of other bytes than it was sent", in: &context)
        }
        seeMetadata(seen)
        return proved(.size, in: context)
    }

    mutating func headTarget(in context: TransferContext) -> TransferAction {
        shownAt = context.now
        return ask(.target, HeadObject.request(bucket: context.rules.targetBucket, key: item.key))
    }

    // MARK: - Tags afterwards

    mutating func putTags(in context: TransferContext) -> TransferAction {
        step = .puttingTags
        let request = PutObjectTagging.request(
            bucket: context.rules.targetBucket, key: item.key, tags: tags)
        return ask(.target, request)
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
}

extension FaultClass {
    /// Whether a request for tags was refused for good, while the object itself may be had.
    var concernsTheTags: Bool { self == .denied || self == .refused }
}
