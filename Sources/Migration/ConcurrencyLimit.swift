//! How many transfers at once a side can take: fewer when it throttles or slows down, more again when that is over.

/// What a worker has seen of a side since it last told.
public struct SideReport: Sendable {
    /// Answers of any kind but throttling.
    public var answerCount = 0
    /// Answers that ask for fewer requests (503 SlowDown, 429).
    public var throttledCount = 0
    /// How long the answers took together.
    public var time = Duration.zero
    /// Bodies of objects, either way.
    public var bytes: Int64 = 0
    /// When the youngest of the answered exchanges was begun.
    public var begunAt: Instant?
    /// When the last of them ended.
    public var endedAt: Instant?

    public init() {}

    public var isEmpty: Bool { answerCount == 0 && throttledCount == 0 }

    public mutating func count(
        isThrottled: Bool, begunAt begun: Instant, at now: Instant, bytes: Int64
    ) {
        if isThrottled { throttledCount += 1 } else { answerCount += 1 }
        time += now - begun
        self.bytes += bytes
        begunAt = max(begunAt ?? begun, begun)
        endedAt = now
    }
}

/// The transfers that a side may have at once: halved when it throttles, raised step by step while it does not.
///
/// At most, and from the beginning, as many as there are slots: what no server complains of costs no speed. It
/// bounds what is handed out anew; transfers that are under way are not stopped.
public struct ConcurrencyLimit: Sendable {
    public let most: Int
    public private(set) var current: Int
    /// Answers so far that asked for fewer requests.
    public private(set) var throttledCount = 0
    private var cutAt: Instant?
    private var raiseAt: Instant?
    /// By how much it is raised next.
    private var step = 1
    private var pace = SidePace()

    public init(most: Int) {
        precondition(most > 0, "somebody must be let in")
        self.most = most
        current = most
    }

    public var isReduced: Bool { current < most }

    /// Takes what was seen.
    ///
    /// - Parameter busy: the transfers that are under way, which may be more than the limit for a while after a cut.
    public mutating func take(_ report: SideReport, busy: Int, at now: Instant) {
        throttledCount += report.throttledCount
        let isSlower = pace.isMuchSlower(after: report, at: now)
        if report.throttledCount > 0 {
            // A throttled side shall first be left alone for a while, and then be tried again slowly.
            (step, raiseAt) = (1, now + Limits.concurrencyRaiseAfter)
            if mayCut(busy: busy, at: now) { cut(to: current / 2, at: now) }
        } else if isSlower, mayCut(busy: busy, at: now) {
            cut(to: max(current * 3 / 4, most / 4), at: now)
        } else if isReduced, let raiseAt, now >= raiseAt {
            raise(at: now)
        }
    }

    /// Not before the last cut has had its effect, else one burst of refusals would count many times.
    private func mayCut(busy: Int, at now: Instant) -> Bool {
        guard let cutAt else { return true }
        let age = now - cutAt
        return age >= Limits.concurrencyCutEvery
            && (busy <= current || age >= Limits.concurrencyCutWaitMax)
    }

    private mutating func cut(to wanted: Int, at now: Instant) {
        current = max(1, min(wanted, current))
        cutAt = now
        (step, raiseAt) = (1, now + Limits.concurrencyRaiseAfter)
    }

    private mutating func raise(at now: Instant) {
        current = min(most, current + step)
        step = min(step + 1, max(1, most / 8))
        raiseAt = now + Limits.concurrencyRaiseAfter
    }
}

extension SideReport {
    mutating func add(_ other: SideReport) {
        answerCount += other.answerCount
        throttledCount += other.throttledCount
        time += other.time
        bytes += other.bytes
        if let begun = other.begunAt { begunAt = max(begunAt ?? begun, begun) }
        endedAt = other.endedAt ?? endedAt
    }
}
