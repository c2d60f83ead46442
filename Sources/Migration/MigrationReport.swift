//! Whether a migration is complete, over the log folders of all hosts and passes: `s3migrate report`.

/// The whole of it. Field names are part of the contract with scripts.
public struct MigrationReport: Codable, Sendable {
    /// One host's share of a pass: a hash value.
    public struct Host: Codable, Sendable, Equatable {
        public var hashValue: Int
        public var folders: [String]
        /// `finished`, as `ending` in `summary.json` (`interrupted`, `first`, `stopped`), `running`, `died` (there is
        /// no summary) or `missing` (there is no folder).
        public var state: String
        /// Different keys in its logs.
        public var logged: Int

        enum CodingKeys: String, CodingKey {
            case hashValue = "hash_value"
            case folders, state, logged
        }
    }

    /// The runs over the same lists: the migration, a second pass over what failed, a differential pass.
    public struct Pass: Codable, Sendable, Equatable {
        public var sourceLists: [String]
        public var hashCount: Int
        /// Keys in the lists; nil when no run told.
        public var objects: Int?
        /// Different keys in the logs.
        public var logged: Int
        public var hosts: [Host]

        enum CodingKeys: String, CodingKey {
            case sourceLists = "source_lists"
            case hashCount = "hash_count"
            case objects, logged, hosts
        }
    }

    public var isComplete = false
    /// Why it is not complete, the gravest first.
    public var reasons: [String] = []
    /// What is worth a look although it is complete.
    public var warnings: [String] = []
    public var source: RunIdentity.Place
    public var target: RunIdentity.Place
    /// Oldest first.
    public var passes: [Pass] = []

    /// Different keys in all logs; the sum of the next five.
    public var objects = 0
    public var exist = 0
    public var copied = 0
    public var skippedSource = 0
    public var skippedTarget = 0
    public var failed = 0
    /// Failures that a later pass made good; they are counted as what they are now.
    public var healed = 0
    public var bytesCopied: Int64 = 0
    public var proofs: [String: ReportTally.Count] = [:]
    public var skips: [String: ReportTally.Count] = [:]
    /// Keys of the target's lists that it was asked for, by what it answered.
    public var existSamples: [String: ReportTally.Count]?
    public var lostTags: ReportTally.Count?
    public var lostMetadata: ReportTally.Count?
    /// Keys at which a copy took the place of another object (`--overwrite`), at least once.
    public var replaced: ReportTally.Count?
    public var errors: [String: FailureCauses.Cause] = [:]

    enum CodingKeys: String, CodingKey {
        case isComplete = "complete"
        case reasons, warnings, source, target, passes, objects, exist, copied
        case skippedSource = "skipped_source"
        case skippedTarget = "skipped_target"
        case failed, healed
        case bytesCopied = "bytes_copied"
        case proofs, skips
        case existSamples = "exist_samples"
        case lostTags = "lost_tags"
        case lostMetadata = "lost_metadata"
        case replaced, errors
    }

    public func encoded() -> [UInt8] { JSONText.encoded(self) }
}

extension MigrationReport {
    /// Sums up what was read.
    /// - Parameters:
    ///   - folders: at least one, oldest first, as the tally has them.
    ///   - severalEndpoints: hosts reach one cluster through different addresses.
    public init?(
        _ folders: [LogFolderFacts], _ tally: ReportTally, _ causes: FailureCauses,
        severalEndpoints: Bool = false
    ) {
        guard let first = folders.first else { return nil }
        source = first.identity.source
        target = first.identity.target
        takeCounts(tally)
        errors = causes.causes
        passes = PassPlan(folders).passes(folders, tally)
        var judgement = ReportJudgement(self, folders, tally)
        judgement.severalEndpoints = severalEndpoints
        reasons = judgement.reasons
        warnings = judgement.warnings(countsLines: causes.countsLines)
        isComplete = reasons.isEmpty
    }

    private mutating func takeCounts(_ tally: ReportTally) {
        objects = tally.keys
        exist = tally.outcomes[.exist] ?? 0
        copied = tally.outcomes[.copied] ?? 0
        skippedSource = tally.outcomes[.skippedSource] ?? 0
        skippedTarget = tally.outcomes[.skippedTarget] ?? 0
        failed = tally.outcomes[.failed] ?? 0
        healed = tally.healed
        bytesCopied = tally.copiedBytes
        proofs = Self.named(tally.proofs)
        skips = Self.named(tally.skips)
        existSamples = Self.named(tally.samples)
        lostTags = tally.lostTags
        lostMetadata = tally.lostMetadata
        replaced = tally.replaced
    }

    private static func named(_ counts: [Proof: ReportTally.Count]) -> [String: ReportTally.Count] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }
}
