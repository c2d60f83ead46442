//! One part's way from the source to the target, as a state machine without I/O.

internal import S3

/// The copy of one part: a ranged and pinned GET into the buffer, a digest if one is needed, an UploadPart.
public struct PartCopy: Sendable {
    enum Step: Sendable, Equatable {
        /// → `reserving`
        case idle
        /// For memory for the part. → `reading`
        case reserving
        /// → `hashing`, `uploading`, `finished`
        case reading
        /// For the digest of the buffer. → `uploading`, `finished`
        case hashing
        /// → `reserving`, `finished`
        case uploading
        /// → that step
        case backingOff(then: Retry)
        case finished
    }

    enum Retry: Sendable, Equatable {
        case read
        case upload
    }

    public let part: PartItem
    private var step = Step.idle
    private var asked = Request(.get, operation: "", bucket: "")
    private var digest: BodyDigest?
    private var attempts = Attempts()
    private var ignoredRanges = 0

    public init(_ part: PartItem) {
        self.part = part
    }

    private var order: PartsOrder { part.order }
    private var isSecondReading: Bool { order.known[part.number] != nil }
    /// Nobody else vouches for the body where the target checks no digest, so its ETag is compared with our MD5.
    private var digestNeeded: BodyDigest.Algorithm? { isSecondReading ? .md5 : order.digest }

