//! What a folder of key lists holds, as told by the program that listed it: `manifest.json`, written last.

internal import FoundationEssentials
internal import S3

/// The description of one finished listing.
///
/// It is the last file that a listing writes, so a folder of chunks without one is an interrupted listing.
/// With it a reader can reach a key deep in the list, or know a hundred million lines, without reading them.
public struct Manifest: Codable, Sendable, Equatable {
    /// The name of the file beside the chunks.
    public static let fileName = "manifest.json"

    /// The version that this program writes, and the only one that it reads.
    public static let versionWritten = 1

    /// The form of this file; `versionWritten`.
    public var version: Int
    /// Random, another one for every listing: two folders with the same are copies of one listing.
    public var id: String
    /// What made the list, with its version: `s3find 0.1.0`.
    public var program: String
    /// What was listed: the directory as an absolute path.
    public var root: String
    /// When the listing began, ISO 8601 in UTC. What changed after this moment may be missing.
    public var created: String
    /// When the last chunk was on disk, ISO 8601 in UTC.
    public var finished: String
    public var filter: Filter
    /// True when everything below `root` was seen: no directory and no entry was unreadable.
    /// Names that cannot be keys do not make it false; they are in `counts.unnameable`.
    public var complete: Bool
    /// Lines in all chunks together.
    public var objects: Int
    /// The objects' sizes together, in bytes; nil when sizes were not asked for.
    public var bytes: Int64?
    /// The columns of every line, in order: `key`, then perhaps `size` and `mtime`.
    public var columns: [String]
    /// The files, in key order.
    public var chunks: [Chunk]
    public var counts: Counts

    public init(
        id: String, program: String, root: String, created: String, finished: String,
        filter: Filter = Filter(), complete: Bool, objects: Int, bytes: Int64? = nil,
        columns: [String] = ["key"], chunks: [Chunk], counts: Counts = Counts()
    ) {
        self.version = Manifest.versionWritten
        self.id = id
        self.program = program
        self.root = root
        self.created = created
        self.finished = finished
        self.filter = filter
        self.complete = complete
        self.objects = objects
        self.bytes = bytes
        self.columns = columns
        self.chunks = chunks
        self.counts = counts
    }

    /// Lines of a chunk, as the guide has it.
    public static let chunkLinesDefault = 100_000

    /// An `id` for a new listing: 32 hexadecimal digits.
    public static func randomID() -> String {
        String((0..<32).compactMap { _ in "0123456789abcdef".randomElement() })
    }

    /// The name of the chunk with this number; the first is 1.
    public static func chunkName(_ index: Int) -> String {
        precondition(index >= 1, "chunks are numbered from 1, not \(index)")
        let digits = String(index)
        let zeros = String(repeating: "0", count: max(0, 6 - digits.utf8.count))
        return "keys-\(zeros)\(digits).list"
    }
}

extension Manifest {
    /// Which objects were listed.
    public struct Filter: Codable, Sendable, Equatable {
        /// Only those that changed (contents, name or attributes) less than so many days before `created`.
        public var laterThanDays: Double?

        public init(laterThanDays: Double? = nil) {
            self.laterThanDays = laterThanDays
        }
    }

    /// One file of sorted lines.
    public struct Chunk: Codable, Sendable, Equatable {
        /// The file's name in the manifest's folder: `chunkName` of its place, counted from 1.
        public var name: String
        public var lines: Int
        /// The size of the file, not of the objects.
        public var bytes: Int64
        /// The first key, in the escaped form of the list.
        public var first: String
        /// The last key, in the escaped form of the list.
        public var last: String

        public init(name: String, lines: Int, bytes: Int64, first: String, last: String) {
            self.name = name
            self.lines = lines
            self.bytes = bytes
            self.first = first
            self.last = last
        }
    }

    /// What the walk met and did not list as an object, each counted once.
    public struct Counts: Codable, Sendable, Equatable {
        /// All directories that were read, the root among them.
        public var directories = 0
        /// Directories below the root without any entry.
        public var emptyDirectories = 0
        public var symbolicLinks = 0
        public var devices = 0
        public var sockets = 0
        public var fifos = 0
        /// Directories, and entries whose attributes were needed, that could not be read.
        public var unreadable = 0
        /// Files whose path is no S3 key: not UTF-8, or over 1,024 bytes.
        public var unnameable = 0
        /// Files that the filter left out.
        public var filteredOut = 0
        /// Entries that were deleted between their directory's reading and their own.
        public var vanished = 0
        /// Lines of a sorted file whose key stood there once more; nil where a directory was listed.
        public var repeated: Int?

