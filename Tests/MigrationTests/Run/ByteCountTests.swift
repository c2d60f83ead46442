//! Sizes as people write them.

import Migration
import Testing

@Suite struct ByteCountTests {
    @Test(arguments: [
        ("0", 0), ("1048576", 1 << 20), ("8MiB", 8 << 20), ("8mib", 8 << 20),
        ("1.5GB", 1_500_000_000),
        ("64KiB", 64 << 10), ("2TiB", 2 << 40), ("7b", 7), (".5kb", 500),
    ])
    func readsSizes(text: String, bytes: Int64) {
        #expect(ByteCount(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "MiB", "-1", "1 MiB", "1MiBs", "1.2.3GB", "9000000TB", "٣MB", "1e9", "0x10", "nan",
        "inf",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(ByteCount(text) == nil)
    }

    @Test(arguments: [
        (1, "1"), (1 << 10, "1KiB"), (3 << 20, "3MiB"), (1 << 30, "1GiB"), (1025, "1025"), (0, "0"),
    ])
    func comesBackAsWritten(bytes: Int64, text: String) {
        #expect(ByteCount(bytes).description == text)
        #expect(ByteCount(text) == ByteCount(bytes))
    }
}
