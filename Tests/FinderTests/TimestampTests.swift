//! Times as the column of a list.

import S3
import Testing

@testable import Finder

struct TimestampTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_767_225_600, "2026-01-01T00:00:00Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, nil), (-62_135_596_801, nil), (.max, nil), (.min, nil),
        ] as [(Int64, String?)])
    func isNothingWhereTheFormEnds(seconds: Int64, text: String?) {
        #expect(Timestamp(secondsSince1970: seconds).column == text)
    }
}
