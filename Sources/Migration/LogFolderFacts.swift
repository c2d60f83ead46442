//! What a log folder says of its run, beside the objects: the report's first source.

/// `run.json` and `summary.json` of a log folder, and whether somebody writes to it now.
public struct LogFolderFacts: Sendable {
    public var path: String
    public var identity: RunIdentity
    /// nil when no run came to its end there.
    public var summary: RunSummary?
    /// Whether a run holds the folder's lock.
    public var isInUse: Bool

    public init(
        path: String, identity: RunIdentity, summary: RunSummary? = nil, isInUse: Bool = false
    ) {
        self.path = path
        self.identity = identity
        self.summary = summary
        self.isInUse = isInUse
    }

    /// What the source's lists are, whatever path a host has them under.
    var sourceListings: [String] { Self.listings(identity.sourceLists) }
    var targetListings: [String] { Self.listings(identity.targetLists) }

    /// Whether a run ended because there was nothing left to do.
    var isFinished: Bool { summary?.ending == "finished" && !isInUse }

    /// `run.json` has `PATH (LISTING)` for each folder of lists.
    private static func listings(_ names: [String]) -> [String] {
        names.map { name in
            guard name.hasSuffix(")"), let start = name.lastIndex(of: "(") else { return name }
            return String(name[start...].dropFirst().dropLast())
        }.sorted()
    }
}

extension RunSummary {
    /// Reads `summary.json`; nil when it is not one of ours.
    public init?(decoding bytes: [UInt8]) {
        guard let summary = JSONText.decoded(RunSummary.self, from: bytes) else { return nil }
        self = summary
    }
}
