//! Which of two objects was written first, by servers whose clocks differ.

import Testing

@testable import Migration
@testable import S3

@Suite struct WriteTimeTests {
    private func facts(_ lastModified: String?) -> ObjectFacts {
        var response = Response(status: 200)
        if let lastModified { response.headers.append("last-modified", lastModified) }
        return ObjectFacts(of: response, sizeBytes: 1)
    }

    private func time(
        age: Int64, asked: Duration, took: Duration, ahead: Int64 = 0
    ) -> WriteTime? {
        let date = Timestamp(secondsSince1970: 1_767_268_800 + ahead)
        let modified = Timestamp(secondsSince1970: date.secondsSince1970 - age)
        return WriteTime(
            facts(modified.httpDate), date: date, asked: Instant(elapsed: asked),
            answered: Instant(elapsed: asked + took))
    }

    @Test(arguments: [0, 3600, -3600] as [Int64])
    func isCertainToASecondAndTheAnswersTime(ahead: Int64) {
        let time = time(age: 100, asked: .seconds(1000), took: .milliseconds(500), ahead: ahead)
        #expect(time?.earliest == Instant(elapsed: .seconds(899)))
        #expect(time?.latest == Instant(elapsed: .milliseconds(901_500)))
    }

    @Test(
        arguments: [(100, 10, true), (13, 10, true), (12, 10, false), (10, 100, false)]
            as [(Int64, Int64, Bool)])
    func comesBeforeOnlyBeyondDoubt(age: Int64, otherAge: Int64, isBefore: Bool) throws {
        let one = try #require(time(age: age, asked: .zero, took: .milliseconds(10)))
        let other = try #require(
            time(age: otherAge, asked: .milliseconds(10), took: .milliseconds(10), ahead: 999))
        #expect(one.isSurelyBefore(other) == isBefore)
        #expect(!other.isSurelyBefore(one) || !isBefore)
    }

    @Test(arguments: [nil, "", "yesterday", "2026-01-01T00:00:00Z"])
    func isUnknownWithoutBothDates(lastModified: String?) {
        let moment = Instant(elapsed: .zero)
        let date = Timestamp(secondsSince1970: 1_767_268_800)
        #expect(
            WriteTime(facts(lastModified), date: date, asked: moment, answered: moment) == nil)
        #expect(
            WriteTime(facts(date.httpDate), date: nil, asked: moment, answered: moment) == nil)
    }
}
