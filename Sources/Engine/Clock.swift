//! The run's one clock, and the two servers' clocks beside it.

internal import CLinux
internal import Glibc
public import Migration
public import S3
internal import Synchronization

/// Where the time comes from. It is asked once per turn of a loop, and the answer is handed down.
public final class Clock: Sendable {
    /// How far each server's clock is ahead of ours, in seconds, after it complained.
    private let sourceOffsetSeconds = Atomic<Int>(0)
    private let targetOffsetSeconds = Atomic<Int>(0)

    public init() {}

    public var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(
            elapsed: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
    }

    /// The time of day, by this host.
    public var timeOfDay: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(secondsSince1970: Int64(time.tv_sec))
    }

    /// The time of day by which requests to a side are signed.
    public func timeOfDay(at side: Side) -> Timestamp {
        let offset =
            switch side {
            case .source: sourceOffsetSeconds.load(ordering: .relaxed)
            case .target: targetOffsetSeconds.load(ordering: .relaxed)
            }
        return Timestamp(secondsSince1970: timeOfDay.secondsSince1970 + Int64(offset))
    }

    /// Takes over what a server says the time is.
    public func correct(_ server: ServerClock) {
        let difference = Int(server.now.secondsSince1970 - timeOfDay.secondsSince1970)
        switch server.side {
        case .source: sourceOffsetSeconds.store(difference, ordering: .relaxed)
        case .target: targetOffsetSeconds.store(difference, ordering: .relaxed)
        }
    }
}
