//! The options as a whole, checked against each other.

internal import ArgumentParser
internal import Engine
internal import Finder
internal import Glibc
internal import Migration
internal import S3

extension RunSettings {
    /// Makes a run out of what the operator typed.
    init(_ command: Migrate) throws {
        let source = try SideOptions(command.source).settings()
        let target = try SideOptions(command.target).settings()
        let folders = try RunSettings.folders(command)
        let tuning = try RunSettings.checked(command.tuning)
        let parts = try RunSettings.checked(command.parts)
        var rules = TransferRules(sourceBucket: source.bucket, targetBucket: target.bucket)
        rules.wholeObjectBytesMax = parts.multipartThreshold.bytes
        rules.partBytes = parts.partSize.bytes
        rules.retries = RetryPolicy(retriesMax: tuning.retries)
        rules.sourceIsPlain = !source.endpoint.isSecure
        rules.overwrite = command.permissions.overwrite
        rules.dropsRefusedMetadata = command.permissions.dropRefusedMetadata
        self.init(
            source: source, target: target, sourceFolders: folders.source,
            targetFolders: folders.target, rules: rules,
            shard: try RunSettings.shard(command.selection),
            threads: tuning.threads ?? min(RunSettings.coreCount, Limits.threadsMax),
            memoryBytes: tuning.memory?.bytes ?? RunSettings.memoryDefaultBytes,
            program: Release.program)
        try checkDistinct()
        transfers = tuning.transfers
        timeout = .seconds(tuning.timeout.seconds)
        outageTimeout = .seconds(tuning.outageTimeout.seconds)
        failuresMax = tuning.maxFailures
        first = command.selection.first
        start = try RunSettings.start(command.selection)
        logFolder = try RunSettings.logFolder(command.logs.logFolder)
        statusFile = command.logs.statusFile
        isDryRun = command.rehearsal.dryRun
        allowsWeakConditions = command.permissions.allowWeakConditions
        allowsIncompleteLists = command.permissions.allowIncompleteList
        allowsMissing = command.permissions.allowMissing
    }

    func checkDistinct() throws {
        guard source.endpoint == target.endpoint, source.bucket == target.bucket else { return }
        throw ValidationError(
            "source and target are the same bucket at the same endpoint: nothing to migrate")
    }

    private static func folders(
        _ command: Migrate
    ) throws -> (source: [String], target: [String]) {
        guard !command.source.srcFolder.isEmpty else {
            throw ValidationError("--src-folder is missing: the folder with the source's key lists")
        }
        guard !command.target.destFolder.isEmpty else {
            throw ValidationError(
                "--dest-folder is missing: the folder with the target's key lists (an empty folder "
                    + "means that nothing is known of the target)")
        }
        return (command.source.srcFolder, command.target.destFolder)
    }

    static func shard(_ selection: SelectionOptions) throws -> Shard {
        let count = selection.hashCount
        guard count >= 1 else {
            throw ValidationError("--hash-count takes a number from 1 on, not \(count)")
        }
        guard let value = selection.hashValue ?? (count == 1 ? 0 : nil) else {
            throw ValidationError(
                "--hash-count \(count) needs --hash-value: which share is ours, 0 to \(count - 1)")
        }
        guard (0..<count).contains(value) else {
            throw ValidationError(
                "--hash-value takes a number from 0 to \(count - 1) with --hash-count \(count), "
                    + "not \(value)")
        }
        return Shard(count: count, value: value)
    }

    static func start(_ selection: SelectionOptions) throws -> LogFolder.Start {
        if let first = selection.first, first < 1 {
            throw ValidationError("--first takes a number from 1 on, not \(first)")
        }
        guard let text = selection.startAfter else {
            return selection.resume ? .resume : .fresh
        }
        guard !selection.resume else {
            throw ValidationError(
                "--resume finds the key itself: give it or --start-after, not both")
        }
        let bytes = Array(text.utf8)
        do {
            return .after(try KeyListLine.unescape(bytes.span))
        } catch {
            throw ValidationError("--start-after: \(error)")
        }
    }

    static func logFolder(_ folders: [String]) throws -> String {
        guard folders.count <= 1 else {
            throw ValidationError("a run writes to one --log-folder, not \(folders.count)")
        }
        return folders.first ?? "."
    }

    static func checked(_ tuning: TuningOptions) throws -> TuningOptions {
        func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError(
                "\(name) takes a number from \(range.lowerBound) to \(range.upperBound), not \(value)"
            )
        }
        try check("--threads", tuning.threads, 1...Limits.threadsMax)
        try check("--transfers", tuning.transfers, 1...Limits.transfersMax)
        try check("--retries", tuning.retries, 0...1000)
        try check("--max-failures", tuning.maxFailures, 1...Int.max)
        guard tuning.timeout.seconds >= 1 else {
            throw ValidationError("--timeout takes a second or more")
        }
        return tuning
    }

    private static func checked(_ parts: PartOptions) throws -> PartOptions {
        let threshold = parts.multipartThreshold
        guard (1...Limits.putBytesMax).contains(threshold.bytes) else {
            throw ValidationError(
                "--multipart-threshold takes a size up to 5GiB, which is what S3 takes in one PUT, "
                    + "not \(threshold)")
        }
        let part = parts.partSize
        guard (Limits.partBytesMin...Limits.putBytesMax).contains(part.bytes) else {
            throw ValidationError(
                "--part-size takes a size from 5MiB to 5GiB, which is what S3 takes, not \(part)")
        }
        return parts
    }

    // MARK: - The machine

    static var coreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// A quarter of the machine, at most 1 GiB.
    static var memoryDefaultBytes: Int64 {
        let pages = Int64(max(1, sysconf(Int32(_SC_PHYS_PAGES))))
        let bytes = pages * Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        return min(bytes / 4, Limits.memoryDefaultBytesMax)
    }
}
