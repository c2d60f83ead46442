//! Writes lines to chunk files, and remembers what the manifest tells of each.

internal import Migration

/// Takes lines in key order and cuts them into files of so many lines.
struct ChunkWriter: ~Copyable {
    private let folder: OutputFolder
    private let linesMax: Int
    /// The finished ones, in order.
    private(set) var chunks: [Manifest.Chunk] = []

    private var file: NewFile?
    /// Whole lines, the last one among them.
    private var buffer: [UInt8] = []
    private var lastLineStart = 0
    private var lines = 0
    private var writtenBytes: Int64 = 0
    private var first = ""

    init(_ folder: OutputFolder, linesMax: Int) {
        precondition(linesMax > 0)
        self.folder = folder
        self.linesMax = linesMax
    }

    /// Writes a line. The key must be greater than the one before.
    mutating func append(
        key: Span<UInt8>, sizeBytes: Int64? = nil, modified: String? = nil
    ) throws(FindError) {
        try append { bytes in
            KeyListLine.append(key: key, sizeBytes: sizeBytes, modified: modified, to: &bytes)
        }
    }

    /// Writes the line, newline included, that `appendLine` makes.
    mutating func append(_ appendLine: (inout [UInt8]) -> Void) throws(FindError) {
        try makeRoom()
        lastLineStart = buffer.count
        appendLine(&buffer)
        lines += 1
        if lines == 1 { first = lastKey }
    }

    /// Writes lines for plain files of a directory whose path is plain, and whose keys are no longer than a key may be.
    mutating func append(
        _ files: Range<Int>, of listing: DirectoryListing, below path: [UInt8]
    ) throws(FindError) {
        var rest = files
        while !rest.isEmpty {
            try makeRoom()
            // The first line of a chunk is written alone, since it is the manifest's.
            let now = rest.prefix(lines == 0 ? 1 : linesMax - lines)
            listing.appendLines(of: now, below: path, to: &buffer)
            lastLineStart =
                buffer.count - listing.lineByteCount(of: now.upperBound - 1, below: path)
            lines += now.count
            if lines == 1 { first = lastKey }
            rest = now.upperBound..<rest.upperBound
        }
    }

    private mutating func makeRoom() throws(FindError) {
        if lines == linesMax { try finishChunk() }
        if buffer.count >= Limits.chunkBufferBytes { try flush() }
        if lines == 0 { file = try folder.newFile(Manifest.chunkName(chunks.count + 1)) }
    }

    /// Finishes the last file.
    mutating func finish() throws(FindError) {
        if lines > 0 { try finishChunk() }
    }

    private mutating func finishChunk() throws(FindError) {
        let last = lastKey
        try flush()
        try file?.finish()
        file = nil
        chunks.append(
            Manifest.Chunk(
                name: Manifest.chunkName(chunks.count + 1), lines: lines, bytes: writtenBytes,
                first: first, last: last))
        lines = 0
        writtenBytes = 0
    }

    private mutating func flush() throws(FindError) {
        try file?.write(buffer)
        writtenBytes += Int64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    /// The key of the last line as it stands there. A tab or newline in it would be escaped, so the first
    /// one ends it.
    private var lastKey: String {
        let line = buffer[lastLineStart...]
        return String(
            decoding: line.prefix { $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\n") },
            as: UTF8.self)
    }
}
