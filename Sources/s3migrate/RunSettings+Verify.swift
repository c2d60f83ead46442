//! The options of a verification, checked against each other.

internal import ArgumentParser
internal import Engine
internal import Migration

extension RunSettings {
    /// Makes a verification out of what the operator typed.
    init(_ command: Verify) throws {
        let source = try SideOptions(command.source).settings()
        let target = try SideOptions(command.target).settings()
        guard !command.source.srcFolder.isEmpty else {
            throw ValidationError("--src-folder is missing: the folder with the source's key lists")
        }
        let tuning = try RunSettings.checked(command.tuning)
        self.init(
            source: source, target: target, sourceFolders: command.source.srcFolder,
            targetFolders: command.target.destFolder,
            rules: try RunSettings.rules(command, source, target),
            shard: try RunSettings.shard(command.selection),
            threads: tuning.threads ?? min(RunSettings.coreCount, Limits.threadsMax),
            memoryBytes: tuning.memory?.bytes ?? RunSettings.memoryDefaultBytes,
            program: Release.program)
        try checkDistinct()
        verify = command.deep ? .content : .facts
        transfers = tuning.transfers
        timeout = .seconds(tuning.timeout.seconds)
        first = command.selection.first
        start = try RunSettings.start(command.selection)
        logFolder = try RunSettings.logFolder(command.logFolder)
        statusFile = command.statusFile
        allowsIncompleteLists = command.allowIncompleteList
        allowsMissing = command.allowMissing
    }

    private static func rules(
        _ command: Verify, _ source: SideSettings, _ target: SideSettings
    ) throws -> TransferRules {
        let piece = command.partSize
        guard (1...Limits.putBytesMax).contains(piece.bytes) else {
            throw ValidationError("--part-size takes a size up to 5GiB, not \(piece)")
        }
        var rules = TransferRules(sourceBucket: source.bucket, targetBucket: target.bucket)
        // Nothing larger than a piece is ever held.
        rules.wholeObjectBytesMax = piece.bytes
        rules.partBytes = piece.bytes
        rules.retries = RetryPolicy(retriesMax: command.tuning.retries)
        return rules
    }
}
