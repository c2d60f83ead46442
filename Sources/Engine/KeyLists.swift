//! The key lists of both sides: opened, checked, counted, and told apart from each other.

public import Migration
import S3

/// The lists of one run.
public struct KeyLists: Sendable {
    public var source: KeyListFolderSet
    public var target: KeyListFolderSet

    /// Opens all folders, then checks the files of those without a manifest, line by line.
    ///
    /// What is cheap to see is seen first: a missing folder is told before a hundred million lines are read.
    /// An empty folder is no error here; `isEmpty` tells it.
    public init(
        source: [String], target: [String], allowIncomplete: Bool = false,
        progress: (KeyListCheckProgress) -> Void = { _ in }
    ) throws(ListError) {
        let sourceFolders = try Self.open(source, allowIncomplete)
        let targetFolders = try Self.open(target, allowIncomplete)
        let folders = sourceFolders + targetFolders
        try Self.checkDistinct(folders)
        let unchecked = folders.filter { $0.manifest == nil }.flatMap(\.files)
        var meter = Meter(totalBytes: unchecked.reduce(0) { $0 + $1.sizeBytes })
        self.source = try KeyListFolderSet(sourceFolders, &meter, progress)
        self.target = try KeyListFolderSet(targetFolders, &meter, progress)
    }

    private static func open(
        _ paths: [String], _ allowIncomplete: Bool
    ) throws(ListError) -> [KeyListFolder] {
        var folders: [KeyListFolder] = []
        for path in paths {
            folders.append(try KeyListFolder(opening: path, allowIncomplete: allowIncomplete))
        }
        return folders
    }

    /// No folder twice, by whatever name, and no two copies of one listing, on whatever side.
    private static func checkDistinct(_ folders: [KeyListFolder]) throws(ListError) {
        var pathOfPlace: [KeyListFolder.Place: String] = [:]
        var pathOfListing: [String: String] = [:]
        for folder in folders {
            if let other = pathOfPlace.updateValue(folder.path, forKey: folder.place) {
                throw .sameLists(other, folder.path)
            }
            guard let id = folder.manifest?.id else { continue }
            if let other = pathOfListing.updateValue(folder.path, forKey: id) {
                throw .sameLists(other, folder.path)
            }
        }
    }
}

/// The lists of one side.
public struct KeyListFolderSet: Sendable {
    /// What a folder held, for `run.json`: a resumed run must have the same.
    public struct Identity: Codable, Hashable, Sendable {
        /// Without links.
        public var path: String
        /// The manifest's id, or a digest over names, sizes, lines, first and last keys.
        public var listing: String

        public init(path: String, listing: String) {
            self.path = path
            self.listing = listing
        }
    }

    /// The files that have lines.
    public internal(set) var chunks: [KeyListChunk] = []
    public private(set) var objectCount = 0
    /// The objects' sizes; nil when not every line has one.
    public private(set) var objectBytes: Int64? = 0
    public private(set) var identities: [Identity] = []

    /// Whether there is not one line.
    public var isEmpty: Bool { objectCount == 0 }

    /// Whether a program says what was listed, rather than somebody's files.
    public private(set) var hasManifest = false

    fileprivate init(
        _ folders: [KeyListFolder], _ meter: inout Meter, _ progress: (KeyListCheckProgress) -> Void
    ) throws(ListError) {
        for folder in folders {
            if let manifest = folder.manifest {
                try add(manifest, of: folder)
            } else {
                try check(folder, &meter, progress)
            }
        }
    }

    private mutating func add(_ manifest: Manifest, of folder: KeyListFolder) throws(ListError) {
        hasManifest = true
        for chunk in manifest.chunks {
            let list = ListChunk(
                folder: folder.path, name: chunk.name,
                firstKey: try Self.key(chunk.first, of: folder),
                lastKey: try Self.key(chunk.last, of: folder), lineCount: chunk.lines)
            chunks.append(KeyListChunk(list: list, sizeBytes: chunk.bytes))
        }
        add(manifest.objects, objectBytes: manifest.bytes)
        identities.append(Identity(path: folder.canonicalPath, listing: manifest.id))
    }

