//! What a run is for: to copy objects, or to compare them; and so which log it writes, in which words.

/// The two kinds of runs. Both take the objects of lists one by one and log what became of each.
public enum RunKind: String, Sendable, CaseIterable {
    case copy
    case verify

    /// The log that has a line for each object, in key order.
    public var logName: String {
        switch self {
        case .copy: "migrate.log"
        case .verify: "verify.log"
        }
    }

    /// Whether that log has this word in its second column.
    public func knows(_ outcome: Outcome.Kind) -> Bool {
        switch outcome {
        case .failed: true
        case .copied, .exist, .skippedSource, .skippedTarget: self == .copy
        case .same, .differs, .missing, .gone, .extra: self == .verify
        }
    }

    /// All that it knows.
    public var outcomes: [Outcome.Kind] { Outcome.Kind.allCases.filter(knows) }

    /// In words for the operator.
    public var name: String {
        switch self {
        case .copy: "a migration"
        case .verify: "a verification"
        }
    }
}

/// How closely a verification looks.
public enum VerifyDepth: String, Sendable, Codable, CaseIterable {
    /// Asks both sides for size, ETag, metadata and tags.
    case facts
    /// Reads both objects as well, and compares their bytes.
    case content
}
