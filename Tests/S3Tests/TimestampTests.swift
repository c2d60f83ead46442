//! Dates: there and back, every form that servers send, and none that they do not.

import S3
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (Int64(0), "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "19941106T084937Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_369_353_600, "20130524T000000Z", "Fri, 24 May 2013 00:00:00 GMT"),
        (4_107_542_399, "21000228T235959Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "99991231T235959Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-1, "19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        (-62_135_596_800, "00010101T000000Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
    ])
    func writesAndReads(seconds: Int64, amzDate: String, httpDate: String) {
        let time = Timestamp(secondsSince1970: seconds)
        #expect(time.amzDate == amzDate)
        #expect(time.httpDate == httpDate)
        #expect(Timestamp(httpDate: httpDate) == time)
        #expect(Timestamp(iso8601: time.iso8601) == time)
    }

    /// One of the calendar's cycles of 400 years, day by day.
    @Test func everyDayFollowsTheOneBefore() {
        var before = ""
        for day in Int64(-25_567)..<120_530 {
            let text = Timestamp(secondsSince1970: day * 86_400).amzDate
            guard text > before, day % 97 != 0 || isReadBack(day) else {
                Issue.record("day \(day) is \(text), after \(before)")
                break
            }
            before = text
        }
        #expect(before == "22991231T000000Z")
    }

    private func isReadBack(_ day: Int64) -> Bool {
        let time = Timestamp(secondsSince1970: day * 86_400 + 45_296)
        return Timestamp(httpDate: time.httpDate) == time
            && Timestamp(iso8601: time.iso8601) == time
    }

    @Test func timesBeyondTheCalendarAreItsEnds() {
        #expect(Timestamp(secondsSince1970: .max).amzDate == "99991231T235959Z")
        #expect(Timestamp(secondsSince1970: .min).amzDate == "00010101T000000Z")
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 8:49:37 gmt", "06 Nov 1994 08:49:37 +0000", "Sun,06 Nov 1994 08:49:37 UTC",
        "  Sun, 06 NOV 1994 08:49:37 GMT ",
    ])
    func readsHTTPDate(text: String) {
        #expect(Timestamp(httpDate: text)?.secondsSince1970 == 784_111_777)
    }

    @Test(arguments: [
        "", "GMT", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 +0200",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 19941 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37:12 GMT",
        "Sun, 06 Nov Dec 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:-7 GMT", "0", "5d",
        "784111777",
        "Sun, 06 Nov 1994 1995 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
    ])
    func refusesHTTPDate(text: String) {
        #expect(Timestamp(httpDate: text) == nil)
    }

    @Test(arguments: [
        "2013-05-24T00:00:00Z", "2013-05-24T00:00:00.000Z", "2013-05-24 00:00:00.123456Z",
    ])
    func readsISO8601(text: String) {
        #expect(Timestamp(iso8601: text)?.secondsSince1970 == 1_369_353_600)
    }

    @Test(arguments: [
        "", "2013-05-24", "2013-05-24T00:00:00", "2013-05-24T00:00:00+02:00",
        "2013-13-24T00:00:00Z",
        "2013-05-24T00:00:00.Z", "2013-05-24T00:00:00xZ", "2013/05/24T00:00:00Z",
        "-013-05-24T00:00:00Z",
        "2013-05-24T00:00:00\u{e9}Z",
    ])
    func refusesISO8601(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func leapSecondIsTheNextMinute() {
        #expect(
            Timestamp(httpDate: "Sat, 31 Dec 2016 23:59:60 GMT")?.iso8601 == "2017-01-01T00:00:00Z")
    }
}
