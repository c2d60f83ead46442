//! One listing of a directory tree, from opening the root to the manifest.

public import Linux
internal import Migration
internal import S3

/// The listing of a mounted directory: its files' paths as object keys, in byte order, in chunk files.
///
/// It is no snapshot: what is made, moved or deleted during the walk may be listed or not. The manifest's `created`
/// is read before the walk begins; a later listing of what changed since then has the rest.
public struct TreeListing: Sendable {
    /// What to list, and how.
    public struct Options: Sendable {
        public var directory: String
        /// Made if it is missing; must be empty and outside of `directory`.
        public var outputFolder: String
        /// List only what changed less than so many days before the start; finite and not negative.
        public var laterThanDays: Double?
        /// Write size and modification time of each object.
        public var isLong = false
        /// List empty directories, as `name/`.
        public var writesMarkers = false
        /// Threads that read ahead of the one that writes; 0 for none.
        public var threads = 8
        /// Lines of a chunk file.
        public var chunkLines = Manifest.chunkLinesDefault

        public init(directory: String, outputFolder: String) {
            self.directory = directory
            self.outputFolder = outputFolder
        }
    }

    private let options: Options
    private let console: Console
    private let stop: StopFlag
    private let created: Timestamp
    private let selection: Selection
    private let tally = SharedTally()

    public init(_ options: Options, console: Console, stop: StopFlag = StopFlag()) {
        self.init(options, console: console, stop: stop, created: .now())
    }

    init(_ options: Options, console: Console, stop: StopFlag, created: Timestamp) {
        self.options = options
        self.console = console
        self.stop = stop
        self.created = created
        selection = Selection(
            laterThanDays: options.laterThanDays, before: created,
            wantsAttributes: options.isLong, wantsMarkers: options.writesMarkers)
    }

    /// Walks the tree and writes the lists. The output folder has a manifest only if this returns.
    public func run() throws(FindError) -> FindReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let root = try openRoot()
        let folder = try OutputFolder(options.outputFolder, outside: root)
        var recorder = makeRecorder(folder)
        try walk(root, recording: &recorder)
        let manifest = try makeManifest(of: &recorder, root: root)
        guard try folder.write(manifest, unless: { stop.isRaised }) else { throw interrupted }
        return FindReport(manifest: manifest, folder: folder.path, elapsed: clock.now - begin)
    }

    private func openRoot() throws(FindError) -> RootDirectory {
        do throws(SystemError) {
            return try RootDirectory(options.directory)
        } catch {
            throw .usage("cannot list \(options.directory): \(error)")
        }
    }

    private func makeRecorder(_ folder: OutputFolder) -> ListingRecorder {
        let console = console
        return ListingRecorder(
            selection: selection, writer: ChunkWriter(folder, linesMax: options.chunkLines),
            tally: tally, complain: { console.say("\($0)") })
    }
}

// MARK: - The walk

extension TreeListing {
    private func walk(
        _ root: RootDirectory, recording recorder: inout ListingRecorder
    ) throws(FindError) {
        var walk = KeyOrderWalk(try startReaders(root))
        let progress = try startProgress()
        defer {
            progress.stop()
            console.endProgress()
        }
        while let step = walk.next() {
            // Before the step is looked at: what readers left unread at the stop is no problem of the tree.
            guard !stop.isRaised else { throw interrupted }
            try recorder.record(step, at: walk.path)
        }
    }

    private func startReaders(_ root: RootDirectory) throws(FindError) -> ReaderPool {
        let (selection, stop, tally) = (selection, stop, tally)
        return try startingThreads { () throws(SystemError) in
            try ReaderPool(threads: options.threads) {
                DirectoryReader(root: root, selection: selection, stop: stop, tally: tally)
            }
        }
    }

    private func startProgress() throws(FindError) -> Ticker {
        let (console, tally, clock) = (console, tally, ContinuousClock())
        let begin = clock.now
        return try startingThreads { () throws(SystemError) in
            try Ticker(every: console.progressInterval) {
                console.show(progress: Progress(tally, elapsed: clock.now - begin).line)
            }
        }
    }

    private func startingThreads<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(FindError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw .cannotGoOn("cannot start \(options.threads) threads: \(error.reason); try fewer")
        }
    }

    private var interrupted: FindError {
        .interrupted(
            "interrupted: \(options.outputFolder) has no manifest.json and is no finished "
                + "listing: remove it and list again")
    }
}

// MARK: - The manifest

extension TreeListing {
    private func makeManifest(
        of recorder: inout ListingRecorder, root: RootDirectory
    ) throws(FindError) -> Manifest {
        let chunks = try recorder.finish()
        return Manifest(
            id: Manifest.randomID(), program: "s3find \(Release.version)", root: root.path,
            created: created.iso8601, finished: Timestamp.now().iso8601,
            filter: Manifest.Filter(laterThanDays: options.laterThanDays),
            complete: recorder.counts.unreadable == 0, objects: recorder.objects,
            bytes: options.isLong ? recorder.bytes : nil,
            columns: options.isLong ? ["key", "size", "mtime"] : ["key"], chunks: chunks,
            counts: recorder.counts)
    }

}
