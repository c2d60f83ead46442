//! Tells the operator of sides that are down, and when they have been so for too long.

internal import Linux
internal import Migration

/// Looks at both sides once a second.
struct OutageReporter: ~Copyable {
    private let sides: SharedSides
    private let timeout: Duration
    private let console: Console
    private var news: BothSides<OutageNews>
    /// Sides whose credentials were said to have expired.
    private var isExpiryTold = BothSides(source: false, target: false)

    init(_ sides: SharedSides, timeout: Duration, console: Console) {
        self.sides = sides
        self.timeout = timeout
        self.console = console
        news = BothSides {
            OutageNews(
                place: "\($0.rawValue): \(sides.settings[$0].endpoint)", timeout: timeout)
        }
    }

    /// Says what there is to say; gives the reason to end the run, if there is one.
    mutating func tick(at now: Instant) -> String? {
        for side in Side.allCases {
            if let reason = look(at: side, now) { return reason }
        }
        return nil
    }

    private mutating func look(at side: Side, _ now: Instant) -> String? {
        let condition = sides.condition(of: side)
        let downFor = condition.health.downFor(at: now)
        let text = news[side].take(downFor: downFor, reason: condition.health.reason)
        if let text { console.say(text) }
        tellOfExpiry(side, condition)
        if let downFor, downFor >= timeout {
            return "\(place(side)) has not answered for \(OutageNews.text(downFor)) "
                + "(\(condition.health.reason))\n  check the network, and that the server is up; "
                + "--outage-timeout says how long to wait"
        }
        guard let since = condition.term.expiredSince, now - since >= timeout else { return nil }
        return "\(expiry(side)), and after \(OutageNews.text(now - since)) there are no others: "
            + condition.credentialsProblem
    }

    private mutating func tellOfExpiry(_ side: Side, _ condition: SharedSides.SideState) {
        let isExpired = condition.term.expiredSince != nil
        defer { isExpiryTold[side] = isExpired }
        if isExpired, !isExpiryTold[side] {
            console.say(
                "\(expiry(side)); waiting for others (at most \(OutageNews.text(timeout)))")
        } else if !isExpired, isExpiryTold[side] {
            console.say("\(place(side)): going on with new credentials")
        }
    }

    private func expiry(_ side: Side) -> String {
        let name = sides.settings[side].renewal?.name ?? "the run"
        return "\(place(side)): the credentials of \(name) have expired"
    }

    private func place(_ side: Side) -> String {
        "\(side.rawValue): \(sides.settings[side].endpoint)"
    }
}

extension SharedSides.SideState {
    /// For `--status-file`.
    func status(at now: Instant) -> RunStatus.SideStatus {
        var status = RunStatus.SideStatus()
        if let downFor = health.downFor(at: now) {
            (status.state, status.downSeconds) = ("down", downFor.inSeconds)
        } else if let since = term.expiredSince {
            (status.state, status.downSeconds) = ("expired", (now - since).inSeconds)
        }
        status.concurrency = limit.current
        status.isThrottled = limit.isReduced
        status.throttledCount = limit.throttledCount
        return status
    }
}
