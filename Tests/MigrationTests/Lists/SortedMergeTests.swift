//! The merge: any cut into chunks and blocks gives the same sorted lines, and every wrong list is found.

import Migration
import S3
import Testing

@Suite struct SortedMergeTests {
    @Test(arguments: 0..<40 as Range<UInt64>, [1, 7, 300, 64 * 1024])
    func anyCutGivesTheSameLines(seed: UInt64, blockSizeBytesMax: Int) throws {
        var random = ListRandom(seed: seed)
        let count = Int.random(in: 0...400, using: &random)
        let lines = random.keys(count: count).map { key in
            KeyListLine(
                key: key, sizeBytes: Bool.random(using: &random) ? 12 : nil,
                etag: Bool.random(using: &random) ? ETag("abc") : nil)
        }
        let chunks = random.chunks(of: lines, count: Int.random(in: 1...20, using: &random))
        let result = try merged(chunks, blockSizeBytesMax: blockSizeBytesMax, seed: seed)
        #expect(result == lines, "seed \(seed)")
    }

    @Test func mergesAThousandOverlappingChunks() throws {
        var random = ListRandom(seed: 5)
        let lines = random.keys(count: 5_000).map { KeyListLine(key: $0) }
        let chunks = (0..<1_000).map { index in
            TestChunk(
                "\(index)", lines: stride(from: index, to: lines.count, by: 1_000).map { lines[$0] }
            )
        }
        #expect(try merged(chunks, blockSizeBytesMax: 100) == lines)
    }

    @Test func keepsOneChunkOpenWhereNoneOverlap() throws {
        let chunks = (0..<50).map { index in
            TestChunk("\(index)", keys: (0..<20).map { "\(100 + index)/\(10 + $0)" })
        }
        var disk = TestDisk(chunks, blockSizeBytesMax: 16)
        #expect(try merged(chunks.shuffled().map(\.declared), on: &disk).count == 1_000)
        #expect(disk.openCountMax == 1)
    }

    @Test func opensAChunkAtItsFirstKeyOnly() throws {
        let chunks = [
            TestChunk("a", keys: ["a", "c", "e"]), TestChunk("b", keys: ["e2"]),
            TestChunk("c", keys: ["b", "d"]),
        ]
        var disk = TestDisk(chunks)
        #expect(try merged(chunks.map(\.declared), on: &disk).count == 6)
        #expect(disk.openCountMax == 2)
    }

    @Test func givesTheLinesOfOneKeyOneAfterTheOtherWhereItMay() throws {
        let chunks = [
            TestChunk("1", raw: "a\t1\nb\t1\nd\t1\n"), TestChunk("2", raw: "b\t2\nc\t2\n"),
            TestChunk("3", raw: "b\t3\nd\t3\n"),
        ]
        var disk = TestDisk(chunks)
        let lines = try merged(chunks.map(\.declared), on: &disk, takesRepeats: true)
        #expect(lines.map(\.key.description) == ["a", "b", "b", "b", "c", "d", "d"])
        #expect(Set(lines.compactMap(\.sizeBytes)) == [1, 2, 3])
        #expect(throws: ListError.self) { try merged(chunks) }
        var unsorted = TestDisk([TestChunk("1", raw: "b\na\n")])
        #expect(throws: ListError.self) {
            try merged([chunks[0].declared], on: &unsorted, takesRepeats: true)
        }
    }

    @Test func nothingGivesNothing() throws {
        #expect(try merged([]).isEmpty)
        #expect(try merged([TestChunk(raw: "")]).isEmpty)
    }

    @Test func takesBareListsAsTheyAre() throws {
        let lines = try merged([TestChunk(raw: "a b\na/b \\ c\nb\t5\n"), TestChunk("b", raw: "a+")])
        #expect(lines.map(\.key.description) == ["a b", "a+", "a/b \\ c", "b"])
        #expect(lines.last?.sizeBytes == 5)
    }

    @Test func ordersByTheUnescapedBytes() throws {
        // As they are written, a line that begins with two backslashes sorts behind "A".
        let text = #"\\ta"# + "\nA\n" + #"\\\b"# + "\na\n" + #"\\xFF"#
        let lines = try merged([TestChunk(raw: text)])
        #expect(lines.map(\.key.bytes) == [[9, 0x61], [0x41], [0x5C, 0x62], [0x61], [0xFF]])
    }

    @Test func leavesOutChunksBelowTheStart() {
        let chunks = [
            TestChunk("1", keys: ["a", "b"]), TestChunk("2", keys: ["c", "d"]),
            TestChunk("3", keys: ["e", "f"]),
        ]
        let merge = SortedMerge(chunks.map(\.declared), after: ObjectKey("d"))
        #expect(merge.chunks.map(\.name) == ["3"])
        #expect(merge.skippedLineCount == 4)
    }
}

