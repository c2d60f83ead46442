//! Lines out of files, wherever the blocks end.

import Glibc
import Linux
import Testing

@testable import Engine

@Suite struct LineReaderTests {
    private let folder = TestFolder()
    private static let blockBytes = 256 << 10

    private struct Line: Equatable {
        var text: String
        var isTerminated = true
        var offset: Int64
    }

    private func lines(_ text: String) throws -> [Line] {
        folder.write(text, to: folder.file("log"))
        var reader = try LineReader(path: folder.file("log"))
        var lines: [Line] = []
        while let line = try reader.next({ span, isTerminated in
            let bytes = span.indices.map { span[$0] }
            return Line(
                text: String(decoding: bytes, as: UTF8.self), isTerminated: isTerminated, offset: 0)
        }) {
            lines.append(line)
            lines[lines.count - 1].offset = reader.lineOffset
        }
        return lines
    }

    @Test func readsLinesWithTheirPlaces() throws {
        #expect(try lines("") == [])
        #expect(try lines("\n") == [Line(text: "", offset: 0)])
        #expect(
            try lines("ab\n\nc\n")
                == [
                    Line(text: "ab", offset: 0), Line(text: "", offset: 3),
                    Line(text: "c", offset: 4),
                ])
        #expect(
            try lines("ab\nc")
                == [Line(text: "ab", offset: 0), Line(text: "c", isTerminated: false, offset: 3)])
    }

    /// A line that ends before, at and behind the end of the first block, and one that is longer than it.
    @Test(arguments: [-2, -1, 0, 1, 2, blockBytes, 3 * blockBytes])
    func readsLinesAcrossBlocks(beyond: Int) throws {
        let first = String(repeating: "a", count: Self.blockBytes - 10)
        let second = String(repeating: "b", count: 8 + beyond)
        let read = try lines("\(first)\n\(second)\nlast\n\nend")
        #expect(read.map(\.text) == [first, second, "last", "", "end"])
        #expect(read.map(\.isTerminated) == [true, true, true, true, false])
        let base = Int64(Self.blockBytes + beyond)
        #expect(read.map(\.offset) == [0, Int64(first.utf8.count + 1), base, base + 5, base + 6])
    }

    @Test func readsWhatComesInPieces() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let input = Descriptor(ends[0])
        let output = ends[1]
        let writer = try Thread(name: "writer") {
            let output = Descriptor(output)
            for piece in ["on", "e\ntw", "o\n", "three"] {
                try? output.write(Array(piece.utf8))
                usleep(5_000)
            }
        }
        var reader = try LineReader(path: "/proc/self/fd/\(input.number)")
        var read: [Int] = []
        while let count = try reader.next({ span, _ in span.count }) { read.append(count) }
        #expect(read == [3, 3, 5])
        writer.join()
    }

    @Test func namesAFileThatIsNotThere() {
        let error = #expect(throws: SystemError.self) {
            _ = try LineReader(path: folder.file("nothing")).lineOffset
        }
        #expect(error?.description.contains("nothing: No such file") == true)
    }
}

@Suite struct AppendFileTests {
    private let folder = TestFolder()

    @Test func growsAndIsCut() throws {
        folder.write("old\n", to: folder.file("log"))
        var log = try AppendFile(path: folder.file("log"))
        #expect(log.sizeBytes == 4)
        try log.append(Array("new\n".utf8))
        try log.append([])
        #expect(log.sizeBytes == 8)
        try log.sync()
        #expect(try folder.text("log") == "old\nnew\n")
        try log.truncate(to: 2)
        #expect(log.sizeBytes == 2)
        try log.append(Array("!".utf8))
        #expect(try folder.text("log") == "ol!")
    }

    @Test func saysThatTheDiskIsFullAndWhatToDo() throws {
        var log = try AppendFile(path: "/dev/full")
        let error = #expect(throws: SystemError.self) { try log.append([1]) }
        #expect(error?.code == ENOSPC)
        #expect(error?.advice.contains("cannot write /dev/full: No space left") == true)
        #expect(error?.advice.contains("--resume") == true)
    }

    /// Else a run whose folder was deleted would go on, and its log would be nowhere.
    @Test(arguments: [true, false])
    func noticesThatItWasTakenAway(isMoved: Bool) throws {
        let path = folder.file("log")
        var log = try AppendFile(path: path)
        try log.append(Array("line\n".utf8))
        try log.sync()
        if isMoved { rename(path, path + ".old") } else { unlink(path) }
        try log.append(Array("next\n".utf8))
        let error = #expect(throws: SystemError.self) { try log.sync() }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("\(path) was removed or moved away") == true)
    }

    @Test func namesWhatItCannotOpen() {
        let path = folder.file("no/log")
        let error = #expect(throws: SystemError.self) { _ = try AppendFile(path: path).sizeBytes }
        #expect(error?.description.contains("cannot open \(path)") == true)
    }
}

@Suite struct ReplaceFileTests {
    private let folder = TestFolder()

    /// A file that cannot be written whole is as it was, and nothing is left beside it.
    @Test func leavesTheOldFileWhenTheDiskIsFull() throws {
        let path = folder.file("status.json")
        folder.write("old", to: path)
        symlink("/dev/full", path + ".new")
        let error = #expect(throws: SystemError.self) {
            try replaceFile(path: path, with: [1, 2, 3], isDurable: true)
        }
        #expect(error?.code == ENOSPC)
        #expect(try folder.text("status.json") == "old")
        #expect(!folder.exists("status.json.new"))
    }
}
