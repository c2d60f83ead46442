//! The external sort: keys in any order go in, each comes out once and in order, in bounded memory.

internal import Migration

/// Sorts what fits into memory, puts it aside as a run, and merges the runs in the end.
///
/// Of a key that is there more than once, what came last is kept: its columns are the newest.
struct KeySorter: ~Copyable {
    private let folder: OutputFolder
    private let runsMax: Int
    private var batch: KeyBatch
    /// The runs by level, oldest first: those of level 0 are batches, those of a higher one merges of `runsMax` of the
    /// level below. So a line is written once for each level, and there are few levels.
    private var levels: [[SortedRun]] = []
    /// Records whose key stands in a later one too.
    private(set) var repeated = 0

    /// - Parameters:
    ///   - folder: where runs lie; they have no names there.
    ///   - memoryBytes: for the keys of a batch; a merge takes 80 KiB for each run, and nothing of this.
    init(
        in folder: OutputFolder, memoryBytes: Int64, runsMax: Int = Limits.mergedRunsMax
    ) {
        self.folder = folder
        self.runsMax = runsMax
        batch = KeyBatch(sizeBytes: Int(memoryBytes))
    }

    /// Takes a record in.
    mutating func append(key: Span<UInt8>, columns: Span<UInt8>) throws(FindError) {
        if batch.append(key: key, columns: columns) { return }
        try putAside()
        let isTaken = batch.append(key: key, columns: columns)
        precondition(isTaken, "the memory for a sort holds not one key of \(key.count) bytes")
    }

    /// Gives all keys in their order, each once.
    mutating func finish(
        _ body: (_ key: Span<UInt8>, _ columns: Span<UInt8>) throws(FindError) -> Void
    ) throws(FindError) {
        guard !levels.isEmpty else {
            batch.sort()
            repeated += try batch.forEach(body)
            return
        }
        try putAside()
        batch = KeyBatch(sizeBytes: 0)
        // A merge of a higher level is older than all below it.
        repeated += try RunMerge(levels.reversed().flatMap(\.self)).forEach(body)
    }

    private mutating func putAside() throws(FindError) {
        guard batch.count > 0 else { return }
        batch.sort()
        var writer = try RunWriter(in: folder)
        repeated += try batch.forEach { key, columns throws(FindError) in
            try writer.append(key: key, columns: columns)
        }
        batch.removeAll()
        try add(try writer.finish(), level: 0)
    }

    private mutating func add(_ run: SortedRun, level: Int) throws(FindError) {
        if level == levels.count { levels.append([]) }
        levels[level].append(run)
        guard levels[level].count == runsMax else { return }
        var writer = try RunWriter(in: folder)
        repeated += try RunMerge(levels[level]).forEach { key, columns throws(FindError) in
            try writer.append(key: key, columns: columns)
        }
        levels[level] = []
        try add(try writer.finish(), level: level + 1)
    }
}
