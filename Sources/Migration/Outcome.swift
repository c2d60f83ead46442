//! What became of an object: the last station of its way before the log.

public import S3

/// What became of one object, with what is known of it.
public struct Outcome: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// The target has the object, put there by us.
        case copied = "copied"
        /// The target's lists had the key, so nothing was asked.
        case exist = "exist"
        /// The source has no such object any more.
        case skippedSource = "skip-dn"
        /// The target had an object of this key, which was left alone.
        case skippedTarget = "skip-up"
        case failed = "fail"

        // What a verification finds.

        /// The target has the source's object.
        case same
        /// The target has another object.
        case differs
        /// The target has no such object.
        case missing
        /// Neither side has it any more.
        case gone
        /// Only the target has it.
        case extra

        /// Whether failed.log says why: the target lacks the source's object, as far as we know.
        public var isInFailedLog: Bool {
            switch self {
            case .failed, .differs, .missing: true
            case .copied, .exist, .skippedSource, .skippedTarget, .same, .gone, .extra: false
            }
        }
    }

    public var kind: Kind
    /// The object's size, where it became known.
    public var sizeBytes: Int64?
    /// The target's entity tag: ours for a copy, the one found there for a skip.
    public var etag: ETag?
    public var proof: Proof?
    public var losses: Losses
    /// The copy took the place of somebody else's object (`--overwrite`).
    public var isReplacement = false
    /// What failed, or differs; only for what is in failed.log.
    public var failure: Failure?
    public var elapsed: Duration

    public init(
        _ kind: Kind, sizeBytes: Int64? = nil, etag: ETag? = nil, proof: Proof? = nil,
        losses: Losses = [], failure: Failure? = nil, elapsed: Duration = .zero
    ) {
        precondition(kind.isInFailedLog == (failure != nil), "only a failure has a failure")
        self.kind = kind
        self.sizeBytes = sizeBytes
        self.etag = etag
        self.proof = proof
        self.losses = losses
        self.failure = failure
        self.elapsed = elapsed
    }
}

/// How sure it is that the target holds the source's bytes.
public enum Proof: String, Sendable, CaseIterable {
    /// The target computed, from what it received, the very ETag that the source has.
    case etag
    /// We computed the MD5 of what the source sent, and the target found the same.
    case md5
    /// The target checked the CRC of every part, and was seen to refuse a wrong one.
    case crc
    /// The target checked the SHA-256 of every part, and was seen to refuse a wrong one.
    case sha256
    /// The target checked what it received, as for `md5`, `crc` and `sha256`; but the bytes came to us over plain http,
    /// and no digest of the source's could be compared.
    case upload
    /// The sizes agree; nothing else can be compared.
    case size
    /// A skip, or a sample of what exists: the target's object is the source's.
    case same
    /// A skip, or a sample: the target's object is another one (older, newer, or another key's).
    case differs
    /// A sample of what exists: the target's lists have it, and the target has not.
    case missing
}

/// What an object has at the source that the target's copy has not.
public struct Losses: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The target takes no tags, or the source did not let us read them.
    public static let tags = Losses(rawValue: 1)
    /// The source could not send some metadata (`x-amz-missing-meta`).
    public static let metadata = Losses(rawValue: 2)

    /// The words of the log's proof column, in a fixed order.
    static let words: [(Losses, String)] = [(.tags, "no-tags"), (.metadata, "no-meta")]
}

/// Why an object failed, in the words of `failed.log`.
public struct Failure: Error, Sendable {
    public var stage: Stage
    public var faultClass: FaultClass
    /// The HTTP status of the last answer; nil when there was none.
    public var status: Int?
    /// The S3 error code of the last answer.
    public var code: String?
    /// How many exchanges of this object failed, all stages together.
    public var attempts: Int
    /// The ETag of an object of ours that the target shows although it is not right.
    public var ourETag: ETag?
    public var message: String

    public init(
        stage: Stage, faultClass: FaultClass, status: Int? = nil, code: String? = nil,
        attempts: Int, ourETag: ETag? = nil, message: String
    ) {
        self.stage = stage
        self.faultClass = faultClass
        self.status = status
        self.code = code
        self.attempts = attempts
        self.ourETag = ourETag
        self.message = message
    }
}

/// Where on its way an object was when it failed.
public enum Stage: String, Sendable, CaseIterable {
    /// Reading the object from the source.
    case get
    /// Reading its tags from the source.
    case getTags = "get-tags"
    /// Asking the source how large its parts are.
    case layout
    /// Asking the source, just before the PUT or the Complete, whether it still has the object.
    case recheck
    /// Asking the target whether it has the key.
    case head
    case put
    /// Beginning a multipart upload.
    case create
    /// Asking the target which parts it has.
    case listParts = "list-parts"
    /// Writing a part.
    case part
    case complete
    /// Ending an upload that is of no use.
    case abort
    /// Asking the target, after a refused PUT, whose object it has.
    case settle
    /// Writing the tags where a PUT cannot carry them.
    case putTags = "put-tags"
    /// Comparing what both sides have.
    case verify
    /// Asking the source for the comparison.
    case verifySource = "verify-source"
    /// Asking the target for the comparison.
    case verifyTarget = "verify-target"
}
