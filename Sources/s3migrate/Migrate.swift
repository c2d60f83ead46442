//! The flat command line, `s3migrate --src-url …`: copies the objects of key lists from one bucket to another.
//! Options in, exit code out; the work is Engine's.

internal import ArgumentParser
internal import Engine
internal import Finder
internal import Linux
internal import Migration

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
        s3migrate verify --src-url URL ... --dest-url URL ... --log-folder FOLDER [--deep]
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
    @OptionGroup(title: "Selection") var rehearsal: RehearsalOptions
    @OptionGroup(title: "Logs") var logs: LogOptions
    @OptionGroup(title: "Tuning") var tuning: TuningOptions
    @OptionGroup(title: "Tuning") var parts: PartOptions
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
        try RunCommand(
            settings: try RunSettings(self),
            hasSecretFlag: source.srcSecret != nil || target.destSecret != nil
        ).perform()
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
