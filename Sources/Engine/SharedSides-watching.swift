//! What the threads that watch the sides are told to find out, and what comes of it.

internal import Linux
internal import Migration
internal import S3

extension SharedSides {
    /// What the watch of a side is to find out.
    struct Task: Sendable {
        var asksWhetherUp: Bool
        var asksForCredentials: Bool
        var credentials: Credentials
        var isExpired: Bool
    }

    /// Waits until a side is in doubt and it is time to ask; nil when the run is over.
    func nextTask(for side: Side, clock: Clock) -> Task? {
        while true {
            let now = clock.now
            let pause = state.withLock { $0.pause(side, at: now) }
            guard pause > .zero else { break }
            state.wait(
                for: changed, atMost: pause,
                until: { $0.isEnded || $0.pause(side, at: now) < pause }, then: { _ in })
        }
        return state.withLock { state in
            guard !state.isEnded else { return nil }
            let condition = state.sides[side]
            return Task(
                asksWhetherUp: condition.health.isInDoubt,
                asksForCredentials: condition.term.isInDoubt, credentials: condition.credentials,
                isExpired: condition.term.expiredSince != nil)
        }
    }

    /// Somebody answered, or nobody.
    func probed(_ side: Side, begunAt: Instant, at now: Instant, failure: String?) {
        change { state in
            if let failure {
                let reason = state.redaction.applied(to: failure)
                state.sides[side].health.failed(at: now, because: reason)
                state.sides[side].failedProbes += 1
            } else {
                state.sides[side].health.answered(begunAt: begunAt, endedAt: now)
                state.sides[side].failedProbes = 0
            }
            let delay = SideHealth.probeDelay(
                failedCount: state.sides[side].failedProbes, random: &state.random)
            state.sides[side].askAt = now + delay
        }
    }

    /// The source of the credentials was read, and gave others.
    func renew(_ side: Side, _ credentials: Credentials) {
        change { state in
            state.sides[side].credentials = credentials
            state.sides[side].term.renew()
            state.redaction.add(credentials)
        }
    }

    /// It gave the same; whether those are still good was asked at that moment.
    func kept(
        _ side: Side, isExpired: Bool, askedAt: Instant, at now: Instant, problem: String
    ) {
        change { state in
            let generation = state.sides[side].term.generation
            if isExpired {
                state.sides[side].term.refused(generation: generation, isSure: true, at: now)
            } else {
                state.sides[side].term.confirm(askedAt: askedAt)
            }
            state.sides[side].credentialsProblem = problem
            state.sides[side].askAt = now + Limits.credentialsCheckEvery
        }
    }

    var isEnded: Bool { state.withLock(\.isEnded) }

    /// The run is over; the watches end.
    func end() {
        state.withLock { $0.isEnded = true }
        changed.wakeAll()
    }
}

extension SharedSides.State {
    /// How long the watch of a side has nothing to do.
    fileprivate func pause(_ side: Side, at now: Instant) -> Duration {
        let side = sides[side]
        guard !isEnded else { return .zero }
        guard side.isInDoubt else { return .seconds(3600) }
        return max((side.askAt ?? now) - now, .zero)
    }
}
