//! Whether a side answers at all: tells an endpoint that is down from an object that cannot be had.

/// Hears how every exchange with one side ended, and says what it means when one got no answer.
///
/// Such an exchange says little by itself: it may be the object's fault, or nobody is there any more. Only an exchange
/// that was begun later, and was answered, proves that the side was up all the while; until then nobody knows, and
/// the fault is kept back. If no answer comes to anybody, the side is down.
public struct SideHealth: Sendable {
    public enum State: Sendable, Equatable {
        /// → `down`
        case up
        /// Nothing is sent but probes. → `up`
        case down(since: Instant)
    }

    /// What it was that an exchange got no answer.
    public enum Cause: Sendable, Equatable {
        case notKnownYet
        /// Others were answered: it counts against the object.
        case own
        /// It counts against nobody.
        case outage
    }

    /// Faults in a row, with no answer to anybody in between.
    private struct Silence: Sendable {
        var began: Instant
        var faultCount: Int
    }

    public private(set) var state = State.up
    /// What was said of the last exchange without an answer.
    public private(set) var reason = ""
    private var silence: Silence?
    private var lastFaultAt: Instant?
    /// No fault before this waits to be explained.
    private var unexplainedSince: Instant?
    /// The side is known to have been up at this moment: then an exchange was begun that it answered.
    private var provedAt: Instant?
    private var lastOutage: ClosedRange<Instant>?

    public init() {}

    /// An exchange was answered, whatever the answer says. One may be told of late, so what ended before the
    /// silence began does not end it.
    public mutating func answered(begunAt: Instant, endedAt: Instant) {
        defer { prove(begunAt) }
        guard let silence, endedAt > silence.began else { return }
        self.silence = nil
        guard case .down(let since) = state else { return }
        // An answer that was long on its way may have come after the first fault.
        lastOutage = min(unexplainedSince ?? since, since)...endedAt
        state = .up
    }

    private mutating func prove(_ begunAt: Instant) {
        provedAt = max(provedAt ?? begunAt, begunAt)
        guard let since = unexplainedSince, let lastFaultAt, begunAt >= since else { return }
        unexplainedSince = lastFaultAt > begunAt ? begunAt : nil
    }

    /// An exchange got no answer.
    public mutating func failed(at now: Instant, because reason: String) {
        self.reason = reason
        lastFaultAt = now
        unexplainedSince = unexplainedSince ?? now
        var silence = self.silence ?? Silence(began: now, faultCount: 0)
        silence.faultCount += 1
        self.silence = silence
        guard state == .up, silence.faultCount >= Limits.outageFaultsMin,
            now - silence.began >= Limits.outageSilenceMin
        else { return }
        state = .down(since: silence.began)
    }

    /// What it was that an exchange got no answer at that moment.
    public func cause(ofFaultAt time: Instant) -> Cause {
        if case .down = state { return .notKnownYet }
        if let lastOutage, lastOutage.contains(time) { return .outage }
        return isProved(since: time) ? .own : .notKnownYet
    }

    /// Whether somebody should ask whether anybody is there.
    public var isInDoubt: Bool {
        if case .down = state { return true }
        return lastFaultAt.map { !isProved(since: $0) } ?? false
    }

    private func isProved(since time: Instant) -> Bool { provedAt.map { $0 >= time } ?? false }

    /// How long it has not answered; nil while it is up.
    public func downFor(at now: Instant) -> Duration? {
        guard case .down(let since) = state else { return nil }
        return now - since
    }
}

extension SideHealth {
    /// How long to wait before the next probe of a side in doubt: half the figure at least, so that probes neither come
    /// all at once from all hosts nor hammer a server that begins to answer.
    ///
    /// - Parameter failedCount: how many probes in a row have failed.
    public static func probeDelay(failedCount: Int, random: inout SeededRandom) -> Duration {
        let longest = min(
            Limits.probeDelayMin * (1 << min(failedCount, 20)), Limits.probeDelayMax)
        let milliseconds = longest.milliseconds
        return .milliseconds(Int64.random(in: milliseconds / 2...milliseconds, using: &random))
    }
}
