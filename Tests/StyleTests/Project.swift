//! The project's files, as the rules about style read them.

import Glibc

/// A file of the project.
struct ProjectFile: Sendable {
    /// From the project's folder on: `Sources/S3/ETag.swift`.
    var path: String
    var text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// `ETag.swift`
    var name: String { String(path.split(separator: "/").last ?? "") }

    /// The folder below `Sources` or `Tests`: `S3`.
    var module: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }
}

/// The folder that this file is checked out in.
enum Project {
    static let root = String(#filePath.dropLast("/Tests/StyleTests/Project.swift".count))

    /// All files, without what is built, fetched, or git's.
    static let paths: [String] = walk("")

    static let swift = files { $0.hasSuffix(".swift") && $0 != "Package.swift" }
    static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
    static let markdown = files { $0.hasSuffix(".md") }

    static func files(_ isWanted: (String) -> Bool) -> [ProjectFile] {
        paths.filter(isWanted).sorted().map { ProjectFile(path: $0, text: read($0)) }
    }

    /// Whether there is a file or a folder.
    static func exists(_ path: String) -> Bool { access("\(root)/\(path)", F_OK) == 0 }

    /// The folders in a folder.
    static func folders(in path: String) -> [String] {
        entries(of: path).filter(\.isFolder).map(\.name).sorted()
    }

    static func read(_ path: String) -> String {
        guard let file = fopen("\(root)/\(path)", "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&block, 1, block.count, file), count > 0 {
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func walk(_ folder: String) -> [String] {
        entries(of: folder).flatMap { entry -> [String] in
            let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
            return entry.isFolder ? walk(path) : [path]
        }
    }

    private static func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let stream = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(stream) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix("."), name != "__pycache__" else { continue }
            entries.append((name, Int32(entry.pointee.d_type) == Int32(DT_DIR)))
        }
        return entries
    }
}
