//! Notices that most objects are at the target already, so that asking before reading is the cheaper way.

/// Whether more than half of the last thousand objects turned out to exist at the target.
///
/// A pass over a bucket that is mostly copied would else read every object only to have its PUT refused.
struct ExistenceGauge: Sendable {
    /// Which of the last ones existed, oldest first from `next` on.
    private var last: [Bool] = []
    private var next = 0
    private var existing = 0

    /// More than half; before there are a thousand, nothing is concluded.
    var isHigh: Bool { last.count == Limits.existenceSample && existing * 2 > last.count }

    /// Takes what became of an object that was handed out.
    mutating func take(_ kind: Outcome.Kind) {
        let existed = kind == .skippedTarget
        existing += existed ? 1 : 0
        guard last.count == Limits.existenceSample else { return last.append(existed) }
        existing -= last[next] ? 1 : 0
        last[next] = existed
        next = (next + 1) % last.count
    }
}
