//! A comparison's second half: the bytes of both sides, piece by piece, so that any object fits into little memory.

internal import S3

extension Comparison {
    /// Begins with the pieces, or goes on behind those that these very objects were found the same in.
    mutating func comparePieces(in context: TransferContext) -> TransferAction {
        if !pair.isSame(as: comparedPair) {
            comparedPair = pair
            comparedBytes = 0
        }
        return nextPiece(in: context)
    }

    private mutating func nextPiece(in context: TransferContext) -> TransferAction {
        piece(in: context).isEmpty
            ? finishSame(in: context) : prepare(.piece(.source), in: context)
    }

    /// What is compared next; empty at the end.
    func piece(in context: TransferContext) -> Range<Int64> {
        let sizeBytes = pair.source?.sizeBytes ?? 0
        return comparedBytes..<min(comparedBytes + context.rules.partBytes, sizeBytes)
    }

    mutating func answeredPiece(
        _ side: Side, _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        switch result.response.status {
        case 200, 206: return gotPiece(side, result, in: &context)
        case 404 where S3ErrorBody(result.response.body).code == "NoSuchKey":
            return changed(side, "the object vanished while it was read", in: &context)
        case 412:
            return changed(side, "the server says that the object changed (412)", in: &context)
        case 416:
            return changed(side, "the object became shorter while it was read", in: &context)
        default:
            return failed(.piece(side), RetryPolicy.fault(of: result.response), in: &context)
        }
    }

    private mutating func gotPiece(
        _ side: Side, _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        let answer: GetObject.Answer
        do throws(S3Error) {
            answer = try GetObject.answer(result.response, to: asked)
        } catch {
            return failed(.piece(side), RetryPolicy.fault(error), in: &context)
        }
        guard let facts = pair.facts(side), facts.isSameObject(as: answer.facts) else {
            return changed(side, "the object changed while it was read", in: &context)
        }
        let bytes = piece(in: context)
        guard !result.overflowed, answer.bytes == bytes, result.objectBytes == bytes.count else {
            return failed(
                .piece(side), otherBytes(answer, result, than: bytes), in: &context)
        }
        attempts.ofStep = 0
        step = .hashing(side)
        return .hash(.sha256, byteCount: Int64(bytes.count))
    }

    private func otherBytes(
        _ answer: GetObject.Answer, _ result: ExchangeResult, than bytes: Range<Int64>
    ) -> Fault {
        guard !result.overflowed else {
            return Fault(
                .refused, status: result.response.status,
                message:
                    "the server ignores Range and sends the whole object: raise --part-size above "
                    + "its size")
        }
        return Fault(
            .badAnswer, status: result.response.status,
            message: "asked for the bytes \(bytes), got \(result.objectBytes) of \(answer.bytes)")
    }

    mutating func digested(
        _ digest: BodyDigest, of side: Side, in context: inout TransferContext
    ) -> TransferAction {
        guard side == .target else {
            sourceDigest = digest
            return prepare(.piece(.target), in: context)
        }
        let bytes = piece(in: context)
        guard digest == sourceDigest else {
            return saw(.differs, contentDifference(bytes), in: &context)
        }
        comparedBytes = bytes.upperBound
        return nextPiece(in: context)
    }

    /// What the two ETags say about it tells at which side to look first.
    private func contentDifference(_ bytes: Range<Int64>) -> Difference {
        let tags =
            "ETag \(pair.source?.etag?.text ?? "-") at the source, "
            + "\(pair.target?.etag?.text ?? "-") at the target"
        return Difference(
            .content,
            "the bytes \(bytes.lowerBound)-\(bytes.upperBound - 1) of \(pair.source?.sizeBytes ?? 0) are "
                + "others at the target; \(tags)")
    }
}
