//! Chunks: their limits, and what the manifest is told.

import Migration
import Testing

@testable import Finder

struct ChunkWriterTests {
    /// Writes keys to chunks of 3 lines; the chunks and their contents.
    static func write(
        _ keys: [String], linesMax: Int = 3
    ) throws -> (chunks: [Manifest.Chunk], files: [String]) {
        let test = try TestFolder()
        let path = test.newOutput()
        let folder = try OutputFolder(path, outside: RootDirectory(test.tree))
        var writer = ChunkWriter(folder, linesMax: linesMax)
        for key in keys { try writer.append(key: Array(key.utf8).span) }
        try writer.finish()
        #expect(TestFolder.names(in: path) == writer.chunks.map(\.name))
        let files = try writer.chunks.map { try TestFolder.contents(of: "\(path)/\($0.name)") }
        return (writer.chunks, files.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test(arguments: [
        (0, []), (1, [1]), (2, [2]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1]),
    ])
    func haveSoManyLines(keys: Int, lines: [Int]) throws {
        let names = (0..<keys).map { "key-\($0)" }
        let (chunks, files) = try Self.write(names)
        #expect(chunks.map(\.lines) == lines)
        #expect(files.joined() == names.map { $0 + "\n" }.joined())
        #expect(chunks.map(\.bytes) == files.map { Int64($0.utf8.count) })
        #expect(chunks.map(\.name) == (0..<lines.count).map { Manifest.chunkName($0 + 1) })
    }

    @Test func knowTheirFirstAndLastKeyAsTheLinesHaveThem() throws {
        let (chunks, _) = try Self.write(["\\x", "a", "b\tc", "d\ne", "z"])
        #expect(chunks.map(\.first) == ["\\\\\\x", "\\d\\ne"])
        #expect(chunks.map(\.last) == ["\\b\\tc", "z"])
    }

    @Test func mayBeLargerThanTheBuffer() throws {
        let keys = (0..<3000).map { "\(10_000 + $0)" + String(repeating: "k", count: 1000) }
        let (chunks, files) = try Self.write(keys, linesMax: 10_000)
        #expect(chunks.count == 1)
        #expect(chunks.map(\.bytes) == [3000 * 1006])
        #expect(files.first?.split(separator: "\n").map(String.init) == keys)
        #expect(chunks.first?.last == keys.last)
    }

    @Test func leaveNothingUnfinishedBehind() throws {
        let test = try TestFolder()
        let path = test.newOutput()
        do {
            let folder = try OutputFolder(path, outside: RootDirectory(test.tree))
            var writer = ChunkWriter(folder, linesMax: 2)
            for key in ["a", "b", "c"] { try writer.append(key: Array(key.utf8).span) }
            #expect(
                TestFolder.names(in: path) == [".keys-000002.list.partial", "keys-000001.list"])
        }
        #expect(TestFolder.names(in: path) == ["keys-000001.list"])
    }
}
