//! The wish to stop, raised by a signal and looked at by every thread.

internal import Synchronization

/// Raised once, never lowered. Safe to raise in a signal handler: it is one atomic exchange.
public final class StopFlag: Sendable {
    private let flag = Atomic(false)

    public init() {}

    /// False when it was raised before.
    @discardableResult
    public func raise() -> Bool {
        !flag.exchange(true, ordering: .relaxed)
    }

    public var isRaised: Bool { flag.load(ordering: .relaxed) }
}
