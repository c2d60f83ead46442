//! `s3migrate verify`: compares every object of key lists at both sides, and copies nothing.

internal import ArgumentParser
internal import Engine
internal import Migration

struct Verify: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare every object of key lists at both sides; nothing is written to either.",
        usage: """
            s3migrate verify --src-url URL --src-bucket NAME --src-key KEY --src-folder FOLDER \
            --dest-url URL --dest-bucket NAME --dest-key KEY --log-folder FOLDER [--deep] [OPTIONS]
            """,
        discussion: """
            Compared are size, ETag, metadata and tags; with --deep the bytes. A difference is looked at twice before \
            it counts, since clients may be writing. What was found stands in verify.log, in key order: same, differs, \
            missing (from the target), gone (from both), extra (only the target has it), fail. What differs, is \
            missing or failed stands in failed.log with both values; --failed-to-folder makes a key list of it. With \
            --dest-folder, the keys of the target's lists are looked at too. --resume and shares work as in a \
            migration.

            EXIT CODES:
              0    nothing differs, is missing, or could not be compared
              1    something does: see failed.log
              2    usage or bad input
              3    the run cannot go on: credentials, bucket, disk, wrong lists
              130  interrupted: --resume continues
            """)

    @Flag(
        help: "Read every object at both sides, piece by piece, and compare the bytes.")
    var deep = false

    @OptionGroup(title: "Source") var source: SourceOptions
    @OptionGroup(title: "Target") var target: TargetOptions
    @OptionGroup(title: "Selection") var selection: SelectionOptions
    @Option(
        help: ArgumentHelp(
            "Folder for verify.log, failed.log and their like (default: the current one); not a "
                + "migration's.", valueName: "FOLDER"))
    var logFolder: [String] = []
    @Option(
        help: ArgumentHelp(
            "Write the progress as JSON to this file, once a second.", valueName: "FILE"))
    var statusFile: String?
    @OptionGroup(title: "Tuning") var tuning: TuningOptions
    @Option(
        help: ArgumentHelp("Size of the pieces in which --deep reads.", valueName: "SIZE"))
    var partSize = ByteCount(Limits.partDefaultBytes)
    @Flag(help: "Take lists whose listing was interrupted or incomplete.")
    var allowIncompleteList = false
    @Flag(
        help: "Go on although more than a tenth of the first objects are missing from the source.")
    var allowMissing = false

    func perform() throws -> ExitStatus {
        try RunCommand(
            settings: try RunSettings(self),
            hasSecretFlag: source.srcSecret != nil || target.destSecret != nil
        ).perform()
    }
}
