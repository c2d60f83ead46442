//! How far away a run's sides are.

internal import Migration

extension RunSettings {
    /// How far both sides are away, together, as their quickest answers tell. What a near server may need to think does
    /// not count: bytes under way do not make it quicker.
    static func roundTrip(quickest: BothSides<Duration?>) -> Duration {
        [quickest.source, quickest.target].compactMap(\.self).reduce(.zero) { sum, answer in
            sum + max(.zero, answer - Limits.nearAnswerMax)
        }
    }
}