    private static func key(
        _ escaped: String, of folder: KeyListFolder
    ) throws(ListError) -> ObjectKey {
        let bytes = Array(escaped.utf8)
        do throws(ListLineError) {
            return try KeyListLine.unescape(bytes.span)
        } catch {
            let path = ListChunk(folder: folder.path, name: Manifest.fileName).path
            throw .badManifest(path: path, detail: "the key \(escaped): \(error)")
        }
    }

    private mutating func check(
        _ folder: KeyListFolder, _ meter: inout Meter, _ progress: (KeyListCheckProgress) -> Void
    ) throws(ListError) {
        var digest = ListingDigest()
        for file in folder.files {
            var list = ListChunk(folder: folder.path, name: file.name)
            let chunk = KeyListChunk(list: list, sizeBytes: file.sizeBytes)
            let check = try KeyListCheck(chunk) { lineCount, blockBytes in
                meter.advance(to: lineCount, blockBytes, progress)
            }
            meter.endFile(check.lineCount, progress)
            list.firstKey = check.firstKey
            list.lastKey = check.lastKey
            list.lineCount = check.lineCount
            digest.add(list, sizeBytes: file.sizeBytes)
            add(check.lineCount, objectBytes: check.objectBytes)
            guard check.lineCount > 0 else { continue }
            chunks.append(KeyListChunk(list: list, sizeBytes: file.sizeBytes))
        }
        identities.append(Identity(path: folder.canonicalPath, listing: digest.text))
    }

    private mutating func add(_ objectCount: Int, objectBytes: Int64?) {
        self.objectCount += objectCount
        // An empty list says nothing of sizes, and spoils no sum.
        guard objectCount > 0, let sum = self.objectBytes else { return }
        self.objectBytes = objectBytes.map { sum &+ $0 }
    }
}

/// A list file that has lines, and how to get at it.
public struct KeyListChunk: Sendable {
    public let list: ListChunk
    /// Of the file.
    public let sizeBytes: Int64
    /// The file itself where it is open already and has no name: the product of a merge.
    let file: KeyListFile?

    init(list: ListChunk, sizeBytes: Int64, file: KeyListFile? = nil) {
        self.list = list
        self.sizeBytes = sizeBytes
        self.file = file
    }

    /// Opens the file and makes sure that it is still the one that was examined.
    func open() throws(ListError) -> KeyListFile {
        if let file { return file }
        let file = try KeyListFile(opening: list.path)
        guard file.sizeBytes == sizeBytes else {
            throw .changed(
                path: list.path, detail: "it has \(file.sizeBytes) bytes, not \(sizeBytes)")
        }
        return file
    }
}

/// Counts the bytes and lines of the check, and lets the caller know now and then.
private struct Meter {
    private var done: KeyListCheckProgress
    private var fileLineCount = 0
    private var quietBytes = 0

    private static let quietBytesMax = 16 * 1024 * 1024

    init(totalBytes: Int64) {
        done = KeyListCheckProgress(lineCount: 0, readBytes: 0, totalBytes: totalBytes)
    }

    mutating func advance(
        to lineCount: Int, _ blockBytes: Int, _ progress: (KeyListCheckProgress) -> Void
    ) {
        done.lineCount += lineCount - fileLineCount
        fileLineCount = lineCount
        done.readBytes += Int64(blockBytes)
        quietBytes += blockBytes
        guard quietBytes >= Self.quietBytesMax else { return }
        quietBytes = 0
        progress(done)
    }

    mutating func endFile(_ lineCount: Int, _ progress: (KeyListCheckProgress) -> Void) {
        done.lineCount += lineCount - fileLineCount
        fileLineCount = 0
        if done.readBytes == done.totalBytes { progress(done) }
    }
}

/// What tells one set of files from another, without a manifest.
private struct ListingDigest {
    private var bytes: [UInt8] = []

    mutating func add(_ list: ListChunk, sizeBytes: Int64) {
        bytes += Array("\(list.name)\0\(sizeBytes)\0\(list.lineCount ?? 0)\0".utf8)
        for key in [list.firstKey, list.lastKey] { bytes += (key?.bytes ?? []) + [0] }
    }

    var text: String { "fnv1a-" + String(Shard.hash(bytes.span), radix: 16) }
}
