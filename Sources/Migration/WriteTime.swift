//! When an object was written, by our own clock: what makes two servers' dates comparable.

internal import S3

/// Two moments between which an object was written, as far as an answer about it tells.
///
/// A server writes `Date` and `Last-Modified` by one clock, so their difference is the object's age however wrong that
/// clock is. The answer was written between our question and its coming, and both dates lack their fractions of a
/// second, which makes an age sure to a second more or less.
struct WriteTime: Sendable, Equatable {
    let earliest: Instant
    let latest: Instant

    /// nil where the answer lacks one of the dates.
    init?(_ facts: ObjectFacts, date: Timestamp?, asked: Instant, answered: Instant) {
        guard let date, let modified = facts.lastModified.flatMap({ Timestamp(httpDate: $0) })
        else { return nil }
        let age = Duration.seconds(date.secondsSince1970 - modified.secondsSince1970)
        earliest = Instant(elapsed: asked.elapsed - age - .seconds(1))
        latest = Instant(elapsed: answered.elapsed - age + .seconds(1))
    }

    /// Whether this write was before the other, beyond the doubt of seconds and slow answers.
    func isSurelyBefore(_ other: WriteTime) -> Bool { latest < other.earliest }
}
