//! Every step of the walk ends in a line or in a count.

import Linux
import Migration
import S3
import Testing

@testable import Finder

struct ListingRecorderTests {
    /// Records one step below `d/` with a writer that nothing should reach unless `objects` says so.
    static func record(
        _ contents: DirectoryContents, selection: Selection = Selection()
    ) throws -> (counts: Manifest.Counts, objects: Int, complaints: [FindProblem]) {
        let test = try TestFolder()
        let folder = try OutputFolder(test.newOutput(), outside: RootDirectory(test.tree))
        let complaints = Monitor([FindProblem]())
        var recorder = ListingRecorder(
            selection: selection, writer: ChunkWriter(folder, linesMax: 10), tally: SharedTally(),
            complain: { problem in complaints.withLock { $0.append(problem) } })
        try recorder.record(.directory(contents, KeyOrderWalk.Spelling()), at: Array("d/".utf8))
        return (recorder.counts, recorder.objects, complaints.withLock { $0 })
    }

    static func contents(_ outcome: DirectoryContents.Outcome) -> DirectoryContents {
        DirectoryContents(outcome: outcome, listing: DirectoryListingTests.listing([]))
    }

    /// Plain names go to the lines in runs, the others one by one: all lists are as if each had gone by itself.
    @Test(arguments: 0..<40)
    func listsWhatASimpleModelDoes(seed: UInt64) throws {
        let tree = TestTree(seed: seed, entries: 100 + 60 * Int(seed), hasOddNames: true)
        let chunkLines = 1 + Int(seed * 7 % 50)
        let test = try TestFolder()
        let path = test.newOutput()
        let folder = try OutputFolder(path, outside: RootDirectory(test.tree))
        var recorder = ListingRecorder(
            selection: Selection(), writer: ChunkWriter(folder, linesMax: chunkLines),
            tally: SharedTally(), complain: { _ in })
        let pool = try ReaderPool(threads: Int(seed % 4)) { TestReader(tree: tree) }
        var walk = KeyOrderWalk(pool)
        while let step = walk.next() { try recorder.record(step, at: walk.path) }
        let chunks = try recorder.finish()

        let keys = tree.sortedKeys.filter { isKey($0) }
        let lines = keys.map { KeyListLine(key: ObjectKey($0)).line }
        #expect(recorder.objects == keys.count, "seed \(seed)")
        #expect(recorder.counts.unnameable == tree.sortedKeys.count - keys.count)
        let starts = Array(stride(from: 0, to: lines.count, by: chunkLines))
        #expect(chunks.map(\.lines) == starts.map { min(chunkLines, lines.count - $0) })
        for (chunk, start) in zip(chunks, starts) {
            let expected = lines.dropFirst(start).prefix(chunk.lines)
            let bytes = try TestFolder.contents(of: "\(path)/\(chunk.name)")
            #expect(bytes == Array(expected.joined()), "seed \(seed), \(chunk.name)")
            #expect(chunk.bytes == bytes.count)
            #expect(Array((chunk.first + "\n").utf8) == expected.first)
            #expect(Array((chunk.last + "\n").utf8) == expected.last)
        }
    }

    private func isKey(_ path: [UInt8]) -> Bool {
        path.count <= 1024 && String(validating: path, as: UTF8.self) != nil
    }

    @Test func anUnreadableDirectoryIsReportedAndNotEmpty() throws {
        let denied = SystemError(code: 13)
        let result = try Self.record(
            Self.contents(.unreadable(denied)), selection: Selection(wantsMarkers: true))
        #expect(result.counts.unreadable == 1)
        #expect(result.counts.directories == 0)
        #expect(result.counts.emptyDirectories == 0)
        #expect(result.complaints == [.unreadable(Array("d/".utf8), denied)])
    }

    @Test func aVanishedDirectoryIsCounted() throws {
        let result = try Self.record(Self.contents(.vanished))
        #expect(result.counts.vanished == 1)
        #expect(result.counts.directories == 0)
        #expect(result.counts.emptyDirectories == 0)
        #expect(result.complaints.map(\.description) == ["deleted during the listing: d/"])
    }

    @Test func anUnreadableEntryIsReportedWithItsPath() throws {
        let left = LeftOut(
            vanished: 2,
            unreadable: [.init(name: Array("x".utf8), error: SystemError(code: 5))])
        let result = try Self.record(
            DirectoryContents(
                listing: DirectoryListingTests.listing([]), isEmpty: false, left: left))
        #expect(result.counts.unreadable == 1)
        #expect(result.counts.vanished == 2)
        #expect(result.complaints.map(\.description) == ["cannot read d/x: Input/output error"])
    }

    @Test func showsTheFirstUnnameableFilesAndCountsAll() throws {
        let test = try TestFolder()
        for number in 0..<25 { try test.makeFile([0xFF, UInt8(number + 65)]) }
        let listed = try test.list()
        #expect(listed.manifest.counts.unnameable == 25)
        #expect(listed.report.gaps.first?.contains("25 files") == true)
    }

    @Test(
        arguments: [
            (Array("a b".utf8), "a b"), ([], "the directory itself"),
            (Array("a\u{1B}[31mb".utf8), "a?[31mb"), ([0x61, 0xFF], "\\a\\xFF"),
            (Array("a\nb".utf8), "\\a\\nb"), (Array("\u{9B}x".utf8), "?x"),
        ] as [([UInt8], String)])
    func showsPathsWithoutControlCharacters(path: [UInt8], text: String) {
        #expect(shown(path) == text)
    }
}

extension KeyListLine {
    fileprivate var line: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}
