//! When the two ends disagree: whose object refused ours, and which of two digests is right.

internal import S3

extension Transfer {
    // MARK: - The target has an object of this key

    mutating func settle(in context: TransferContext) -> TransferAction {
        step = .settling
        return headTarget(in: context)
    }

    mutating func answeredSettle(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200:
            return gotFound(response, stage: .settle, retry: .settle, in: &context)
        case 404:
            place = .free
            let fault = Fault(
                .conflict, status: 412,
                message: "the target refused the PUT for an object that it does not have")
            return failed(.settle, at: .write, with: fault, in: &context)
        default:
            return failed(.settle, at: .settle, with: response, in: &context)
        }
    }

    mutating func gotFound(
        _ response: Response, stage: Stage, retry: Retry, in context: inout TransferContext
    ) -> TransferAction {
        guard let found = found(response, in: context) else {
            let fault = Fault(.badAnswer, status: 200, message: "HEAD tells no size")
            return failed(stage, at: retry, with: fault, in: &context)
        }
        self.found = found
        return compareWithFound(in: &context)
    }

    /// Says whether the target's object is the source's, after computing our MD5 if only that can tell.
    mutating func compareWithFound(in context: inout TransferContext) -> TransferAction {
        guard let facts, let found else { preconditionFailure("nothing to compare") }
        guard found.sizeBytes == facts.sizeBytes else {
            return replaceOrLeave(.differs, in: &context)
        }
        guard let etag = found.etag, !etag.isPlaceholder else {
            return replaceOrLeave(.size, in: &context)
        }
        if let proof = proof(byETag: etag) {
            return mayHaveWritten
                ? ours(found, etag, proof, in: context) : skipped(.same, in: &context)
        }
        if etag == facts.etag, etag.isDigest { return skipped(.same, in: &context) }
        guard etag.md5 != nil else { return replaceOrLeave(.size, in: &context) }
        return bufferMD5 == nil ? hash(for: .comparing) : replaceOrLeave(.differs, in: &context)
    }

    /// Our own object refused us: an answer of the target was lost on its way.
    private mutating func ours(
        _ found: ObjectFacts, _ etag: ETag, _ proof: Proof, in context: TransferContext
    ) -> TransferAction {
        written = etag
        if let facts, !found.metadata.holdsAll(of: facts.metadata) {
            // A server that fails half-way (rclone) keeps the bytes and forgets the rest.
            if canReplaceOurs(in: context) { return put(in: context) }
            losses.insert(.metadata)
        }
        hasSeenMetadata = true
        // The target has what we sent. Whether we had read it right is another question where the source's ETag, if
        // it is an MD5, tells of other bytes.
        if proof == .md5, facts?.etag?.md5 != nil, !etagIsNoMD5 {
            return readAgain(visible: etag, in: context)
        }
        return proved(proof, in: context)
    }

    /// Whether a PUT of this transfer is known to be what the target shows, and nothing refuses another. Once only:
    /// some targets never show all that they were sent.
    private func canReplaceOurs(in context: TransferContext) -> Bool {
        !context.rules.target.conditionalPut && putCount == 1
    }

    mutating func skipped(
        _ proof: Proof, in context: inout TransferContext
    ) -> TransferAction {
        if proof == .differs, let written, found?.etag == written {
            return damaged(
                "the source's object changed while our copy of it was doubted", in: &context)
        }
        return finish(
            Outcome(
                .skippedTarget, sizeBytes: facts?.sizeBytes, etag: found?.etag, proof: proof),
            in: context)
    }

    // MARK: - Which digest is right

    mutating func hash(for purpose: HashPurpose) -> TransferAction {
        step = .hashing(purpose)
        return .hash(.md5, byteCount: received)
    }

    mutating func hashed(
        for purpose: HashPurpose, in context: inout TransferContext
    ) -> TransferAction {
        switch purpose {
        case .contentMD5: return write(in: &context)
        case .comparing: return compareWithFound(in: &context)
        case .refusedBody: return judgeRefusedBody(in: &context)
        case .unprovedCopy: return judgeUnprovedCopy(in: context)
        case .secondReading: return judgeSecondReading(in: &context)
        }
    }

    /// The target says that the body is not what its MD5 promises.
    mutating func refusedBody(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        guard bufferMD5 == nil else {
            // The promise was our own sum of these very bytes, so they were damaged after us.
            return failed(.put, at: .write, with: fault, in: &context)
        }
        return hash(for: .refusedBody)
    }

    private mutating func judgeRefusedBody(in context: inout TransferContext) -> TransferAction {
        let damagedAfterUs = bufferMD5 == facts?.etag?.md5
        guard damagedAfterUs else { return readAgain(visible: nil, in: context) }
        let fault = Fault(.mismatch, message: "the body was damaged on its way to the target")
        return failed(.put, at: .write, with: fault, in: &context)
    }

    /// A target that checks no digests shows an object whose ETag is not the source's.
    private mutating func judgeUnprovedCopy(in context: TransferContext) -> TransferAction {
        guard let written, written.md5 == bufferMD5 else { return measure(in: context) }
        return readAgain(visible: written, in: context)
    }

    /// Reads the object a second time, to see whether the first reading or the source's ETag is wrong.
    mutating func readAgain(
        visible: ETag?, in context: TransferContext
    ) -> TransferAction {
        guard let md5 = bufferMD5 else { preconditionFailure("no first reading to doubt") }
        doubted = Doubt(md5: md5, visible: visible)
        received = 0
        return reserveForReading(in: context)
    }

    private mutating func judgeSecondReading(
        in context: inout TransferContext
    ) -> TransferAction {
        guard let doubt = doubted, let md5 = bufferMD5 else {
            preconditionFailure("a second reading without a first")
        }
        doubted = nil
        let isRepeated = doubt.md5 == md5
        if isRepeated { etagIsNoMD5 = true }
        if doubt.visible != nil {
            return isRepeated
                ? proved(.md5, in: context)
                : damaged("the source's bytes were damaged on their way to us", in: &context)
        }
        if isRepeated || md5 == facts?.etag?.md5 { return write(in: &context) }
        let fault = Fault(.mismatch, message: "the source sends other bytes at each reading")
        received = 0
        // A whole reading lies between two of these, so they are counted as restarts are.
        restarts += 1
        attempts.ofStep = restarts - 1
        return failed(.get, at: .read, with: fault, in: &context)
    }

    /// An object of ours became visible that is not the source's. It is replaced, if the target can be held to that
    /// very object: what somebody else has put there meanwhile stays.
    mutating func damaged(
        _ message: String, in context: inout TransferContext
    ) -> TransferAction {
        guard let written else { return leftDamaged(message, in: context) }
        let place = Place.taken(written, isOurs: true)
        guard context.rules.putCondition(for: place) != nil else {
            return leftDamaged(message, in: context)
        }
        attempts.ofStep = damageCount
        damageCount += 1
        let fault = Fault(.damaged, message: message)
        guard case .again(let delay) = attempts.verdict(for: fault, in: &context) else {
            return leftDamaged(message, in: context)
        }
        self.place = place
        item.damagedETag = written
        proof = nil
        forgetReading()
        step = .backingOff(then: .read)
        return .wait(until: context.now + delay, clock: nil)
    }

    /// The object fails; a later pass may replace what is there.
    mutating func leftDamaged(
        _ message: String, in context: TransferContext
    ) -> TransferAction {
        let failure = Failure(
            stage: .put, faultClass: .damaged, attempts: attempts.count,
            ourETag: written ?? item.damagedETag, message: message)
        return giveUp(failure, in: context)
    }
}
