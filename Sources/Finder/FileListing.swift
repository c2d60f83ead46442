//! One listing of a file of keys, from opening it to the manifest: `s3find --from`.

public import Linux
internal import Migration
internal import S3
internal import Synchronization

/// Key lists out of a file of keys in any order.
public struct FileListing: Sendable {
    /// What to sort, and how.
    public struct Options: Sendable {
        /// The file of keys; `-` is standard input.
        public var file: String
        /// Made if it is missing; must be empty, and not the file's own. Runs of the sort lie there without names.
        public var outputFolder: String
        public var form = KeyForm.lines
        /// For the keys that are sorted at once; some more is for blocks of files.
        public var memoryBytes = FileListing.memoryBytesDefault
        /// Lines of a chunk file.
        public var chunkLines = Manifest.chunkLinesDefault

        public init(file: String, outputFolder: String) {
            self.file = file
            self.outputFolder = outputFolder
        }
    }

    public static let memoryBytesDefault: Int64 = 256 << 20
    public static let memoryBytesMin = Limits.sortMemoryBytesMin

    private let options: Options
    private let console: Console
    private let stop: StopFlag
    private let created = Timestamp.now()
    private let tally = SharedTally()

    public init(_ options: Options, console: Console, stop: StopFlag = StopFlag()) {
        self.options = options
        self.console = console
        self.stop = stop
    }

    /// Sorts the file and writes the lists. The output folder has a manifest only if this returns.
    public func run() throws(FindError) -> FileListingReport {
        let clock = ContinuousClock()
        let begin = clock.now
        var file = try KeyFile(options.file, form: options.form, stop: stop)
        try file.checkOutside(of: options.outputFolder)
        let folder = try OutputFolder(options.outputFolder, outside: nil)
        let progress = try startProgress()
        defer {
            progress.stop()
            console.endProgress()
        }
        var sorter = KeySorter(in: folder, memoryBytes: options.memoryBytes)
        try read(&file, into: &sorter)
        var writer = SortedListWriter(
            ChunkWriter(folder, linesMax: options.chunkLines), form: options.form, tally: tally)
        try sorter.finish { key, columns throws(FindError) in
            try checkStop()
            try writer.append(key: key, columns: columns)
        }
        let manifest = try manifest(&writer, of: file.name, repeated: sorter.repeated)
        guard try folder.write(manifest, unless: { stop.isRaised }) else { throw interrupted }
        return FileListingReport(
            manifest: manifest, folder: folder.path, warnings: writer.warnings,
            elapsed: clock.now - begin)
    }

    private func read(
        _ file: inout KeyFile, into sorter: inout KeySorter
    ) throws(FindError) {
        while let (key, columns) = try file.next() {
            try sorter.append(
                key: file.buffer.span.extracting(key),
                columns: file.buffer.span.extracting(columns))
            tally.found.add(1, ordering: .relaxed)
        }
        try checkStop()
    }

    private func checkStop() throws(FindError) {
        if stop.isRaised { throw interrupted }
    }

    private var interrupted: FindError {
        .interrupted(
            "interrupted: \(options.outputFolder) has no manifest.json and is no finished "
                + "listing: remove it and sort again")
    }

    private func startProgress() throws(FindError) -> Ticker {
        let (console, tally, clock) = (console, tally, ContinuousClock())
        let begin = clock.now
        do throws(SystemError) {
            return try Ticker(every: console.progressInterval) {
                console.show(progress: SortProgress(tally, elapsed: clock.now - begin).line)
            }
        } catch {
            throw .cannotGoOn("\(error)")
        }
    }

    private func manifest(
        _ writer: inout SortedListWriter, of file: String, repeated: Int
    ) throws(FindError) -> Manifest {
        let chunks = try writer.finish()
        var counts = Manifest.Counts()
        counts.repeated = repeated
        return Manifest(
            id: Manifest.randomID(), program: "s3find \(Release.version)", root: file,
            created: created.iso8601, finished: Timestamp.now().iso8601, complete: true,
            objects: writer.objects, bytes: writer.columns.count > 1 ? writer.bytes : nil,
            columns: writer.columns, chunks: chunks, counts: counts)
    }
}
