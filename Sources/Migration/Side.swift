//! The two ends of a migration.

/// Which of the two clusters an exchange is with.
public enum Side: String, Sendable, CaseIterable {
    case source
    case target
}
