//! Writes a folder of key lists out of keys that are sorted already: `--failed-to-folder`.

internal import Migration
public import S3

/// A new folder of chunk files with a manifest, written key by key in order.
public struct KeyListWriter: ~Copyable {
    private let folder: OutputFolder
    private var writer: ChunkWriter
    private let root: String
    private let program: String
    private let created: String
    private var count = 0

    /// - Parameters:
    ///   - folder: must be empty, or missing in a folder that is there.
    ///   - root: where the keys come from, for the manifest.
    public init(folder path: String, root: String, program: String) throws(FindError) {
        let folder = try OutputFolder(path, outside: nil)
        self.folder = folder
        writer = ChunkWriter(folder, linesMax: Manifest.chunkLinesDefault)
        self.root = root
        self.program = program
        created = Timestamp.now().iso8601
    }

    /// Adds a key, which must be above the last one.
    public mutating func append(_ key: ObjectKey) throws(FindError) {
        try writer.append(key: key.bytes.span)
        count += 1
    }

    /// Brings the rest to the disk, then the manifest; gives the number of keys.
    public consuming func finish() throws(FindError) -> Int {
        try writer.finish()
        let manifest = Manifest(
            id: Manifest.randomID(), program: program, root: root, created: created,
            finished: Timestamp.now().iso8601, complete: true, objects: count,
            chunks: writer.chunks)
        _ = try folder.write(manifest, unless: { false })
        return count
    }
}