/// What is wrong, and the words that the operator must find in the message.
@Suite struct SortedMergeErrorTests {
    static let badLines: [(String, [String])] = [
        ("a\n\nb\n", ["lists/a, line 2", "no key"]),
        ("\n", ["line 1", "no key"]),
        ("a\r\nb\r\n", ["lists/a, line 1", "carriage return", "tr -d '\\r'"]),
        ("a\nb\r", ["line 2", "carriage return"]),
        ("a\n\\b\\q\n", ["line 2", "escape at byte 3", "s3find"]),
        ("a\nb\0c\nd\n", ["line 2", "NUL"]),
        ("a\n\\b\\x00\n", ["line 2", "NUL"]),
        ("a\tb\n", ["line 1", "column 2", "size"]),
        ("a\t1\tx\ty\tz\n", ["line 1", "column 5"]),
        (String(repeating: "k", count: 1_025), ["line 1", "longer than the 1024 bytes"]),
        (String(repeating: "k", count: 9_000) + "\n", ["line 1", "longer than 8192 bytes"]),
        ("a\n" + String(repeating: "k", count: 90_000), ["line 2", "longer than 8192 bytes"]),
    ]

    @Test(arguments: badLines, [1, 64 * 1024])
    func namesTheBadLine(list: (text: String, words: [String]), blockSizeBytesMax: Int) {
        expectFailure([TestChunk(raw: list.text)], list.words, blockSizeBytesMax)
    }

    @Test(arguments: [1, 3, 64 * 1024])
    func namesBothPlacesOfADuplicate(blockSizeBytesMax: Int) {
        expectFailure(
            [TestChunk(raw: "a\nb\nb\n")],
            ["lists/a, line 3", "key b", "first at lists/a, line 2", "sort -u"], blockSizeBytesMax)
        expectFailure(
            [TestChunk("one", keys: ["a", "b", "d"]), TestChunk("two", keys: ["b", "c"])],
            ["listed twice", "lists/one, line 2", "lists/two, line 1"], blockSizeBytesMax)
        expectFailure(
            [TestChunk("one", keys: ["a", "b"]), TestChunk("two", keys: ["b", "c"])],
            ["listed twice", "lists/one, line 2", "lists/two, line 1"], blockSizeBytesMax)
        expectFailure(
            [TestChunk(raw: "a\n\\\\x61\n")], ["listed twice", "line 2", "line 1"],
            blockSizeBytesMax)
    }

    @Test(arguments: [1, 3, 64 * 1024])
    func namesBothKeysOutOfOrder(blockSizeBytesMax: Int) {
        expectFailure(
            [TestChunk(raw: "a\nc\nb\n")],
            ["lists/a, line 3", "key b comes after c (lists/a, line 2)", "LC_ALL=C sort"],
            blockSizeBytesMax)
        expectFailure(
            [TestChunk("one", raw: "a\nc\nb\nd\n"), TestChunk("two", raw: "a1\nc1\n")],
            ["lists/one, line 3", "comes after c"], blockSizeBytesMax)
        // Sorted as it is written, which is not the order of the keys.
        expectFailure(
            [TestChunk(raw: "a\n\\\\ta\n")],
            ["key \\\\ta comes after a", "s3find --from FILE --escaped DIR"],
            blockSizeBytesMax)
    }

    @Test(arguments: [1, 64 * 1024])
    func noticesAFileThatChanged(blockSizeBytesMax: Int) {
        let whole = TestChunk(keys: ["aa", "bb", "cc"])
        for (text, words) in [
            ("aa\nbb\n", ["2 lines, not 3"]), ("aa\nbb\nc", ["last key is c, not cc"]),
            ("aa\nbb\ncc\ndd\n", ["4 lines, not 3"]), ("ab\nbb\ncc\n", ["first key is ab, not aa"]),
            ("", ["0 lines, not 3"]),
        ] {
            var chunk = whole
            chunk.bytes = Array(text.utf8)
            expectFailure([chunk], words + ["lists/a", "make the list again"], blockSizeBytesMax)
        }
    }

    @Test func aLineThatWasCutOffIsNotHandedOut() throws {
        var chunk = TestChunk(keys: ["aa", "bb", "cc"])
        chunk.bytes.removeLast(2)
        var merge = SortedMerge([chunk.declared])
        #expect(try merge.next() == .needsBlock(chunk: 0))
        merge.supply(chunk: 0, chunk.bytes.span, isLast: true)
        #expect(try merge.next() == .line)
        #expect(try merge.next() == .line)
        #expect(throws: ListError.self) { try merge.next() }
    }

    private func expectFailure(
        _ chunks: [TestChunk], _ words: [String], _ blockSizeBytesMax: Int,
        at location: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: ListError.self, sourceLocation: location) {
            try merged(chunks, blockSizeBytesMax: blockSizeBytesMax)
        }
        let message = error.map { "\($0)" } ?? ""
        for word in words {
            #expect(message.contains(word), sourceLocation: location)
        }
    }
}
