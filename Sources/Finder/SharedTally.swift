//! How far a listing is, counted by its threads and shown by another.

internal import Synchronization

/// Counters that only grow.
final class SharedTally: Sendable {
    /// Files that readers found.
    let found = Atomic(0)
    /// Lines that the writer has written.
    let objects = Atomic(0)
    /// Directories that the writer has come to.
    let directories = Atomic(0)
}
