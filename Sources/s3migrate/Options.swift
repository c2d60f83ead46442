//! The command line of s3migrate: the guide's flags, flat, and what they mean.

internal import ArgumentParser
internal import Migration

/// The flags of the source, and their like for the target.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The source's endpoint.", valueName: "URL"))
    var srcUrl: String?
    @Option(help: ArgumentHelp("The source's bucket.", valueName: "NAME"))
    var srcBucket: String?
    @Option(help: ArgumentHelp("Access key.", valueName: "KEY"))
    var srcKey: String?
    @Option(
        help: ArgumentHelp(
            "Secret key. Every user of this host can read it in the list of processes: better in the "
                + "environment (S3MIGRATE_SRC_SECRET) or a profile.", valueName: "SECRET"))
    var srcSecret: String?
    @Option(
        help: ArgumentHelp(
            "Take key, secret, token and region from this profile of the AWS credentials file; a token that "
                + "expires is read there again.",
            valueName: "NAME"))
    var srcProfile: String?
    @Option(
        help: ArgumentHelp(
            "Folder with the source's key lists; may be repeated.", valueName: "FOLDER"))
    var srcFolder: [String] = []
    @Option(
        help: ArgumentHelp("Region to sign for (default: us-east-1).", valueName: "REGION"))
    var srcRegion: String?
    @Option(
        help: ArgumentHelp(
            "Certificates to trust instead of the system's (PEM).", valueName: "FILE"))
    var srcCaFile: String?
    @Option(help: ArgumentHelp("Our own certificate (PEM).", valueName: "FILE"))
    var srcClientCert: String?
    @Option(help: ArgumentHelp("Its key (PEM).", valueName: "FILE"))
    var srcClientKey: String?
    @Flag(help: "Take any certificate of the source. For tests, not for data.")
    var srcInsecure = false
}

struct TargetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The target's endpoint.", valueName: "URL"))
    var destUrl: String?
    @Option(help: ArgumentHelp("The target's bucket.", valueName: "NAME"))
    var destBucket: String?
    @Option(help: ArgumentHelp("Access key.", valueName: "KEY"))
    var destKey: String?
    @Option(
        help: ArgumentHelp(
            "Secret key; better in S3MIGRATE_DEST_SECRET or a profile.", valueName: "SECRET"))
    var destSecret: String?
    @Option(
        help: ArgumentHelp("As --src-profile, for the target.", valueName: "NAME"))
    var destProfile: String?
    @Option(
        help: ArgumentHelp(
            "Folder with the target's key lists: these keys exist already (a verification looks at them "
                + "too). May be repeated; an empty folder means that nothing is known.",
            valueName: "FOLDER"))
    var destFolder: [String] = []
    @Option(
        help: ArgumentHelp("Region to sign for (default: us-east-1).", valueName: "REGION"))
    var destRegion: String?
    @Option(
        help: ArgumentHelp(
            "Certificates to trust instead of the system's (PEM).", valueName: "FILE"))
    var destCaFile: String?
    @Option(help: ArgumentHelp("Our own certificate (PEM).", valueName: "FILE"))
    var destClientCert: String?
    @Option(help: ArgumentHelp("Its key (PEM).", valueName: "FILE"))
    var destClientKey: String?
    @Flag(help: "Take any certificate of the target. For tests, not for data.")
    var destInsecure = false
}

/// Which keys this process copies, and where it begins.
struct SelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How many processes share the keys; each runs with a --hash-value of its own.",
            valueName: "N"))
    var hashCount = 1
    @Option(help: ArgumentHelp("Which share is ours, from 0 to N - 1.", valueName: "I"))
    var hashValue: Int?
    @Option(
        help: ArgumentHelp(
            "Begin behind this key, as 'cut -f1' prints it from migrate.log.", valueName: "KEY"))
    var startAfter: String?
    @Flag(help: "Continue the run whose logs are in --log-folder.")
    var resume = false
    @Option(
        help: ArgumentHelp("End after so many objects of our share.", valueName: "N"))
    var first: Int?
}

/// Looking before it is done.
struct RehearsalOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Read the lists and ask the source for each object, write nothing anywhere, and say "
                + "what a run would do."))
    var dryRun = false
}

/// How much of everything.
struct TuningOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Worker threads (default: one for each core).", valueName: "N"))
    var threads: Int?
    @Option(
        help: ArgumentHelp("Simultaneous transfers of each thread.", valueName: "N"))
    var transfers = Limits.transfersDefault
    @Option(
        help: ArgumentHelp(
            "Bound on all buffers together (default: a quarter of the machine's memory, at most 1GiB).",
            valueName: "SIZE"))
    var memory: ByteCount?
    @Option(help: ArgumentHelp("How often one request is tried again.", valueName: "N"))
    var retries = Limits.retriesDefault
    @Option(
        help: ArgumentHelp(
            "A connection on which nothing moves for so long is given up.", valueName: "TIME"))
    var timeout = Seconds(60)
    @Option(
        help: ArgumentHelp(
            "How long to wait for a side that does not answer at all; nothing fails meanwhile.",
            valueName: "TIME"))
    var outageTimeout = Seconds(Limits.outageTimeoutDefault.components.seconds)
    @Option(
        help: ArgumentHelp(
            "Stop when so many objects have failed (default: go on).", valueName: "N"))
    var maxFailures: Int?
}

/// How large objects move.
struct PartOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Objects above this size move in parts, over all threads, and resume part by part.",
            valueName: "SIZE"))
    var multipartThreshold = ByteCount(Limits.multipartThresholdDefaultBytes)
    @Option(
        help: ArgumentHelp(
            "Size of the parts, unless the source's own can be used or there would be more than "
                + "10,000.", valueName: "SIZE"))
    var partSize = ByteCount(Limits.partDefaultBytes)
}

/// Where the bookkeeping goes, and what is done with it.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder for migrate.log, failed.log and their like (default: the current one). Repeat it "
                + "for --failed-to-folder, oldest first.", valueName: "FOLDER"))
    var logFolder: [String] = []
    @Option(
        help: ArgumentHelp(
            "Write the progress as JSON to this file, once a second.", valueName: "FILE"))
    var statusFile: String?
    @Option(
        help: ArgumentHelp(
            "Make a key list, in this empty folder, of what is still failed after the runs in the "
                + "--log-folder given, and end.", valueName: "FOLDER"))
    var failedToFolder: String?
    @Option(
        help: ArgumentHelp(
            "Check that the logs in this folder are whole and sorted, and end.", valueName: "FOLDER"
        ))
    var checkLog: String?
}

/// What is refused unless the operator says so.
struct PermissionOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Copy to a target that ignores If-None-Match, or If-Match where objects are replaced: a HEAD "
                + "just before each PUT takes its place."))
    var allowWeakConditions = false
    @Option(
        help: ArgumentHelp(
            "Which objects that the target has already are replaced: never; changed, those that differ from "
                + "the source's and are older; always, all that differ.",
            valueName: "never|changed|always"))
    var overwrite = OverwriteMode.never
    @Flag(
        help: ArgumentHelp(
            "Copy an object whose metadata the target refuses without it (marked no-meta), instead of "
                + "letting it fail."))
    var dropRefusedMetadata = false
    @Flag(help: "Take lists whose listing was interrupted or incomplete.")
    var allowIncompleteList = false
    @Flag(
        help: "Go on although more than a tenth of the first objects are missing from the source.")
    var allowMissing = false
}
