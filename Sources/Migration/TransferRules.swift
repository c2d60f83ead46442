//! What every transfer of a run is told alike.

public import S3

/// The run's fixed choices, and what the probe found out about the target.
public struct TransferRules: Sendable {
    public var sourceBucket: String
    public var targetBucket: String
    /// Objects above this size do not move whole.
    public var wholeObjectBytesMax: Int64
    /// How large the parts of larger ones are, unless there would be too many of them.
    public var partBytes: Int64
    /// The source's own parts are taken over up to this size.
    public var sourcePartBytesMax: Int64
    /// No part can be larger: it would find no room in the buffers.
    public var claimBytesMax: Int64
    public var target: TargetCapabilities
    public var retries: RetryPolicy
    /// Nothing protects what the source sends on its way to us: it speaks plain http.
    public var sourceIsPlain = false
    /// Metadata that the target refuses is left out, rather than that the object fails.
    public var dropsRefusedMetadata = false
    /// An earlier run that this one continues may have written what no log tells of.
    public var isResumed = false
    public var overwrite = OverwriteMode.never
    /// Where the target does not honour `If-Match`, a HEAD just before the write takes its place
    /// (`--allow-weak-conditions`); else nothing is replaced there.
    public var replacesUnguarded = false

    public init(
        sourceBucket: String, targetBucket: String,
        wholeObjectBytesMax: Int64 = Limits.multipartThresholdDefaultBytes,
        partBytes: Int64 = Limits.partDefaultBytes,
        sourcePartBytesMax: Int64 = Limits.memoryDefaultBytesMax / 4,
        claimBytesMax: Int64 = Limits.memoryDefaultBytesMax / 2,
        target: TargetCapabilities = TargetCapabilities(), retries: RetryPolicy = RetryPolicy()
    ) {
        self.sourceBucket = sourceBucket
        self.targetBucket = targetBucket
        self.wholeObjectBytesMax = wholeObjectBytesMax
        self.partBytes = partBytes
        self.sourcePartBytesMax = sourcePartBytesMax
        self.claimBytesMax = claimBytesMax
        self.target = target
        self.retries = retries
    }

    /// What may be said of an object whose target has checked it against a digest of ours: over plain http we may have
    /// received other bytes than the source has.
    func proof(_ proof: Proof?, sizeBytes: Int64?) -> Proof? {
        switch proof {
        case .md5, .crc, .sha256: sourceIsPlain && sizeBytes != 0 ? .upload : proof
        default: proof
        }
    }
}

/// What a target does with what we send, as the probe saw it.
public struct TargetCapabilities: Sendable, Equatable, Codable {
    public enum Tagging: String, Sendable, Codable, Comparable {
        /// `x-amz-tagging` on PUT is kept.
        case onPut
        /// PutObjectTagging works, the header on PUT does not.
        case afterwards
        case none

        /// The better way is the lesser.
        public static func < (left: Tagging, right: Tagging) -> Bool {
            let ways: [Tagging] = [.onPut, .afterwards, .none]
            return (ways.firstIndex(of: left) ?? 0) < (ways.firstIndex(of: right) ?? 0)
        }
    }

    /// `If-None-Match: *` on PUT is honoured. Where it is not, a HEAD just before takes its place.
    public var conditionalPut: Bool
    /// A PUT whose body is not what its `Content-MD5` says is refused.
    public var checksContentMD5: Bool
    /// The ETag of a PUT is the MD5 of its body, so another one means another body.
    public var etagIsMD5: Bool
    public var tagging: Tagging
    /// Objects can be sent in parts. Where they cannot, what follows says nothing.
    public var takesMultipart: Bool
    /// `If-None-Match: *` on CompleteMultipartUpload is honoured. Where it is not, a HEAD just before takes its place.
    public var conditionalComplete: Bool
    /// The cheapest digest that the target checks for a part, seen by a wrong one that it refused and a right one
    /// that it took; nil when it checks none. An upload whose parts carry a CRC is created with its algorithm.
    public var partDigest: BodyDigest.Algorithm?
    /// The ETag of a part is the MD5 of its body.
    public var partETagIsMD5: Bool
    /// As `tagging`, for `x-amz-tagging` on CreateMultipartUpload.
    public var multipartTagging: Tagging
    /// `If-Match` on PUT is honoured, its tag written so; nil where it is ignored or refused.
    public var ifMatchOnPut: PutObject.IfMatchForm?
    /// It is honoured on CompleteMultipartUpload too, in the same form. Where it is not, a HEAD just before takes its
    /// place.
    public var ifMatchOnComplete: Bool

    public init(
        conditionalPut: Bool = true, checksContentMD5: Bool = true, etagIsMD5: Bool = true,
        tagging: Tagging = .onPut, takesMultipart: Bool = true, conditionalComplete: Bool = true,
        partDigest: BodyDigest.Algorithm? = .crc32c, partETagIsMD5: Bool = true,
        multipartTagging: Tagging = .onPut, ifMatchOnPut: PutObject.IfMatchForm? = .quoted,
        ifMatchOnComplete: Bool = true
    ) {
        self.conditionalPut = conditionalPut
        self.checksContentMD5 = checksContentMD5
        self.etagIsMD5 = etagIsMD5
        self.tagging = tagging
        self.takesMultipart = takesMultipart
        self.conditionalComplete = conditionalComplete
        self.partDigest = partDigest
        self.partETagIsMD5 = partETagIsMD5
        self.multipartTagging = multipartTagging
        self.ifMatchOnPut = ifMatchOnPut
        self.ifMatchOnComplete = ifMatchOnComplete
    }

    /// What either of two probes has seen. A probe that faults have disturbed sees too little, and never what is not
    /// so: each capability takes an answer that only a server which has it gives.
    public func united(with other: TargetCapabilities) -> TargetCapabilities {
        TargetCapabilities(
            conditionalPut: conditionalPut || other.conditionalPut,
            checksContentMD5: checksContentMD5 || other.checksContentMD5,
            etagIsMD5: etagIsMD5 || other.etagIsMD5,
            tagging: min(tagging, other.tagging),
            takesMultipart: takesMultipart || other.takesMultipart,
            conditionalComplete: conditionalComplete || other.conditionalComplete,
            partDigest: BodyDigest.Algorithm.allCases.first {
                [partDigest, other.partDigest].contains($0)
            },
            partETagIsMD5: partETagIsMD5 || other.partETagIsMD5,
            multipartTagging: min(multipartTagging, other.multipartTagging),
            ifMatchOnPut: ifMatchOnPut ?? other.ifMatchOnPut,
            ifMatchOnComplete: ifMatchOnComplete || other.ifMatchOnComplete)
    }
}
