//! Whether the credentials of a side are still good, and when they are to be read again.

/// The life of a side's temporary credentials: their numbers, and the refusals of them.
///
/// A session token ends at a time that we do not know. The refusal of a request with a body says so in words; that of a
/// HEAD is a bare 400 or 403, which may as well be the object's own. So it is kept back until the file that the
/// credentials came from was read again and the side was asked in words.
public struct CredentialsTerm: Sendable {
    /// What becomes of a refusal.
    public enum Verdict: Sendable, Equatable {
        case notKnownYet
        /// It had nothing to do with the credentials.
        case own
        /// There are others now: again with those.
        case renewed
    }

    /// How often they were replaced.
    public private(set) var generation = 0
    /// When it was first seen that the present ones are no longer good.
    public private(set) var expiredSince: Instant?
    private var suspectedAt: Instant?
    /// When it was last asked, and found, that the present ones are good.
    private var confirmedAt: Instant?

    public init() {}

    /// A request that was signed with the credentials of this number was refused.
    ///
    /// - Parameter isSure: the refusal said that they have expired.
    public mutating func refused(generation: Int, isSure: Bool, at now: Instant) {
        guard generation == self.generation else { return }
        if isSure { expiredSince = expiredSince ?? now } else { suspectedAt = now }
    }

    public func verdict(generation: Int, refusedAt time: Instant) -> Verdict {
        if generation < self.generation { return .renewed }
        guard expiredSince == nil, let confirmedAt, confirmedAt >= time else { return .notKnownYet }
        return .own
    }

    /// Whether their source is to be read again.
    public var isInDoubt: Bool { expiredSince != nil || suspectedAt != nil }

    /// Their source has others.
    public mutating func renew() {
        generation += 1
        (expiredSince, suspectedAt, confirmedAt) = (nil, nil, nil)
    }

    /// Their source has the same, and the side says, asked at that moment, that they are good.
    public mutating func confirm(askedAt: Instant) {
        confirmedAt = askedAt
        if let suspectedAt, suspectedAt <= askedAt { self.suspectedAt = nil }
    }
}
