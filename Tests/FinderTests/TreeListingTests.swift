//! Listings of real directories, read back from their files.

import CLinux
import Glibc
import Migration
import S3
import Testing

@testable import Finder

struct TreeListingTests {
    @Test(arguments: [1, 2, 3])
    func listsARandomTreeInTheOrderOfItsKeys(seed: UInt64) throws {
        let tree = TestTree(seed: seed, entries: 600)
        let folder = try TestFolder()
        try folder.make(tree)
        let listed = try folder.list { $0.chunkLines = 37 }
        var expected: [[UInt8]] = []
        for key in tree.sortedKeys {
            var line: [UInt8] = []
            KeyListLine.appendEscaped(key: key.span, to: &line)
            expected.append(line)
        }
        #expect(listed.lines == expected, "seed \(seed)")
        #expect(listed.manifest.objects == expected.count)
        #expect(listed.manifest.counts.directories == tree.directories.values.joined().count + 1)
        #expect(!listed.report.hasGaps)
    }

    @Test func listsNothingOfAnEmptyDirectory() throws {
        let listed = try TestFolder().list { $0.writesMarkers = true }
        #expect(listed.lines.isEmpty)
        #expect(listed.manifest.chunks.isEmpty)
        #expect(listed.manifest.complete)
        #expect(listed.manifest.counts.emptyDirectories == 0)
        #expect(listed.manifest.counts.directories == 1)
    }

