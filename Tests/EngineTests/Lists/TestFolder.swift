//! Folders of key lists on a real disk, removed behind the test.

import Engine
import Glibc
import Migration
import S3

/// A new folder below the system's temporary one.
final class TestFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/s3migrate-lists-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no folder in /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { TestFolder.remove(path) }

    /// Adds a folder below, and gives its path.
    func folder(_ name: String, _ files: [String: String] = [:]) -> String {
        let path = "\(self.path)/\(name)"
        mkdir(path, 0o777)
        for (name, text) in files { write(text, to: "\(path)/\(name)") }
        return path
    }

    func write(_ text: String, to path: String) { write(Array(text.utf8), to: path) }

    func write(_ bytes: [UInt8], to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        precondition(descriptor >= 0, "cannot make \(path)")
        defer { close(descriptor) }
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        precondition(count == bytes.count, "cannot write \(path)")
    }

    /// Adds a folder as s3find leaves it: chunks of these keys, and a manifest.
    func listing(
        _ name: String, id: String? = nil, complete: Bool = true, bytes: Int64? = nil,
        _ chunks: [[String]]
    ) -> String {
        let path = folder(name)
        let described = chunks.enumerated().map { index, keys in
            let name = Manifest.chunkName(index + 1)
            let text = keys.map { $0 + "\n" }.joined()
            write(text, to: "\(path)/\(name)")
            return Manifest.Chunk(
                name: name, lines: keys.count, bytes: Int64(text.utf8.count),
                first: keys.first ?? "", last: keys.last ?? "")
        }
        let manifest = Manifest(
            id: id ?? name, program: "test", root: "/", created: "", finished: "",
            complete: complete, objects: chunks.reduce(0) { $0 + $1.count }, bytes: bytes,
            chunks: described)
        write(manifest.encoded(), to: "\(path)/manifest.json")
        return path
    }

    /// Removes a folder and what is in it.
    private static func remove(_ path: String) {
        guard let stream = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
        closedir(stream)
        rmdir(path)
    }
}

/// The message of the error that `body` throws; empty when it throws none.
func message(of body: () throws(ListError) -> Void) -> String {
    do throws(ListError) {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}

/// Everything that a run over these folders would be given.
func events(
    source: [KeyListChunk], target: [KeyListChunk] = [], _ selection: KeySelection = KeySelection()
) throws(ListError) -> [KeyStream.Event] {
    var reader = KeyListReader(source: source, target: target, selection: selection)
    var events: [KeyStream.Event] = []
    while events.last != .end { events.append(try reader.next()) }
    return events
}

extension [KeyStream.Event] {
    /// The keys to be copied, escaped.
    var work: [String] {
        compactMap { event in
            guard case .work(let line) = event else { return nil }
            return KeyListLine.escaped(line.key)
        }
    }
}

/// How many files this process has open.
func openFileCount() -> Int {
    guard let stream = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil { count += 1 }
    return count
}
