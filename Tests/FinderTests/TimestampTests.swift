//! Times against the C library's.

import Glibc
import Testing

@testable import Finder

struct TimestampTests {
    static func text(byLibrary seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func isISO8601(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).text == text)
    }

    @Test func isTheLibrarysAtAnyTime() {
        var random = SplitMix64(seed: 1)
        for _ in 0..<5000 {
            // strftime writes years before 1000 with fewer digits.
            let seconds = Int64.random(in: -30_610_224_000...253_402_300_799, using: &random)
            #expect(Timestamp(seconds: seconds).text == Self.text(byLibrary: seconds))
        }
    }

    @Test(arguments: [253_402_300_800, -62_167_219_201, .max, .min] as [Int64])
    func isNothingWhereTheFormEnds(seconds: Int64) {
        #expect(Timestamp(seconds: seconds).text == nil)
    }
}
