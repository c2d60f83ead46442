//! What the operator is told of a side that is down: when it begins, now and then, and when it is over.

/// The lines about one side. They are few: an outage of an hour is some ten lines of a log.
public struct OutageNews: Sendable {
    private let place: String
    private let timeout: Duration
    /// How long the side had been down when it was last told.
    private var toldAfter: Duration?
    /// How long it has been down, as last seen.
    private var downFor = Duration.zero

    /// - Parameter place: `target: http://host:9000`.
    public init(place: String, timeout: Duration) {
        self.place = place
        self.timeout = timeout
    }

    /// What to say now, if anything.
    ///
    /// - Parameters:
    ///   - downFor: how long the side has been down; nil while it is up.
    ///   - reason: what the last attempt to reach it met.
    public mutating func take(downFor: Duration?, reason: String) -> String? {
        guard let downFor else { return isOver() }
        self.downFor = downFor
        guard toldAfter.map({ downFor >= $0 * 3 }) ?? true else { return nil }
        toldAfter = max(downFor, .seconds(10))
        let said = reason.isEmpty ? "" : " (\(reason))"
        return "\(place) has not answered for \(Self.text(downFor))\(said); waiting (at most "
            + "\(Self.text(timeout)))"
    }

    private mutating func isOver() -> String? {
        guard toldAfter != nil else { return nil }
        toldAfter = nil
        return "\(place) answers again after \(Self.text(downFor))"
    }

    /// `35 s`, `2 min`, `1 h`: to about two digits.
    public static func text(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        default: return "\(seconds / 3600) h"
        }
    }
}
