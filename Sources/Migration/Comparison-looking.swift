//! A comparison's first half: what both sides say of the object, without its bytes.

internal import S3

extension Comparison {
    mutating func look(in context: TransferContext) -> TransferAction {
        pair = Pair()
        sourceTags = []
        losses = []
        return prepare(.head(.source), in: context)
    }

    // MARK: - Is it there?

    mutating func answeredHead(
        _ side: Side, _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 200:
            do throws(S3Error) {
                let facts = try HeadObject.answer(response, to: asked)
                attempts.ofStep = 0
                return took(facts, of: side, in: &context)
            } catch {
                return failed(.head(side), RetryPolicy.fault(error), in: &context)
            }
        case 404 where side == .source: return prepare(.firstByte, in: context)
        case 404: return took(nil, of: side, in: &context)
        default: return failed(.head(side), RetryPolicy.fault(of: response), in: &context)
        }
    }

    /// Only the words "no such key" mean that the object is gone; any other 404 may be a wrong bucket or a proxy.
    mutating func answeredFirstByte(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        switch response.status {
        case 404 where S3ErrorBody(response.body).code == "NoSuchKey":
            return took(nil, of: .source, in: &context)
        case 200, 206, 416: return changed(.source, "the source's object came back", in: &context)
        default: return failed(.firstByte, RetryPolicy.fault(of: response), in: &context)
        }
    }

    private mutating func took(
        _ facts: ObjectFacts?, of side: Side, in context: inout TransferContext
    ) -> TransferAction {
        switch side {
        case .source:
            pair.source = facts
            return prepare(.head(.target), in: context)
        case .target:
            pair.target = facts
            return compareFacts(in: &context)
        }
    }

    private mutating func compareFacts(in context: inout TransferContext) -> TransferAction {
        switch (pair.source, pair.target) {
        case (nil, nil): return finish(Outcome(.gone), in: context)
        case (nil, .some): return saw(.extra, nil, in: &context)
        case (.some, nil):
            let message = "the target has no object of this key"
            return saw(.missing, Difference(.missing, message), in: &context)
        case (let source?, let target?):
            if source.missingMetaCount > 0 { losses.insert(.metadata) }
            if let difference = Difference.between(source, target, depth: depth) {
                return saw(.differs, difference, in: &context)
            }
            guard source.tagCount + target.tagCount > 0 else { return compareContent(in: context) }
            return prepare(.tags(.source), in: context)
        }
    }

    // MARK: - Tags

    mutating func answeredTags(
        _ side: Side, _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        guard response.status != 404 || S3ErrorBody(response.body).code != "NoSuchKey" else {
            return changed(side, "the object vanished before its tags were read", in: &context)
        }
        do throws(S3Error) {
            let tags = try GetObjectTagging.answer(response, to: asked)
            attempts.ofStep = 0
            guard side == .target else {
                sourceTags = tags
                return prepare(.tags(.target), in: context)
            }
            return compareTags(tags, in: &context)
        } catch {
            return noTags(side, response, error, in: &context)
        }
    }

    /// A target without tags has lost them; of a source that does not let us read them nothing can be said. One that
    /// does not know the question (rclone) answers with the object.
    private mutating func noTags(
        _ side: Side, _ response: Response, _ error: S3Error, in context: inout TransferContext
    ) -> TransferAction {
        let isAnswered = (200..<300).contains(response.status)
        let fault = isAnswered ? RetryPolicy.fault(error) : RetryPolicy.fault(of: response)
        let isUnknown = isAnswered && error.code == nil && pair.target?.tagCount == 0
        guard side == .target, isUnknown || fault.faultClass.concernsTheTags else {
            return failed(.tags(side), fault, in: &context)
        }
        losses.insert(.tags)
        return compareTags(nil, in: &context)
    }

    private mutating func compareTags(
        _ tags: [ObjectTag]?, in context: inout TransferContext
    ) -> TransferAction {
        guard let difference = Difference.tags(sourceTags, tags) else {
            return compareContent(in: context)
        }
        return saw(.differs, difference, in: &context)
    }

    // MARK: - Verdicts

    mutating func compareContent(in context: TransferContext) -> TransferAction {
        guard depth == .content else { return finishSame(in: context) }
        return comparePieces(in: context)
    }

    /// Both have been asked, one after the other, and agree: there was no moment to look at twice.
    mutating func finishSame(in context: TransferContext) -> TransferAction {
        guard let source = pair.source, let target = pair.target else {
            preconditionFailure("two objects that are the same are there")
        }
        let word = ETagWord(source, target)
        let proof: Proof = depth == .content ? .sha256 : word == .same ? .etag : .size
        return finish(
            Outcome(
                .same, sizeBytes: source.sizeBytes, etag: target.etag, proof: proof,
                losses: losses),
            in: context)
    }

    /// Looks a second time at what is not as it should be; the second time it counts.
    mutating func saw(
        _ kind: Outcome.Kind, _ difference: Difference?, in context: inout TransferContext
    ) -> TransferAction {
        let sighting = Sighting(kind: kind, difference: difference, pair: pair)
        if let seen, seen.isSame(as: sighting) { return report(sighting, in: context) }
        let isFirst = seen == nil
        seen = sighting
        guard isFirst else {
            return changed(.source, "the objects change while they are compared", in: &context)
        }
        step = .pausing
        return .wait(until: context.now + Limits.secondLookAfter, clock: nil)
    }

    private mutating func report(
        _ sighting: Sighting, in context: TransferContext
    ) -> TransferAction {
        let failure = sighting.difference.map { difference in
            Failure(
                stage: .verify, faultClass: difference.faultClass, attempts: attempts.count,
                message: difference.message)
        }
        return finish(
            Outcome(
                sighting.kind, sizeBytes: pair.source?.sizeBytes ?? pair.target?.sizeBytes,
                etag: pair.target?.etag, losses: losses, failure: failure),
            in: context)
    }
}

extension Comparison.Sighting {
    func isSame(as other: Comparison.Sighting) -> Bool {
        kind == other.kind && difference == other.difference && pair.isSame(as: other.pair)
    }
}
