//! Reads the dates that servers send: `Date`, `Last-Modified`, an error's `ServerTime`.

extension Timestamp {
    /// Reads a date of HTTP: the one form in use, `Sun, 06 Nov 1994 08:49:37 GMT`, and the two that
    /// RFC 9110 (section 5.6.7) wants understood as well, RFC 850's and asctime's.
    ///
    /// The pieces are known by their looks, as RFC 6265 (section 5.1.1) reads a cookie's date,
    /// since servers differ in weekday, dashes and zeros. A zone other than GMT is refused rather
    /// than misread.
    public init?(httpDate text: String) {
        if let date = CalendarDate(usualHTTPDate: text.utf8.span) {
            self = date.timestamp
            return
        }
        guard text.utf8.count <= 64 else { return nil }
        var pieces = HTTPDatePieces()
        for piece in text.split(whereSeparator: { " ,-\t".contains($0) }) {
            guard pieces.take(Substring(piece)) else { return nil }
        }
        guard let date = pieces.date else { return nil }
        self = date.timestamp
    }

    /// Reads `2026-01-01T00:00:00Z`, with or without a fraction of the second, which is dropped.
    public init?(iso8601 text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(64))
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            isFraction(bytes[19..<bytes.count - 1]),
            let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7]),
            let day = decimal(bytes[8..<10]), let hour = decimal(bytes[11..<13]),
            let minute = decimal(bytes[14..<16]), let second = decimal(bytes[17..<19]),
            let date = CalendarDate(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        self = date.timestamp
    }
}

extension CalendarDate {
    /// Reads a date of the one form in use; nil for anything else, be it a date or not. Each object brings two of
    /// them, and by pieces they would cost a tenth of its time.
    init?(usualHTTPDate text: Span<UInt8>) {
        guard text.count == 29, text[3] == UInt8(ascii: ","), text[4] == UInt8(ascii: " "),
            text[7] == UInt8(ascii: " "), text[11] == UInt8(ascii: " "),
            text[16] == UInt8(ascii: " "), text[19] == UInt8(ascii: ":"),
            text[22] == UInt8(ascii: ":"), text[25] == UInt8(ascii: " "),
            threeLetters(text, at: 26) == threeLetters("GMT".utf8.span, at: 0),
            place(of: text, at: 0, in: weekdayNames) != nil,
            let month = place(of: text, at: 8, in: monthNames),
            let day = decimal(text, 5..<7), let year = decimal(text, 12..<16),
            let hour = decimal(text, 17..<19), let minute = decimal(text, 20..<22),
            let second = decimal(text, 23..<25)
        else { return nil }
        self.init(
            year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
    }
}

private func place(of text: Span<UInt8>, at start: Int, in names: [String]) -> Int? {
    let wanted = threeLetters(text, at: start)
    return names.indices.first { threeLetters(names[$0].utf8.span, at: 0) == wanted }
}

private func threeLetters(_ text: Span<UInt8>, at start: Int) -> UInt32 {
    UInt32(text[start]) << 16 | UInt32(text[start + 1]) << 8 | UInt32(text[start + 2])
}

private func decimal(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var value = 0
    for index in range {
        guard isDigit(text[index]) else { return nil }
        value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
    }
    return value
}

/// What has been found of a date of HTTP.
private struct HTTPDatePieces {
    private var time: (hour: Int, minute: Int, second: Int)?
    private var day: Int?
    private var month: Int?
    private var year: Int?

    /// Takes one piece in; false when it fits nowhere.
    mutating func take(_ piece: Substring) -> Bool {
        if piece.utf8.contains(UInt8(ascii: ":")) { return takeTime(piece) }
        if let value = decimal(Array(piece.utf8)[...]) {
            return takeNumber(value, piece.utf8.count)
        }
        let name = piece.lowercased()
        if let index = monthNames.firstIndex(where: { $0.lowercased() == name.prefix(3) }),
            month == nil
        {
            month = index + 1
            return true
        }
        return ["gmt", "utc", "z", "+0000"].contains(name)
            || weekdayNames.contains { $0.lowercased() == name.prefix(3) }
    }

    var date: CalendarDate? {
        guard let year, let month, let day, let time else { return nil }
        return CalendarDate(
            year: year, month: month, day: day, hour: time.hour, minute: time.minute,
            second: time.second)
    }

    private mutating func takeTime(_ piece: Substring) -> Bool {
        let numbers = piece.split(separator: ":", omittingEmptySubsequences: false)
            .map { $0.utf8.count <= 2 ? decimal(Array($0.utf8)[...]) : nil }
        guard time == nil, numbers.count == 3, let hour = numbers[0], let minute = numbers[1],
            let second = numbers[2]
        else { return false }
        time = (hour, minute, second)
        return true
    }

    /// A day comes before its year in all three forms; a year of two digits is of 1970 to 2069.
    private mutating func takeNumber(_ value: Int, _ digitCount: Int) -> Bool {
        switch (day, year) {
        case (nil, _) where digitCount <= 2: day = value
        case (_, nil) where digitCount == 4: year = value
        case (.some, nil) where digitCount == 2: year = value < 70 ? 2000 + value : 1900 + value
        default: return false
        }
        return true
    }
}

private func isFraction(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.isEmpty
        || bytes.count > 1 && bytes.first == UInt8(ascii: ".")
            && bytes.dropFirst().allSatisfy(isDigit)
}

/// The value of one to nine digits and nothing else.
private func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
    guard (1...9).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
}
