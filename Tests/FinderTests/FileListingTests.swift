//! Files of keys: their forms, what can be wrong with them, and the lists that come out.

import Glibc
import Migration
import Testing

@testable import Finder
@testable import Linux

struct FileListingTests {
    private let test: TestFolder

    init() throws { test = try TestFolder() }

    /// Makes lists of a file with these contents.
    private func list(
        _ contents: String, _ change: (inout FileListing.Options) -> Void = { _ in }
    ) throws -> (report: FileListingReport, lines: [String]) {
        let name = "keys-\(UInt64.random(in: 0...(.max)))"
        try test.makeFile(name, contents: contents)
        var options = FileListing.Options(
            file: "\(test.tree)/\(name)", outputFolder: test.newOutput())
        change(&options)
        let report = try FileListing(options, console: quiet).run()
        let text = try report.manifest.chunks.map { chunk in
            String(
                decoding: try TestFolder.contents(of: "\(report.folder)/\(chunk.name)"),
                as: UTF8.self)
        }.joined()
        return (report, text.split(separator: "\n").map(String.init))
    }

    private var quiet: Console {
        Console(program: "s3find", descriptor: -1, isTerminal: false, isQuiet: true)
    }

    @Test(arguments: [
        (KeyForm.lines, "b\na\n"), (.lines, "b\na"), (.nulSeparated, "b\0a\0"),
        (.nulSeparated, "b\0a"), (.listed, "b\na\n"), (.listed, "\\\\x62\n\\\\x61"),
    ])
    func readsEachForm(form: KeyForm, contents: String) throws {
        #expect(try list(contents) { $0.form = form }.lines == ["a", "b"])
    }

    /// Plain keys are their bytes; the list has them escaped where it must.
    @Test func escapesWhatAListCannotHold() throws {
        #expect(try list("\\t\nb\tc\n").lines == ["\\\\\\t", "\\b\\tc"])
        let nul = try list("x\ny\0\\z\0a\r\0") { $0.form = .nulSeparated }
        #expect(nul.lines == ["\\\\\\z", "\\a\\r", "\\x\\ny"])
    }

    @Test func keepsTheColumnsOfTheLastLine() throws {
        let (report, lines) = try list(
            "b\t1\t-\tx\na\t2\nb\t3\n\\a\\tb\t4\t2026-01-01T00:00:00Z\n"
        ) { $0.form = .listed }
        #expect(lines == ["a\t2", "\\a\\tb\t4\t2026-01-01T00:00:00Z", "b\t3"])
        #expect(report.manifest.columns == ["key", "size"])
        #expect(report.manifest.bytes == 9)
        #expect(report.manifest.counts.repeated == 1)
        #expect(report.summary.joined().contains("1 line whose key"))
    }

    @Test func knowsNoBytesWhereALineTellsNone() throws {
        let manifest = try list("b\t1\na\n") { $0.form = .listed }.report.manifest
        #expect((manifest.bytes, manifest.columns) == (nil, ["key"]))
        let unknown = try list("b\t1\na\t-\n") { $0.form = .listed }.report.manifest
        #expect((unknown.bytes, unknown.columns) == (nil, ["key", "size"]))
    }

    @Test func cutsChunks() throws {
        let keys = (0..<1000).map { String(9999 - $0) }
        let (report, lines) = try list(keys.joined(separator: "\n")) { options in
            options.chunkLines = 300
            options.memoryBytes = 4096
        }
        #expect(lines == keys.reversed())
        #expect(report.manifest.chunks.map(\.lines) == [300, 300, 300, 100])
        #expect(try Manifest(decoding: report.manifest.encoded()) == report.manifest)
        #expect(
            TestFolder.names(in: report.folder)
                == report.manifest.chunks.map(\.name) + [Manifest.fileName])
    }

    @Test func takesAnEmptyFile() throws {
        let report = try list("").report
        #expect(report.manifest.objects == 0 && report.manifest.chunks == [])
        #expect(report.manifest.columns == ["key"])
    }

    @Test(arguments: [
        (KeyForm.lines, "a\n\nb\n", "line 2: there is no key"),
        (.lines, "a\nb\0c\n", "line 2: there is a NUL byte"), (.lines, "a\nb\0c\n", "--null"),
        (.lines, "a\r\n", "line 1: the line ends in a carriage return"),
        (.lines, "a\n" + String(repeating: "k", count: 1025), "line 2: the key is longer"),
        (.lines, String(repeating: "k", count: 9000), "line 1: the line is longer"),
        (.lines, String(repeating: "k", count: 3 << 20), "line 1: the line is longer"),
        (.nulSeparated, "a\0\0b", "key 2: there is no key"),
        (.nulSeparated, String(repeating: "k", count: 1025) + "\0", "key 1: the key is longer"),
        (.listed, "a\n\t1\n", "line 2: there is no key"),
        (.listed, "a\tbig\n", "line 1: column 2"), (.listed, "a\tbig\n", "leave --escaped away"),
        (.listed, "\\name\n", "line 1: the line begins with a backslash"),
        (.listed, "\\na\\qme\n", "line 1: the escape at byte 4"),
    ])
    func namesTheFirstBadKey(form: KeyForm, contents: String, words: String) throws {
        let error = try #require(throws: FindError.self) {
            try list(contents) { $0.form = form }
        }
        guard case .usage(let text) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(text.contains(words), "\(text)")
        #expect(text.contains(test.path), "\(text)")
    }

    @Test func warnsOfWhatMayNotBeMeant() throws {
        let report = try list("a\t1\nb\t2\n\\c\nd").report
        #expect(report.warnings.count == 2)
        #expect(report.warnings[0].contains("2 keys with a tab, such as \\a\\t1"))
        #expect(report.warnings[1].contains("1 key with a backslash"))
        #expect(try list("a\t1\n\\b\\tc\n") { $0.form = .listed }.report.warnings == [])
    }

    @Test(arguments: ["", ".hidden/../"])
    func doesNotReadWhatLiesInItsFolder(way: String) throws {
        try test.makeDirectory(".hidden")
        try test.makeFile(".keys", contents: "a\n")
        let options = FileListing.Options(
            file: "\(test.tree)/\(way).keys", outputFolder: "\(test.tree)/\(way)")
        let error = #expect(throws: FindError.self) {
            try FileListing(options, console: quiet).run()
        }
        #expect(error?.description.contains("give another folder") == true)
    }

    @Test(arguments: ["", "/missing"])
    func wantsAFile(below: String) throws {
        let output = test.newOutput()
        let options = FileListing.Options(file: test.tree + below, outputFolder: output)
        let error = #expect(throws: FindError.self) {
            try FileListing(options, console: quiet).run()
        }
        guard case .usage = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(access(output, F_OK) != 0, "no folder is made for nothing")
    }

    @Test func stopsWithoutAManifest() throws {
        try test.makeFile("keys", contents: "b\na\n")
        let output = test.newOutput()
        let options = FileListing.Options(file: "\(test.tree)/keys", outputFolder: output)
        let stop = StopFlag()
        stop.raise()
        let error = #expect(throws: FindError.self) {
            try FileListing(options, console: quiet, stop: stop).run()
        }
        guard case .interrupted = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(TestFolder.names(in: output) == [])
    }
}