    @Test func listsOddNames() throws {
        let folder = try TestFolder()
        try folder.makeDirectory("a")
        for name in ["a/b", "a-b", "a.b", "a b", "a\nb", "a\tb", "\\a", ".hidden", "é", "e\u{301}"]
        {
            try folder.makeFile(name)
        }
        let listed = try folder.list()
        #expect(
            listed.text
                == [
                    ".hidden", "\\\\\\a", "\\a\\tb", "\\a\\nb", "a b", "a-b", "a.b", "a/b",
                    "e\u{301}", "é",
                ].sorted { unescaped($0) < unescaped($1) })
        #expect(listed.manifest.chunks.first?.first == ".hidden")
        #expect(listed.manifest.chunks.first?.last == "é")
    }

    private func unescaped(_ line: String) -> ObjectKey {
        guard line.hasPrefix("\\") else { return ObjectKey(line) }
        return ObjectKey(
            String(line.dropFirst()).replacing("\\\\", with: "\\").replacing("\\n", with: "\n")
                .replacing("\\t", with: "\t"))
    }

    @Test func listsAWideDirectory() throws {
        let folder = try TestFolder()
        for number in 0..<100_001 { try folder.makeFile("object-\(number)") }
        let listed = try folder.list()
        #expect(
            listed.text
                == (0..<100_001).map { "object-\($0)" }.sorted { ObjectKey($0) < ObjectKey($1) })
        #expect(listed.manifest.chunks.map(\.lines) == [100_000, 1])
    }

    /// Deeper than PATH_MAX, and than a process may have open files with the soft limit of old.
    @Test func walksADeepTree() throws {
        let folder = try TestFolder()
        var directory = open(folder.tree, O_RDONLY | O_DIRECTORY)
        for level in 0..<1500 {
            if level.isMultiple(of: 100) {
                close(openat(directory, "file", O_WRONLY | O_CREAT | O_EXCL, 0o644))
            }
            try #require(mkdirat(directory, "level", 0o755) == 0)
            let next = openat(directory, "level", O_RDONLY | O_DIRECTORY)
            try #require(next >= 0)
            close(directory)
            directory = next
        }
        close(directory)
        let listed = try folder.list()
        // 6 bytes a level: the files at 0 and 100 have keys of 4 and 604 bytes, the next one of 1,204.
        #expect(listed.lines.map(\.count).sorted() == [4, 604])
        #expect(listed.manifest.counts.unnameable == 13)
        #expect(listed.manifest.counts.directories == 1501)
        #expect(listed.manifest.counts.emptyDirectories == 1)
        #expect(listed.report.hasGaps)
        #expect(listed.manifest.complete)
    }

    @Test(arguments: [(1023, true), (1024, true), (1025, false)])
    func listsKeysOfUpTo1024Bytes(byteCount: Int, isListed: Bool) throws {
        let folder = try TestFolder()
        var path = ""
        for _ in 0..<4 {
            path += String(repeating: "d", count: 249)
            try folder.makeDirectory(path)
            path += "/"
        }
        try folder.makeFile(path + String(repeating: "f", count: byteCount - path.utf8.count))
        let listed = try folder.list()
        #expect(listed.lines.count == (isListed ? 1 : 0))
        #expect(listed.manifest.counts.unnameable == (isListed ? 0 : 1))
    }

    @Test func leavesOutNamesThatAreNoText() throws {
        let folder = try TestFolder()
        try folder.makeFile([0x61, 0xFF])
        try folder.makeFile("fine")
        let directory = [UInt8]([0xFE, 0])
        try #require(
            chdirless(folder.tree) { mkdirat($0, directory.map { CChar(bitPattern: $0) }, 0o755) }
                == 0)
        try folder.makeFile([0xFE] + Array("/inside".utf8))
        let listed = try folder.list()
        #expect(listed.text == ["fine"])
        #expect(listed.manifest.counts.unnameable == 2)
        #expect(listed.manifest.counts.directories == 2)
        #expect(listed.report.gaps.count == 1)
    }

    private func chdirless(_ path: String, _ body: (Int32) -> Int32) -> Int32 {
        let directory = open(path, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        return body(directory)
    }

    @Test func countsWhatIsNoFileAndDoesNotFollowIt() throws {
        let folder = try TestFolder()
        try folder.makeDirectory("real")
        try folder.makeFile("real/file")
        try #require(symlink("real", folder.tree + "/link") == 0)
        try #require(symlink("nowhere", folder.tree + "/dangling") == 0)
        try #require(symlink("..", folder.tree + "/real/up") == 0)
        try #require(mkfifo(folder.tree + "/fifo", 0o644) == 0)
        try #require(mknod(folder.tree + "/socket", S_IFSOCK | 0o644, 0) == 0)
        for isLong in [false, true] {
            let listed = try folder.list { $0.isLong = isLong }
            #expect(listed.lines.count == 1)
            #expect(listed.manifest.counts.symbolicLinks == 3)
            #expect(listed.manifest.counts.fifos == 1)
            #expect(listed.manifest.counts.sockets == 1)
            #expect(listed.manifest.counts.emptyDirectories == 0)
            #expect(!listed.report.hasGaps)
        }
    }

    @Test func listsEmptyDirectoriesIfAsked() throws {
        let folder = try TestFolder()
        for name in ["a", "a/sub", "a-", "a0", "full", "deaf"] { try folder.makeDirectory(name) }
        try folder.makeFile("full/x")
        try #require(symlink("x", folder.tree + "/deaf/link") == 0)
        let silent = try folder.list()
        #expect(silent.text == ["full/x"])
        #expect(silent.manifest.counts.emptyDirectories == 3)
        let marked = try folder.list { $0.writesMarkers = true }
        #expect(marked.text == ["a-/", "a/sub/", "a0/", "full/x"])
        #expect(marked.manifest.objects == 4)
        #expect(marked.manifest.counts.emptyDirectories == 3)
    }

    @Test func tellsSizesAndTimes() throws {
        let folder = try TestFolder()
        try folder.makeFile("five", contents: "12345")
        try folder.makeFile("none")
        try folder.makeDirectory("empty")
        try folder.setModified("five", seconds: 1_767_225_600)
        try folder.setModified("none", seconds: -1)
        try folder.setModified("empty", seconds: 0)
        let listed = try folder.list {
            $0.isLong = true
            $0.writesMarkers = true
        }
        #expect(
            listed.text == [
                "empty/\t0\t1970-01-01T00:00:00Z", "five\t5\t2026-01-01T00:00:00Z",
                "none\t0\t1969-12-31T23:59:59Z",
            ])
        #expect(listed.manifest.bytes == 5)
        #expect(listed.manifest.columns == ["key", "size", "mtime"])
        #expect(try folder.list().manifest.bytes == nil)
    }

    /// The kernel's own time of change cannot be set, so the listing's is.
    @Test func listsWhatChangedLately() throws {
        let folder = try TestFolder()
        try folder.makeFile("renamed, with an old mtime")
        try folder.setModified("renamed, with an old mtime", seconds: 1_000_000)
        try folder.makeDirectory("empty")
        let now = Timestamp.now().secondsSince1970
        let cases: [(afterDays: Int64, laterThan: Double, objects: Int)] = [
            (0, 1, 2), (2, 1, 0), (2, 3, 2), (0, 0.01, 2), (100, 99, 0),
        ]
        for (afterDays, laterThan, objects) in cases {
            let created = Timestamp(secondsSince1970: now + afterDays * 86_400)
            let listed = try folder.list(created: created) {
                $0.laterThanDays = laterThan
                $0.writesMarkers = true
            }
            #expect(listed.lines.count == objects)
            #expect(listed.manifest.counts.filteredOut == 2 - objects)
            #expect(listed.manifest.filter.laterThanDays == laterThan)
        }
    }

    @Test func stopsWithoutAManifest() throws {
        let folder = try TestFolder()
        try folder.makeFile("a")
        let stop = StopFlag()
        #expect(stop.raise())
        #expect(!stop.raise())
        let error = #expect(throws: FindError.self) { try folder.list(stop: stop) }
        guard case .interrupted = error else { return _ = Issue.record("\(error as Any)") }
        #expect(TestFolder.names(in: folder.path + "/lists-1").isEmpty)
    }

    @Test(arguments: ["missing", "file"])
    func needsADirectory(name: String) throws {
        let folder = try TestFolder()
        try folder.makeFile("file")
        let error = #expect(throws: FindError.self) {
            try folder.list { $0.directory += "/\(name)" }
        }
        guard case .usage(let text) = error else { return _ = Issue.record("\(error as Any)") }
        #expect(text.contains("\(folder.tree)/\(name)"))
        #expect(TestFolder.names(in: folder.path) == ["tree"])
    }
}

extension TestFolder {
    func setModified(_ name: String, seconds: Int) throws {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, "\(tree)/\(name)", times, 0) == 0)
    }
}
