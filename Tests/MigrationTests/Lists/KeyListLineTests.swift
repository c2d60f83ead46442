//! Lines of key lists: every key survives the way out and back, every bad line is told apart.

import Migration
import S3
import Testing

@Suite struct KeyListLineTests {
    @Test(arguments: [
        ("plain/key.txt", "plain/key.txt"),
        ("inner\\backslash", "inner\\backslash"),
        ("\\first", "\\\\\\first"),
        ("tab\there", "\\tab\\there"),
        ("new\nline", "\\new\\nline"),
        ("carriage\rreturn", "\\carriage\\rreturn"),
        ("ends in return\r", "\\ends in return\\r"),
        ("a\\b\tc", "\\a\\\\b\\tc"),
        ("\u{1}control", "\u{1}control"),
        ("e\u{301} 漢字 🎒", "e\u{301} 漢字 🎒"),
    ])
    func escapesOnlyWhatMustBe(key: String, text: String) throws {
        #expect(KeyListLine.escaped(ObjectKey(key)) == text)
        #expect(try unescaped(text) == ObjectKey(key))
    }

    static let binaryKeys: [([UInt8], String)] = [
        ([0xFF], #"\\xFF"#),
        ([0x61, 0xC3], #"\a\xC3"#),
        ([0xC3, 0xA9, 0xED, 0xA0, 0x80, 0x62], "\\é\\xED\\xA0\\x80b"),
        ([0x2F, 0xF0, 0x9F, 0x2F, 0x5C], #"\/\xF0\x9F/\\"#),
    ]

    @Test(arguments: binaryKeys)
    func writesBytesThatAreNoTextInHex(key: [UInt8], text: String) throws {
        #expect(KeyListLine.escaped(ObjectKey(key)) == text)
        #expect(try unescaped(text).bytes == key)
    }

    static let columns: [(Int64?, String?, String?, String)] = [
        (nil, nil, nil, "k\n"),
        (0, nil, nil, "k\t0\n"),
        (12, "2024-01-02T03:04:05Z", "abc-2", "k\t12\t2024-01-02T03:04:05Z\tabc-2\n"),
        (nil, nil, "abc", "k\t-\t-\tabc\n"),
        (nil, "then", nil, "k\t-\tthen\n"),
        (Int64.max, nil, nil, "k\t9223372036854775807\n"),
    ]

    @Test(arguments: columns)
    func writesAndReadsColumns(size: Int64?, time: String?, etag: String?, text: String) throws {
        let line = KeyListLine(
            key: ObjectKey("k"), sizeBytes: size, modified: time, etag: etag.map { ETag($0) })
        #expect(written(line) == Array(text.utf8))
        #expect(try parsed(text.utf8.dropLast()) == line)
    }

    static let badLines: [(String, ListLineError)] = [
        ("", .empty), ("\\", .empty), ("\t5", .empty),
        ("key\r", .carriageReturn), ("key\t5\r", .carriageReturn), ("\\a\\tb\r", .carriageReturn),
        ("a\0b", .nul), ("\\a\\x00", .nul),
        ("\\a\\", .badEscape(offset: 2)), ("\\\\q", .badEscape(offset: 1)),
        ("\\a\\x", .badEscape(offset: 2)), ("\\a\\x4", .badEscape(offset: 2)),
        ("\\a\\x4g", .badEscape(offset: 2)), ("\\ab\\x4\t1", .badEscape(offset: 3)),
        ("k\t", .badColumn(2)), ("k\tx", .badColumn(2)), ("k\t-1", .badColumn(2)),
        ("k\t+1", .badColumn(2)), ("k\t1 ", .badColumn(2)), ("k\t1\t", .badColumn(3)),
        ("k\t9223372036854775808", .badColumn(2)), ("k\t99999999999999999999", .badColumn(2)),
        ("k\t1\tt\te\tmore", .badColumn(5)), ("k\t1\t\te", .badColumn(3)),
        (String(repeating: "k", count: 1025), .keyTooLong),
        ("\\" + String(repeating: "\\x41", count: 1025), .keyTooLong),
        ("k\t1\t" + String(repeating: "t", count: 4093), .columnsTooLong),
    ]

    @Test(arguments: badLines)
    func refusesBadLines(text: String, error: ListLineError) {
        #expect(throws: error) { try parsed(text.utf8) }
    }

    @Test func takesTheLongestKey() throws {
        let key = ObjectKey(String(repeating: "\t", count: ObjectKey.byteCountMax))
        let line = written(KeyListLine(key: key)).dropLast()
        #expect(try parsed(line).key == key)
    }

    @Test func aColumnThatWouldBreakTheLineIsLeftOut() {
        let line = KeyListLine(key: ObjectKey("k"), modified: "a\tb", etag: ETag("e\n"))
        #expect(written(line) == Array("k\t-\t-\t-\n".utf8))
    }

    /// The key takes four bytes for each of its own in the written line, and the columns are as long as they may be.
    @Test func whatCanBeReadCanBeWritten() throws {
        let key = [UInt8](repeating: 0xFF, count: 1024)
        let line = key + Array("\t1\t".utf8) + [UInt8](repeating: UInt8(ascii: "t"), count: 4092)
        let parsed = try parsed(line)
        var written: [UInt8] = []
        parsed.append(to: &written)
        #expect(written.count == KeyListLine.byteCountMax + 1)
        #expect(try self.parsed(written.dropLast()) == parsed)
    }

    @Test(arguments: ["k\t5\tt\t", "k\t5\t"])
    func aColumnThatIsNoTextIsNotKnown(start: String) throws {
        let line = try parsed(Array(start.utf8) + [0xFF])
        #expect(line.sizeBytes == 5)
        #expect(line.etag == nil)
        #expect(line.modified == (start.hasSuffix("t\t") ? "t" : nil))
    }

    @Test func everyErrorSaysWhatMendsIt() {
        #expect("\(ListLineError.carriageReturn)".contains("tr -d '\\r'"))
        #expect("\(ListLineError.badEscape(offset: 2))".contains("byte 3"))
        #expect("\(ListLineError.badColumn(2))".contains("no size"))
        #expect("\(ListLineError.keyTooLong)".contains("1024"))
        #expect("\(ListLineError.nul)".contains("NUL"))
        #expect("\(ListLineError.empty)".contains("empty lines"))
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func anyKeyComesBack(seed: UInt64) throws {
        var random = ListRandom(seed: seed)
        for _ in 0..<2_000 {
            let key = ObjectKey(random.keyBytes(countMax: 24))
            let line = written(KeyListLine(key: key, sizeBytes: 7))
            #expect(line.count(where: { $0 == UInt8(ascii: "\n") }) == 1)
            #expect(String(validating: line, as: UTF8.self) != nil)
            #expect(try parsed(line.dropLast()).key == key, "seed \(seed)")
        }
    }

    private func unescaped(_ text: String) throws -> ObjectKey {
        let bytes = Array(text.utf8)
        return try KeyListLine.unescape(bytes.span)
    }

    private func parsed(_ text: some Sequence<UInt8>) throws -> KeyListLine {
        let bytes = Array(text)
        return try KeyListLine(parsing: bytes.span)
    }

    private func written(_ line: KeyListLine) -> [UInt8] {
        var bytes: [UInt8] = []
        line.append(to: &bytes)
        return bytes
    }
}