    /// Takes an event and says what is to be done next.
    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        switch (step, event) {
        case (.idle, .begin), (.backingOff(then: .read), .woken): return reserve()
        case (.reserving, .granted): return read(in: context)
        case (.reading, .answered(let result)): return answeredRead(result, in: &context)
        case (.hashing, .digested(let digest)): return hashed(digest, in: context)
        case (.backingOff(then: .upload), .woken): return upload(in: context)
        case (.uploading, .answered(let result)):
            return answeredUpload(result.response, in: &context)
        case (.reading, .broken(let fault)): return failed(.read, Fault(fault), in: &context)
        case (.uploading, .broken(let fault)): return failed(.upload, Fault(fault), in: &context)
        default: preconditionFailure("\(event) does not fit the step \(step)")
        }
    }

    private mutating func ask(
        _ side: Side, _ request: Request, upload: ExchangeOrder.Upload = .request,
        sink: ExchangeOrder.Sink = .response
    ) -> TransferAction {
        asked = request
        return .exchange(ExchangeOrder(side, request, upload: upload, sink: sink))
    }

    private mutating func finish(_ outcome: PartOutcome) -> TransferAction {
        step = .finished
        return .finishPart(outcome)
    }

    // MARK: - Reading

    private mutating func reserve() -> TransferAction {
        step = .reserving
        return .reserve(bytes: part.byteCount)
    }

    private mutating func read(in context: TransferContext) -> TransferAction {
        step = .reading
        let request = GetObject.request(
            bucket: context.rules.sourceBucket, key: part.item.key, bytes: part.bytes,
            ifMatch: order.facts.etag)
        return ask(.source, request, sink: .object(offset: 0, capacity: part.byteCount))
    }

    private mutating func answeredRead(
        _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        switch result.response.status {
        case 200, 206: return gotBytes(result, in: &context)
        case 412: return finish(.changed("the source says that the object changed (412)"))
        case 416: return finish(.changed("the object became shorter while it was read (416)"))
        case 404 where S3ErrorBody(result.response.body).code == "NoSuchKey":
            return finish(.changed("the object vanished while it was read"))
        default: return failed(.read, RetryPolicy.fault(of: result.response), in: &context)
        }
    }

    private mutating func gotBytes(
        _ result: ExchangeResult, in context: inout TransferContext
    ) -> TransferAction {
        let answer: GetObject.Answer
        do throws(S3Error) {
            answer = try GetObject.answer(result.response, to: asked)
        } catch {
            return failed(.read, RetryPolicy.fault(error), in: &context)
        }
        guard order.facts.isSameObject(as: answer.facts) else {
            return finish(.changed("the object changed while it was read"))
        }
        guard !result.overflowed else { return rangeIgnored(in: &context) }
        guard answer.bytes == part.bytes, result.objectBytes == part.byteCount else {
            let message =
                "asked for the bytes \(part.bytes), got \(result.objectBytes) of \(answer.bytes)"
            let fault = Fault(.badAnswer, status: result.response.status, message: message)
            return failed(.read, fault, in: &context)
        }
        attempts.ofStep = 0
        guard let needed = digestNeeded else { return upload(in: context) }
        step = .hashing
        return .hash(needed, byteCount: part.byteCount)
    }

    /// One such answer may come from a cache or a proxy; a source that always gives it cannot be read in parts.
    private mutating func rangeIgnored(in context: inout TransferContext) -> TransferAction {
        let message =
            "the source ignores Range and sends the whole object: it cannot be copied in parts; "
            + "raise --multipart-threshold (and --memory) above its size"
        ignoredRanges += 1
        guard ignoredRanges < Limits.ignoredRangesMax else {
            return finish(.failed(attempts.failure(.get, Fault(.refused, message: message))))
        }
        step = .backingOff(then: .read)
        return .wait(until: context.now + Limits.retryDelayMin, clock: nil)
    }

    private mutating func hashed(
        _ digest: BodyDigest, in context: TransferContext
    ) -> TransferAction {
        if let known = order.known[part.number], case .md5(let md5) = digest,
            known.etag.md5 == md5
        {
            return finish(.copied(known))
        }
        // What tells two readings apart need not be what the upload was created for.
        if let algorithm = order.digest, algorithm != digest.algorithm {
            return .hash(algorithm, byteCount: part.byteCount)
        }
        self.digest = digest
        return upload(in: context)
    }

    // MARK: - Writing

    private mutating func upload(in context: TransferContext) -> TransferAction {
        step = .uploading
        let request = UploadPart.request(
            bucket: context.rules.targetBucket, key: part.item.key, uploadID: order.uploadID,
            partNumber: part.number, digest: digest)
        return ask(.target, request, upload: .object(byteCount: part.byteCount))
    }

    private mutating func answeredUpload(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        guard (200..<300).contains(response.status) else { return refused(response, in: &context) }
        let etag: ETag?
        do throws(S3Error) {
            etag = try UploadPart.answer(response, to: asked).etag
        } catch {
            return failed(.upload, RetryPolicy.fault(error), in: &context)
        }
        guard let etag else {
            let fault = Fault(.badAnswer, status: response.status, message: "a part has no ETag")
            return failed(.upload, fault, in: &context)
        }
        if case .md5(let md5) = digest, context.rules.target.partETagIsMD5, etag.md5 != md5 {
            let fault = Fault(.mismatch, message: "a part was damaged on its way to the target")
            return failed(.upload, fault, in: &context)
        }
        return finish(.copied(PartReceipt(etag: etag, digest: digest)))
    }

    private mutating func refused(
        _ response: Response, in context: inout TransferContext
    ) -> TransferAction {
        let fault = RetryPolicy.fault(of: response)
        switch (response.status, fault.code) {
        case (404, "NoSuchUpload"), (404, "NoSuchKey"):
            return finish(.uploadGone(attempts.failure(.part, fault)))
        case (_, "EntityTooLarge"), (413, _), (_, "EntityTooSmall"), (400, "InvalidArgument"):
            return finish(.sizeRefused(attempts.failure(.part, fault)))
        default:
            return failed(.upload, fault, in: &context)
        }
    }

    // MARK: - When something goes wrong

    private mutating func failed(
        _ retry: Retry, _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        let stage: Stage = retry == .read ? .get : .part
        switch attempts.verdict(for: fault, in: &context) {
        case .again(let delay):
            step = .backingOff(then: retry)
            return .wait(until: context.now + delay, clock: fault.clock(at: stage))
        case .stopRun:
            step = .finished
            return .stopRun(attempts.failure(stage, fault))
        case .giveUp:
            return finish(.failed(attempts.failure(stage, fault)))
        }
    }
}
