//! A point in time as the protocol writes it: SigV4's basic form, HTTP's dates and ISO 8601.

/// Whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let secondsSince1970: Int64

    public init(secondsSince1970: Int64) {
        self.secondsSince1970 = secondsSince1970
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.secondsSince1970 < right.secondsSince1970
    }

    /// `20260101T000000Z`, for `x-amz-date` (SigV4, "Elements of an AWS API request signature").
    public var amzDate: String { text { $0.appendAmzDate(to: &$1) } }

    /// `2026-01-01T00:00:00Z` (ISO 8601).
    public var iso8601: String {
        text { date, text in
            date.appendDay(separator: UInt8(ascii: "-"), to: &text)
            text.append(UInt8(ascii: "T"))
            date.appendTime(separator: UInt8(ascii: ":"), to: &text)
            text.append(UInt8(ascii: "Z"))
        }
    }

    /// `Thu, 01 Jan 2026 00:00:00 GMT` (RFC 9110, section 5.6.7).
    public var httpDate: String {
        text { date, text in
            text.append(contentsOf: weekdayNames[date.weekday].utf8)
            text.append(contentsOf: ", ".utf8)
            appendDecimal(date.day, digitCount: 2, to: &text)
            text.append(contentsOf: " \(monthNames[date.month - 1]) ".utf8)
            appendDecimal(date.year, digitCount: 4, to: &text)
            text.append(UInt8(ascii: " "))
            date.appendTime(separator: UInt8(ascii: ":"), to: &text)
            text.append(contentsOf: " GMT".utf8)
        }
    }

    /// Written where the string keeps it: a listing shows a time for each of millions of objects.
    private func text(_ write: (CalendarDate, inout OutputSpan<UInt8>) -> Void) -> String {
        let date = CalendarDate(self)
        return unsafe String(unsafeUninitializedCapacity: Timestamp.textByteCountMax) { buffer in
            var text = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
            write(date, &text)
            return unsafe text.finalize(for: buffer)
        }
    }

    /// `httpDate`'s, the longest.
    private static let textByteCountMax = 29
}

extension Timestamp: CustomStringConvertible {
    public var description: String { iso8601 }
}

let weekdayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
let monthNames = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]

/// A point in time by the Gregorian calendar in UTC, by integer arithmetic alone.
struct CalendarDate: Equatable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0

    static let secondsPerDay: Int64 = 86_400
    /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: beyond them a year has no four digits.
    private static let secondsMin: Int64 = -62_135_596_800
    private static let secondsMax: Int64 = 253_402_300_799

    /// Times beyond the years 1 to 9999 are shown as the first or last second of these.
    init(_ timestamp: Timestamp) {
        let seconds = min(max(timestamp.secondsSince1970, Self.secondsMin), Self.secondsMax)
        let days = Int(
            (seconds - Self.floorModulo(seconds, Self.secondsPerDay)) / Self.secondsPerDay)
        let secondOfDay = Int(Self.floorModulo(seconds, Self.secondsPerDay))
        (year, month, day) = Self.civil(daysSince1970: days)
        (hour, minute, second) = (secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
    }

    /// nil for a day or a time that no calendar has; the leap second 60 is taken as the next
    /// minute's first.
    init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.dayCount(year: year, month: month),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    var timestamp: Timestamp {
        let time = Int64(hour * 3600 + minute * 60 + second)
        return Timestamp(secondsSince1970: Int64(daysSince1970) * Self.secondsPerDay + time)
    }

    /// 0 is Sunday; 1970-01-01 was a Thursday.
    var weekday: Int { ((daysSince1970 + 4) % 7 + 7) % 7 }

    func appendAmzDate(to text: inout OutputSpan<UInt8>) {
        appendDay(separator: nil, to: &text)
        text.append(UInt8(ascii: "T"))
        appendTime(separator: nil, to: &text)
        text.append(UInt8(ascii: "Z"))
    }

    func appendDay(separator: UInt8?, to text: inout OutputSpan<UInt8>) {
        appendDecimal(year, digitCount: 4, to: &text)
        if let separator { text.append(separator) }
        appendDecimal(month, digitCount: 2, to: &text)
        if let separator { text.append(separator) }
        appendDecimal(day, digitCount: 2, to: &text)
    }

    func appendTime(separator: UInt8?, to text: inout OutputSpan<UInt8>) {
        appendDecimal(hour, digitCount: 2, to: &text)
        if let separator { text.append(separator) }
        appendDecimal(minute, digitCount: 2, to: &text)
        if let separator { text.append(separator) }
        appendDecimal(second, digitCount: 2, to: &text)
    }

    /// Counts in years that begin on 1 March, so that the leap day is a year's last: month lengths
    /// then follow the line (153·m + 2) / 5, and a cycle of 400 years has 146,097 days (1970-01-01
    /// is day 719,468 of it).
    private var daysSince1970: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return 365 * marchYear + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear
            - 719_468
    }

    private static func civil(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let (cycle, dayOfCycle) = (days / 146_097, days % 146_097)
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func floorModulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        (value % divisor + divisor) % divisor
    }
}

/// Appends `value` with leading zeros; `digitCount` is even.
private func appendDecimal(_ value: Int, digitCount: Int, to text: inout OutputSpan<UInt8>) {
    if digitCount > 2 { appendDecimal(value / 100, digitCount: digitCount - 2, to: &text) }
    text.append(UInt8(ascii: "0") + UInt8(value / 10 % 10))
    text.append(UInt8(ascii: "0") + UInt8(value % 10))
}

extension OutputSpan<UInt8> {
    fileprivate mutating func append(contentsOf bytes: String.UTF8View) {
        for byte in bytes { append(byte) }
    }
}
