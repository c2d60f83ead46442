//! A point in time that the deciding code is told, since it may not ask for it.

/// A moment of the run's one clock, which never goes back. It is read once per turn of a loop and handed down.
public struct Instant: Comparable, Hashable, Sendable {
    /// Since the clock's own beginning.
    public let elapsed: Duration

    public init(elapsed: Duration) {
        self.elapsed = elapsed
    }

    public static func < (left: Instant, right: Instant) -> Bool { left.elapsed < right.elapsed }

    public static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(elapsed: instant.elapsed + duration)
    }

    public static func - (left: Instant, right: Instant) -> Duration {
        left.elapsed - right.elapsed
    }
}

extension Duration {
    /// The whole milliseconds in this, for logs.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// As a number of seconds, for rates and estimates.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