        public init() {}
    }
}

// MARK: - The file

extension Manifest {
    /// The file's text: JSON with sorted keys, one field a line.
    public func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try [UInt8](encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            preconditionFailure("a manifest is text and finite numbers, yet: \(error)")
        }
    }

    /// Reads the file's text and checks that it agrees with itself.
    public init(decoding bytes: [UInt8]) throws(ManifestError) {
        // The version comes first: a later form may lack or add anything else.
        let version = try Manifest.parse(VersionOnly.self, from: bytes).version
        guard version == Manifest.versionWritten else { throw .unknownVersion(version) }
        self = try Manifest.parse(Manifest.self, from: bytes)
        try checkAgreement()
    }

    private struct VersionOnly: Decodable {
        var version: Int
    }

    private static func parse<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8]
    ) throws(ManifestError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw .unreadable(explanation(of: error))
        } catch {
            throw .unreadable("\(error)")
        }
    }

    private static func explanation(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "no \(path(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        case .dataCorrupted(let context):
            context.debugDescription
        @unknown default:
            "\(error)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
}

// MARK: - Agreement

extension Manifest {
    private func checkAgreement() throws(ManifestError) {
        try expect(columns.first == "key", "the first column is not key")
        try expect(bytes ?? 0 >= 0, "bytes is negative")
        var lines = 0
        var before: ObjectKey?
        for (index, chunk) in chunks.enumerated() {
            before = try check(chunk, number: index + 1, after: before)
            let (sum, overflow) = lines.addingReportingOverflow(chunk.lines)
            try expect(!overflow, "the chunks have too many lines")
            lines = sum
        }
        try expect(
            lines == objects, "objects is \(objects), but the chunks have \(lines) lines")
    }

    /// Checks one chunk; gives its last key.
    private func check(
        _ chunk: Chunk, number: Int, after before: ObjectKey?
    ) throws(ManifestError) -> ObjectKey {
        // The exact name keeps paths like ../x out, and chunks in order.
        let name = Manifest.chunkName(number)
        try expect(chunk.name == name, "chunk \(number) is called \(chunk.name), not \(name)")
        try expect(chunk.lines > 0, "\(name) has \(chunk.lines) lines")
        try expect(
            chunk.bytes >= chunk.lines, "\(name) has more lines than bytes: \(chunk.bytes)")
        let first = try key(chunk.first)
        let last = try key(chunk.last)
        try expect(
            chunk.lines == 1 ? first == last : first < last,
            "\(name) cannot have \(chunk.lines) lines from \(chunk.first) to \(chunk.last)")
        try expect(before.map { $0 < first } ?? true, "\(name) begins before its forerunner ends")
        return last
    }

    private func key(_ text: String) throws(ManifestError) -> ObjectKey {
        do throws(ListLineError) {
            return try KeyListLine.unescape(Array(text.utf8).span)
        } catch {
            throw .badKey(text, error)
        }
    }

    private func expect(_ holds: Bool, _ reason: String) throws(ManifestError) {
        guard holds else { throw .inconsistent(reason) }
    }
}

/// Why a `manifest.json` cannot be used.
public enum ManifestError: Error, Equatable, Sendable {
    /// No JSON, or a field is missing or of another kind.
    case unreadable(String)
    /// Written by another generation of the program.
    case unknownVersion(Int)
    /// Its numbers contradict each other.
    case inconsistent(String)
    /// The first or last key of a chunk, in its written form, is none.
    case badKey(String, ListLineError)
}

/// The text is for behind the file's path.
extension ManifestError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let reason): "the manifest is damaged (\(reason)): list again"
        case .unknownVersion(let version):
            "the manifest has version \(version), this program reads \(Manifest.versionWritten): "
                + "use the program that wrote it, or list again"
        case .inconsistent(let reason):
            "the manifest contradicts itself (\(reason)): it was changed; list again"
        case .badKey(let text, let error): "the key \(text): \(error)"
        }
    }
}
