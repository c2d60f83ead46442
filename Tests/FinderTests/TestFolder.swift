//! Trees on disk, and listings of them.

import Glibc
import Migration
import S3
import Testing

@testable import Finder
@testable import Linux

/// A folder for one test: `tree` is what is listed, lists go beside it. Removed at the end.
final class TestFolder {
    let path: String
    private var listings = 0

    init() throws {
        var template = Array("/tmp/s3find-test-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
        try makeDirectory("")
    }

    deinit {
        _ = TestFolder.run("/bin/rm", "-rf", path)
    }

    var tree: String { path + "/tree" }

    func makeDirectory(_ name: String) throws {
        try #require(mkdir("\(tree)/\(name)", 0o755) == 0, "\(name): \(SystemError(code: errno))")
    }

    func makeFile(_ name: [UInt8], contents: String = "") throws {
        let path = (Array("\(tree)/".utf8) + name + [0]).map { CChar(bitPattern: $0) }
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
        try #require(file >= 0, "\(name): \(SystemError(code: errno))")
        try #require(write(file, contents, contents.utf8.count) == contents.utf8.count)
        close(file)
    }

    func makeFile(_ name: String, contents: String = "") throws {
        try makeFile(Array(name.utf8), contents: contents)
    }

    /// Makes the tree's directories and files.
    func make(_ tree: TestTree) throws {
        for parent in tree.directories.keys.sorted(by: { $0.count < $1.count }) {
            for name in tree.directories[parent] ?? [] {
                try makeDirectory(String(decoding: parent + name, as: UTF8.self))
            }
        }
        for (parent, names) in tree.files {
            for name in names { try makeFile(parent + name) }
        }
    }

    /// Where the next listing goes.
    func newOutput() -> String {
        listings += 1
        return "\(path)/lists-\(listings)"
    }

    /// Lists the tree in a new folder.
    func list(
        stop: StopFlag = StopFlag(), created: Timestamp = .now(),
        _ change: (inout TreeListing.Options) -> Void = { _ in }
    ) throws -> Listed {
        var options = TreeListing.Options(directory: tree, outputFolder: newOutput())
        options.threads = 3
        change(&options)
        let quiet = Console(program: "s3find", descriptor: -1, isTerminal: false, isQuiet: true)
        let report = try TreeListing(options, console: quiet, stop: stop, created: created).run()
        return try Listed(report)
    }

    static func contents(of path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY)
        try #require(file >= 0, "\(path): \(SystemError(code: errno))")
        defer { close(file) }
        var (bytes, block) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = read(file, &block, block.count)
            try #require(count >= 0)
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    private static func run(_ arguments: String...) -> Int32 {
        var process = pid_t()
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { vector.forEach { free($0) } }
        guard posix_spawn(&process, arguments[0], nil, nil, &vector, nil) == 0 else { return -1 }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return status
    }
}

/// A finished listing, read again by other means than it was written.
struct Listed {
    let report: FindReport
    /// The manifest as it stands in the file.
    let manifest: Manifest
    /// The lines of all chunks.
    let lines: [[UInt8]]

    init(_ report: FindReport) throws {
        self.report = report
        manifest = try Manifest(
            decoding: TestFolder.contents(of: "\(report.folder)/\(Manifest.fileName)"))
        lines = try manifest.chunks.flatMap { chunk in
            let bytes = try TestFolder.contents(of: "\(report.folder)/\(chunk.name)")
            #expect(bytes.count == chunk.bytes)
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            #expect(lines.count == chunk.lines + 1)
            return lines.dropLast().map { Array($0) }
        }
    }

    var text: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }
}
