//! What a run did, in figures: `summary.json`, and the last lines on the terminal.

/// The end of a run. Field names are part of the contract with scripts.
public struct RunSummary: Codable, Sendable {
    public static let fileName = "summary.json"

    public struct ErrorCount: Codable, Sendable {
        public var count: Int
        /// One of them: the key, as lists write it, and what happened.
        public var exampleKey: String
        public var exampleMessage: String

        enum CodingKeys: String, CodingKey {
            case count
            case exampleKey = "example_key"
            case exampleMessage = "example_message"
        }
    }

    public var program = ""
    /// `finished`, `interrupted`, `stopped` or `first` (the run ended after `--first` objects).
    public var ending = ""
    public var reason: String?
    public var exitCode: Int32 = 0
    public var started = ""
    public var seconds: Double = 0
    public var isDryRun = false
    public var hashCount = 1
    public var hashValue = 0

    public var objects = 0
    public var before = 0
    public var ignored = 0
    public var exist = 0
    public var copied = 0
    public var skippedSource = 0
    public var skippedTarget = 0
    public var failed = 0
    /// Failed in the part of the run that this one continues; they are among `before`.
    public var failedBefore = 0
    public var notReached = 0
    /// `objects` is the sum of all the others.
    public var identityHolds = false

    public var bytesListed: Int64?
    public var bytesCopied: Int64 = 0
    public var proofs: [String: Int] = [:]
    public var skips: [String: Int] = [:]
    /// What the target was asked for of the keys that its lists have, by what it answered.
    public var existSamples: [String: Int]?
    /// Copies that took the place of another object (`--overwrite`); earlier versions did not tell.
    public var replaced: Int? = 0
    public var lostTags = 0
    public var lostMetadata = 0
    /// Keys in both lists whose sizes or ETags differ.
    public var existDiffers = 0
    public var targetOnly = 0
    public var errors: [String: ErrorCount] = [:]
    public var weakConditions = false
    /// As `weakConditions`, for objects that move in parts.
    public var weakCompletes = false
    /// Multipart uploads of ours that the target still has: of objects that failed, or were not finished.
    public var uploadsOpen = 0
    /// Of a verification only.
    public var verify: VerifySummary?

    public init() {}

    /// Takes over what the ledger and the lists counted, and does the sum.
    ///
    /// Everything is counted where it happens, so that the identity can fail: a key that got lost between the
    /// lists and the logs shows here.
    ///
    /// - Parameter objects: the keys of the source's lists; a verification has also those that only the target's lists
    ///   have.
    public mutating func take(
        _ ledger: Ledger, _ counters: KeyStreamCounters, objects: Int
    ) {
        let tally = ledger.tally
        let objects = verify == nil ? objects : objects + counters.targetOnly
        self.objects = objects
        before = counters.before
        ignored = counters.ignored
        exist = tally.exist
        copied = tally.copied
        skippedSource = tally.skippedSource
        skippedTarget = tally.skippedTarget
        failed = tally.failed
        let unread = objects - counters.before - counters.ignored - ledger.admittedCount
        notReached = unread + ledger.unloggedCount()
        identityHolds =
            objects == before + ignored + tally.handled + notReached && notReached >= 0
        bytesCopied = tally.copiedBytes
        proofs = Dictionary(uniqueKeysWithValues: tally.proofs.map { ($0.key.rawValue, $0.value) })
        skips = Dictionary(uniqueKeysWithValues: tally.skips.map { ($0.key.rawValue, $0.value) })
        existSamples = Dictionary(
            uniqueKeysWithValues: tally.samples.map { ($0.key.rawValue, $0.value) })
        uploadsOpen = ledger.uploads.records.count
        replaced = tally.replaced
        verify?.take(tally)
        lostTags = tally.lostTags
        lostMetadata = tally.lostMetadata
        existDiffers = counters.existDiffers
        targetOnly = counters.targetOnly
        errors = Dictionary(
            uniqueKeysWithValues: tally.errors.map { faultClass, error in
                let example = ErrorCount(
                    count: error.count, exampleKey: KeyListLine.escaped(error.exampleKey),
                    exampleMessage: LogField.cleaned(error.exampleMessage))
                return (faultClass.rawValue, example)
            })
    }

    public func encoded() -> [UInt8] { JSONText.encoded(self) }

    enum CodingKeys: String, CodingKey {
        case program, ending, reason
        case exitCode = "exit_code"
        case started, seconds
        case isDryRun = "dry_run"
        case hashCount = "hash_count"
        case hashValue = "hash_value"
        case objects, before, ignored, exist, copied
        case skippedSource = "skipped_source"
        case skippedTarget = "skipped_target"
        case failed
        case failedBefore = "failed_before"
        case notReached = "not_reached"
        case identityHolds = "identity_holds"
        case bytesListed = "bytes_listed"
        case bytesCopied = "bytes_copied"
        case proofs, skips, replaced
        case existSamples = "exist_samples"
        case lostTags = "lost_tags"
        case lostMetadata = "lost_metadata"
        case existDiffers = "exist_differs"
        case targetOnly = "target_only"
        case errors
        case weakConditions = "weak_conditions"
        case weakCompletes = "weak_completes"
        case uploadsOpen = "uploads_open"
        case verify
    }
}
