//! What was counted so far: the figures of the progress line and of the summary.

public import S3

/// Counts of what became of the objects that were handled, by outcome, proof, loss and fault.
public struct Tally: Sendable {
    public private(set) var exist = 0
    public private(set) var copied = 0
    public private(set) var skippedSource = 0
    public private(set) var skippedTarget = 0
    public private(set) var failed = 0
    /// Of a verification; its proofs are in `proofs`.
    public private(set) var same = 0
    public private(set) var differs = 0
    public private(set) var missing = 0
    public private(set) var gone = 0
    public private(set) var extra = 0
    /// The sizes of the objects that are the same.
    public private(set) var sameBytes: Int64 = 0
    public private(set) var copiedBytes: Int64 = 0
    public private(set) var proofs: [Proof: Int] = [:]
    /// Skips by what was found at the target.
    public private(set) var skips: [Proof: Int] = [:]
    /// What the target was asked for of the keys that its lists have, by what it answered.
    public private(set) var samples: [Proof: Int] = [:]
    /// Copies that took the place of another object.
    public private(set) var replaced = 0
    public private(set) var lostTags = 0
    public private(set) var lostMetadata = 0
    public private(set) var errors: [FaultClass: ErrorCount] = [:]

    /// How often a class of fault ended an object, with one of them as an example.
    public struct ErrorCount: Sendable {
        public var count: Int
        public var exampleKey: ObjectKey
        public var exampleMessage: String
    }

    public init() {}

    /// All that were handled.
    public var handled: Int { exist + copied + skippedSource + skippedTarget + failed + compared }

    /// Of which a verification has a result.
    private var compared: Int { same + differs + missing + gone + extra }

    /// What the target lacks, as far as we know: the lines of failed.log, but for repeated ones.
    public var unsettled: Int { failed + differs + missing }

    public mutating func countExist(_ count: Int) {
        exist += count
    }

    public mutating func count(_ outcome: Outcome, key: ObjectKey) {
        count(known: MigrateLogLine(key: key, outcome: outcome))
        if let failure = outcome.failure { countError(failure, key: key) }
    }

    /// Counts what an earlier run wrote to `ahead.log`; why something failed is in that run's `failed.log`.
    public mutating func count(known line: MigrateLogLine) {
        switch line.outcome {
        case .exist:
            exist += 1
            if let proof = line.proof { samples[proof, default: 0] += 1 }
        case .skippedSource: skippedSource += 1
        case .copied:
            copied += 1
            copiedBytes += line.sizeBytes ?? 0
            replaced += line.isReplacement ? 1 : 0
            if let proof = line.proof { proofs[proof, default: 0] += 1 }
        case .skippedTarget:
            skippedTarget += 1
            if let proof = line.proof { skips[proof, default: 0] += 1 }
        case .failed: failed += 1
        case .same:
            same += 1
            sameBytes += line.sizeBytes ?? 0
            if let proof = line.proof { proofs[proof, default: 0] += 1 }
        case .differs: differs += 1
        case .missing: missing += 1
        case .gone: gone += 1
        case .extra: extra += 1
        }
        countLosses(line.losses)
    }

    private mutating func countLosses(_ losses: Losses) {
        if losses.contains(.tags) { lostTags += 1 }
        if losses.contains(.metadata) { lostMetadata += 1 }
    }

    private mutating func countError(_ failure: Failure, key: ObjectKey) {
        let example = ErrorCount(count: 0, exampleKey: key, exampleMessage: failure.message)
        errors[failure.faultClass, default: example].count += 1
    }
}
