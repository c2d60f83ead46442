//! A folder of key lists as it is found: which files, which manifest, and whether that can be all.

import Glibc
import Linux
import Migration
import S3

/// A folder given with `--src-folder` or `--dest-folder`, looked at and not yet read.
struct KeyListFolder: Sendable {
    struct File: Sendable {
        var name: String
        var sizeBytes: Int64
    }

    /// As the operator gave it.
    let path: String
    /// The same without links, for `run.json`.
    let canonicalPath: String
    /// Device and inode: what the folder is, by whatever name.
    let place: Place
    /// By name.
    let files: [File]
    let manifest: Manifest?

    struct Place: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
    }

    init(opening path: String, allowIncomplete: Bool) throws(ListError) {
        let directory = try KeyListDirectory(opening: path)
        self.path = path
        canonicalPath = Self.canonical(path)
        place = try directory.place()
        let found = try directory.files()
        files = found.filter { $0.name != Manifest.fileName }
        let hasManifest = found.count > files.count
        manifest = hasManifest ? try Self.readManifest(in: path) : nil
        try checkComplete(allowIncomplete: allowIncomplete)
        try checkFiles()
    }

    private static func canonical(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func readManifest(in folder: String) throws(ListError) -> Manifest {
        let path = ListChunk(folder: folder, name: Manifest.fileName).path
        let file = try KeyListFile(opening: path)
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: SortedMerge.blockSizeBytesMax)
        while true {
            var span = block.mutableSpan
            let count = try file.read(at: Int64(bytes.count), into: &span, 0..<span.count)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        do throws(ManifestError) {
            return try Manifest(decoding: bytes)
        } catch {
            throw .badManifest(path: path, detail: "\(error)")
        }
    }

    // MARK: - Checks

    private func checkComplete(allowIncomplete: Bool) throws(ListError) {
        guard !allowIncomplete else { return }
        if let manifest {
            guard manifest.complete else { throw .badFolder(path: path, .incomplete) }
        } else if let chunk = files.first(where: { Self.isChunkName($0.name) }) {
            throw .badFolder(path: path, .interrupted(example: chunk.name))
        }
    }

    /// Whether `name` is one that s3find gives (`Manifest.chunkName`).
    static func isChunkName(_ name: String) -> Bool {
        guard name.hasPrefix("keys-"), name.hasSuffix(".list") else { return false }
        let digits = name.utf8.dropFirst(5).dropLast(5)
        return digits.count >= 6 && digits.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// Every file that the manifest names is there with its size, and no other.
    private func checkFiles() throws(ListError) {
        guard let manifest else { return }
        var sizes: [String: Int64] = [:]
        for file in files { sizes[file.name] = file.sizeBytes }
        for chunk in manifest.chunks {
            let chunkPath = ListChunk(folder: path, name: chunk.name).path
            guard let sizeBytes = sizes.removeValue(forKey: chunk.name) else {
                throw .changed(path: chunkPath, detail: "it is missing")
            }
            guard sizeBytes == chunk.bytes else {
                throw .changed(
                    path: chunkPath, detail: "it has \(sizeBytes) bytes, not \(chunk.bytes)")
            }
        }
        if let name = sizes.keys.min() { throw .badFolder(path: path, .unexpectedFile(name)) }
    }
}

/// An open directory.
private struct KeyListDirectory: ~Copyable {
    private let path: String
    private let stream: OpaquePointer

    init(opening path: String) throws(ListError) {
        guard let stream = opendir(path) else {
            throw .badFolder(path: path, Self.problem(of: errno))
        }
        self.path = path
        self.stream = stream
    }

    deinit { closedir(stream) }

    private static func problem(of error: Int32) -> FolderProblem {
        switch error {
        case ENOENT: .missing
        case ENOTDIR: .notADirectory
        default: .unreadable(SystemError(code: error).reason)
        }
    }

    func place() throws(ListError) -> KeyListFolder.Place {
        var status = stat()
        try checkList("examine the folder", path) { fstat(dirfd(stream), &status) }
        return KeyListFolder.Place(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// All files that are not hidden, by name.
    func files() throws(ListError) -> [KeyListFolder.File] {
        var files: [KeyListFolder.File] = []
        while let name = try nextName() {
            if name.hasPrefix(".") { continue }
            files.append(KeyListFolder.File(name: name, sizeBytes: try sizeBytes(of: name)))
        }
        return files.sorted { $0.name < $1.name }
    }

    private func nextName() throws(ListError) -> String? {
        errno = 0
        guard let entry = readdir(stream) else {
            let code = errno
            guard code == 0 else { throw .system("read the folder", path, SystemError(code: code)) }
            return nil
        }
        return withUnsafeBytes(of: &entry.pointee.d_name) { name in
            String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The size of a list file; a link counts as what it leads to.
    private func sizeBytes(of name: String) throws(ListError) -> Int64 {
        var status = stat()
        try checkList("examine the list", ListChunk(folder: path, name: name).path) {
            fstatat(dirfd(stream), name, &status, 0)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return Int64(status.st_size)
        case S_IFDIR: throw .badFolder(path: path, .holdsDirectory(name))
        default: throw .badFolder(path: path, .holdsSpecialFile(name))
        }
    }
}
