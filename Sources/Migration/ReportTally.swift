//! What became of every key, over the logs of all folders: the report's second source.

public import S3

/// Counts keys by their last word.
///
/// A later folder heals an earlier one's failure. What we copied stays our copy where a later pass only found it
/// there again, with all that is known of it.
public struct ReportTally: Sendable {
    /// How many keys, and one of them.
    public struct Count: Sendable, Equatable, Codable {
        public var count: Int
        public var example: String
    }

    /// Of each folder, by index: the last word of each of its keys.
    public private(set) var folders: [[Outcome.Kind: Int]]
    /// Of each folder: keys that another share has to copy.
    public private(set) var foreign: [Int]
    /// Of each host, by index: different keys, over all its folders.
    public private(set) var hosts: [Int]
    public private(set) var keys = 0
    public private(set) var outcomes: [Outcome.Kind: Int] = [:]
    public private(set) var copiedBytes: Int64 = 0
    public private(set) var proofs: [Proof: Count] = [:]
    /// Skips at the target, by what was found there; those that could not be looked at have none.
    public private(set) var skips: [Proof: Count] = [:]
    /// Keys of the target's lists that it was asked for, by what it answered.
    public private(set) var samples: [Proof: Count] = [:]
    public private(set) var lostTags: Count?
    public private(set) var lostMetadata: Count?
    /// Keys at which another object was replaced by a copy, in whichever folder, and whatever became of them later.
    public private(set) var replaced: Count?
    /// Failures that a later folder made good.
    public private(set) var healed = 0

    private let shards: [Shard]
    private let hostOfFolder: [Int]

    /// - Parameters:
    ///   - shards: of each folder.
    ///   - hostOfFolder: of each folder, which host of which pass has written it, as `PassPlan` counts them.
    public init(shards: [Shard], hostOfFolder: [Int]) {
        self.shards = shards
        self.hostOfFolder = hostOfFolder
        folders = shards.map { _ in [:] }
        foreign = shards.map { _ in 0 }
        hosts = [Int](repeating: 0, count: (hostOfFolder.max() ?? -1) + 1)
    }

    /// Takes all words on a key, oldest first.
    /// - Returns: what became of it in the end.
    @discardableResult
    public mutating func take(
        _ key: ObjectKey, _ words: [(folder: Int, line: MigrateLogLine)]
    ) -> Outcome.Kind? {
        guard let last = words.last?.line else { return nil }
        keys += 1
        countFolders(key, words)
        let hasFailed = words.contains { $0.line.outcome == .failed }
        if hasFailed, last.outcome != .failed { healed += 1 }
        if words.contains(where: { $0.line.isReplacement }) { Self.count(&replaced, key) }
        let copy = words.last { $0.line.outcome == .copied }?.line
        count(last.isFoundAgain ? copy ?? last : last)
        return last.outcome
    }

    private mutating func countFolders(
        _ key: ObjectKey, _ words: [(folder: Int, line: MigrateLogLine)]
    ) {
        for (index, word) in words.enumerated() {
            // In a folder, too, the last word counts.
            let isLast = index + 1 == words.count || words[index + 1].folder != word.folder
            guard isLast else { continue }
            folders[word.folder][word.line.outcome, default: 0] += 1
            if !shards[word.folder].contains(key) { foreign[word.folder] += 1 }
            let host = hostOfFolder[word.folder]
            let isFirst = words[..<index].allSatisfy {
                $0.folder == word.folder || hostOfFolder[$0.folder] != host
            }
            if isFirst { hosts[host] += 1 }
        }
    }

    private mutating func count(_ line: MigrateLogLine) {
        outcomes[line.outcome, default: 0] += 1
        switch line.outcome {
        case .copied: countCopy(line)
        case .skippedTarget:
            if let proof = line.proof { Self.count(&skips[proof], line.key) }
        case .exist:
            if let proof = line.proof { Self.count(&samples[proof], line.key) }
        case .skippedSource, .failed: break
        // Of verifications there is no report.
        case .same, .differs, .missing, .gone, .extra: break
        }
    }

    private mutating func countCopy(_ copy: MigrateLogLine) {
        copiedBytes += copy.sizeBytes ?? 0
        if let proof = copy.proof { Self.count(&proofs[proof], copy.key) }
        if copy.losses.contains(.tags) { Self.count(&lostTags, copy.key) }
        if copy.losses.contains(.metadata) { Self.count(&lostMetadata, copy.key) }
    }

    private static func count(_ count: inout Count?, _ key: ObjectKey) {
        if count == nil { count = Count(count: 0, example: KeyListLine.escaped(key)) }
        count?.count += 1
    }
}

extension MigrateLogLine {
    /// Whether the target had the object, and it was the source's.
    fileprivate var isFoundAgain: Bool {
        outcome == .exist && proof != .missing || outcome == .skippedTarget && proof == .same
    }
}
