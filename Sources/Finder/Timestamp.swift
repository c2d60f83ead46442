//! Times as lists and manifests write them: ISO 8601, UTC, whole seconds.

internal import Glibc

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
struct Timestamp: Equatable, Comparable {
    let seconds: Int64

    /// Read where a listing begins and ends, and nowhere else.
    static func now() -> Timestamp {
        Timestamp(seconds: Int64(time(nil)))
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds < right.seconds
    }

    /// `2026-01-01T00:00:00Z`; nil outside of the years 0 to 9999, which the form cannot tell.
    var text: String? {
        guard Timestamp.expressible.contains(seconds) else { return nil }
        let (days, second) = seconds.quotientAndRemainderRoundedDown(by: 86_400)
        let date = civilDate(daysSince1970: days)
        return String(unsafeUninitializedCapacity: 20) { bytes in
            var count = 0
            func put(_ value: Int64, digits: Int, then end: Unicode.Scalar) {
                var value = value
                for place in stride(from: count + digits - 1, through: count, by: -1) {
                    bytes[place] = UInt8(ascii: "0") + UInt8(value % 10)
                    value /= 10
                }
                bytes[count + digits] = UInt8(ascii: end)
                count += digits + 1
            }
            put(date.year, digits: 4, then: "-")
            put(date.month, digits: 2, then: "-")
            put(date.day, digits: 2, then: "T")
            put(second / 3600, digits: 2, then: ":")
            put(second / 60 % 60, digits: 2, then: ":")
            put(second % 60, digits: 2, then: "Z")
            return count
        }
    }

    /// From 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    private static let expressible: ClosedRange<Int64> = -62_167_219_200...253_402_300_799
}

/// The Gregorian date of a day; after H. Hinnant, "chrono-compatible low-level date algorithms". gmtime_r would do
/// too, at five times the price, and a list of a hundred million objects needs one for each.
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Years begin in March here, so that the leap day comes last; eras have 400 of them.
    let (era, dayOfEra) = (daysSince1970 + 719_468).quotientAndRemainderRoundedDown(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

extension Int64 {
    /// Division towards minus infinity, so that the remainder is never negative.
    fileprivate func quotientAndRemainderRoundedDown(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
