//! What the operator asked for, checked and complete.

public import Migration

/// Everything that a run is told from outside.
public struct RunSettings: Sendable {
    public var source: SideSettings
    public var target: SideSettings
    public var sourceFolders: [String]
    public var targetFolders: [String]
    public var rules: TransferRules
    public var shard: Shard
    public var start: LogFolder.Start = .fresh
    /// Ends after so many objects of this host's share.
    public var first: Int?
    public var threads: Int
    public var transfers = Limits.transfersDefault
    public var memoryBytes: Int64
    public var timeout = Duration.seconds(60)
    /// How far both sides are away, together; found out before the run.
    var roundTrip = Duration.zero
    /// A run waits so long for a side that is down.
    public var outageTimeout = Limits.outageTimeoutDefault
    /// Ends when so many objects have failed.
    public var failuresMax: Int?
    public var logFolder = "."
    public var statusFile: String?
    public var isDryRun = false
    /// How closely a verification looks; nil for a run that copies.
    public var verify: VerifyDepth?
    public var allowsWeakConditions = false
    public var allowsIncompleteLists = false
    public var allowsMissing = false
    /// Name and version, for summary.json.
    public var program: String

    public init(
        source: SideSettings, target: SideSettings, sourceFolders: [String],
        targetFolders: [String], rules: TransferRules, shard: Shard, threads: Int,
        memoryBytes: Int64, program: String
    ) {
        self.source = source
        self.target = target
        self.sourceFolders = sourceFolders
        self.targetFolders = targetFolders
        self.rules = rules
        self.shard = shard
        self.threads = threads
        self.memoryBytes = memoryBytes
        self.program = program
    }

    var slots: Int { threads * transfers }
    var kind: RunKind { verify == nil ? .copy : .verify }
}

/// Why a run did not begin, or not go on.
public enum RunError: Error, Sendable, CustomStringConvertible {
    /// Exit code 2: options or lists are wrong.
    case badInput(String)
    /// Exit code 3: credentials, bucket, disk.
    case cannotGoOn(String)

    public var description: String {
        switch self {
        case .badInput(let text), .cannotGoOn(let text): text
        }
    }
}

/// How a program of ours ends.
public enum ExitStatus: Int32, Sendable {
    /// Every object was handled.
    case handled = 0
    /// Some objects failed: see failed.log.
    case someFailed = 1
    /// Usage or bad input.
    case badInput = 2
    /// The run cannot go on: credentials, bucket, disk, wrong lists.
    case cannotGoOn = 3
    case interrupted = 130
}
