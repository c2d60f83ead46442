//! The flat command line, `s3migrate --src-url …`: copies the objects of key lists from one bucket to another.
//! Options in, exit code out; the work is Engine's.

internal import ArgumentParser
internal import Engine
internal import Finder
internal import Glibc
internal import Linux
internal import Migration
internal import S3

struct Migrate: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Copy the objects of key lists from one S3 bucket to another.",
        usage: usage,
        discussion: """
            The lists come from s3find. An object that the target has already is never overwritten, unless \
            --overwrite says so. What was handled \
            stands in migrate.log, in key order; what failed stands in failed.log; --resume continues a run that was \
            stopped. One CTRL-C finishes what is under way, a second stops at once; both leave the logs true.

            """ + "\n" + S3Migrate.otherCommands + exitCodes)

    /// Apart, since the root shows it too.
    static let usage = """
        s3migrate --src-url URL --src-bucket NAME --src-key KEY --src-folder FOLDER \
        --dest-url URL --dest-bucket NAME --dest-key KEY --dest-folder FOLDER [OPTIONS]
        s3migrate --failed-to-folder FOLDER --log-folder FOLDER [--log-folder FOLDER ...]
        s3migrate --check-log FOLDER
        s3migrate report FOLDER ...
        """

    private static let exitCodes = """
        EXIT CODES:
          0    every object was handled
          1    some objects failed: see failed.log
          2    usage or bad input
          3    the run cannot go on: credentials, bucket, disk, wrong lists
          130  interrupted: --resume continues
        """

    @OptionGroup(title: "Source") var source: SourceOptions
    @OptionGroup(title: "Target") var target: TargetOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @OptionGroup(title: "Logs") var logs: LogOptions
    @OptionGroup(title: "Tuning") var tuning: TuningOptions
    @OptionGroup(title: "Permissions") var permissions: PermissionOptions

    /// What the operator wants done.
    private enum Mode {
        case checkLog(String)
        case failedToFolder(String)
        case migrate
    }

    private var mode: Mode {
        if let folder = logs.checkLog { return .checkLog(folder) }
        if let folder = logs.failedToFolder { return .failedToFolder(folder) }
        return .migrate
    }

    /// Does what is wanted; gives the exit code.
    func perform() throws -> ExitStatus {
        switch mode {
        case .checkLog(let folder): return try checkLog(folder)
        case .failedToFolder(let folder): return try writeFailed(to: folder)
        case .migrate: return try migrate()
        }
    }

    // MARK: - Migrating

    private func migrate() throws -> ExitStatus {
        let settings = try RunSettings(self)
        let console = Console(program: "s3migrate")
        let signals = try Signals { name in
            // Nothing has been copied or logged yet, so there is nothing to finish.
            console.endProgress()
            console.say("\(name): stopped before the first object")
            _exit(ExitStatus.interrupted.rawValue)
        }
        warnOfSecrets(console)
        let summary = try Migrator(settings, console: console, signals: signals).run()
        print(summary.text)
        if let advice = advice(summary) { console.say(advice) }
        return ExitStatus(rawValue: summary.exitCode) ?? .cannotGoOn
    }

    private func warnOfSecrets(_ console: Console) {
        guard source.srcSecret != nil || target.destSecret != nil else { return }
        console.say(
            "warning: a secret in a flag is visible to every user of this host; "
                + "S3MIGRATE_SRC_SECRET and S3MIGRATE_DEST_SECRET, or profiles, are not")
    }

    /// What to do next, after a run that did not end well.
    private func advice(_ summary: RunSummary) -> String? {
        let folder = logs.logFolder.first ?? "."
        switch ExitStatus(rawValue: summary.exitCode) {
        case .interrupted where summary.isDryRun: return "interrupted"
        case .interrupted:
            return "interrupted; to continue: the same command with --resume --log-folder "
                + quoted(folder)
        case .someFailed where !summary.isDryRun:
            return
                "\(summary.failed + summary.failedBefore) objects failed, see \(folder)/failed.log; to list them for a "
                + "second pass: s3migrate --failed-to-folder NEW_FOLDER --log-folder "
                + quoted(folder)
        case .cannotGoOn where !summary.isDryRun:
            return (summary.reason ?? "")
                + "\nwhen that is mended, continue: the same command with "
                + "--resume --log-folder " + quoted(folder)
        case .cannotGoOn, .badInput: return summary.reason
        case .handled, .someFailed, nil: return nil
        }
    }

    private func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy {
            $0 > 0x2C && $0 < 0x3B || $0 > 0x3F && $0 < 0x5B || $0 > 0x60 && $0 < 0x7B || $0 == 0x5F
        }
        return isPlain && !path.isEmpty
            ? path
            : "'"
                + path.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }

    // MARK: - The logs

    private func checkLog(_ folder: String) throws -> ExitStatus {
        let report = try LogReport(folder: folder)
        print(report.text)
        return report.isGood ? .handled : .someFailed
    }

    private func writeFailed(to folder: String) throws -> ExitStatus {
        guard !logs.logFolder.isEmpty else {
            throw ValidationError(
                "--failed-to-folder needs the --log-folder of each run, oldest first")
        }
        var failed = try StillFailed(folders: logs.logFolder)
        var list = try KeyListWriter(
            folder: folder, root: logs.logFolder.joined(separator: ", "), program: Release.program)
        let uploads = try UploadsHandover.open(in: logs.logFolder)
        let damaged = try DamagedHandover.known(in: logs.logFolder)
        var unfinished: [UploadRecord] = []
        var damagedLines: [UInt8] = []
        while let key = try failed.next() {
            try list.append(key)
            unfinished += uploads.records(of: key)
            damaged.append(key, to: &damagedLines)
        }
        let count = try list.finish()
        try UploadsHandover.write(unfinished, toList: folder)
        try DamagedHandover.write(damagedLines, toList: folder)
        print("\(count) objects are still failed; their keys are in \(folder)")
        return .handled
    }
}
