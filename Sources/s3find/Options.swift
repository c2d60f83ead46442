//! The command line of s3find.

public import ArgumentParser
internal import Finder
internal import Glibc
public import Migration

struct Options: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The mounted directory to list; with --from there is none.", valueName: "DIRECTORY"))
    var first: String

    @Argument(
        help: ArgumentHelp(
            "The folder for the lists: made if it is missing, else it must be empty.",
            valueName: "OUTPUT_DIR"))
    var second: String?

    @Option(
        help: ArgumentHelp(
            "Make lists of the keys in this file, in any order ('-': standard input), instead of a directory.",
            valueName: "FILE"))
    var from: String?

    @Flag(
        name: [.long, .customShort("0")],
        help: "With --from: a NUL ends each key, not a newline.")
    var null = false

    @Flag(
        help:
            "With --from: the lines are in the list format, perhaps escaped, perhaps with columns.")
    var escaped = false

    @Option(
        help: ArgumentHelp(
            "With --from: memory for sorting (default: \(ByteCount(FileListing.memoryBytesDefault))).",
            valueName: "SIZE"))
    var memory: ByteCount?

    // The guide writes it with a single dash.
    @Option(
        name: [.long, .customLong("later-than", withSingleDash: true)],
        help: ArgumentHelp(
            "List only what changed (contents, name or attributes) in the last DAYS days, such as 2 or 0.5.",
            valueName: "DAYS"))
    var laterThan: Double?

    @Flag(help: "Write size and modification time of each object behind its key.")
    var long = false

    @Flag(help: "List empty directories too, as keys that end in a slash.")
    var directoryMarkers = false

    @Option(
        help: ArgumentHelp(
            "Threads that read directories (default: four for each core).", valueName: "N"))
    var threads: Int?

    @Option(help: ArgumentHelp("Lines of a list file.", valueName: "LINES"))
    var chunkSize = 100_000

    @Flag(help: "Say only what went wrong.")
    var quiet = false

    func validate() throws {
        if let days = laterThan, !(days >= 0 && days.isFinite) {
            throw ValidationError("--later-than takes a number of days from 0 on, not \(days)")
        }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads takes a number from 1 to 256, not \(threads)")
        }
        guard chunkSize >= 1 else {
            throw ValidationError("--chunk-size takes a number from 1 on, not \(chunkSize)")
        }
        try from == nil ? validateForTree() : validateForFile()
    }

    private func validateForTree() throws {
        guard second != nil else {
            throw ValidationError("Missing expected argument '<OUTPUT_DIR>'")
        }
        for (isGiven, name) in [
            (null, "--null"), (escaped, "--escaped"), (memory != nil, "--memory"),
        ]
        where isGiven {
            throw ValidationError("\(name) is for the file of --from, and a directory is listed")
        }
    }

    private func validateForFile() throws {
        if let second {
            throw ValidationError(
                "--from lists a file instead of a directory, so give OUTPUT_DIR alone, not \(second) too"
            )
        }
        let others = [
            (laterThan != nil, "--later-than"), (long, "--long"), (threads != nil, "--threads"),
            (directoryMarkers, "--directory-markers"),
        ]
        for (isGiven, name) in others where isGiven {
            throw ValidationError("\(name) is for a directory, and --from lists a file")
        }
        guard !null || !escaped else {
            throw ValidationError(
                "--null and --escaped: the list format has newlines; give one of them")
        }
        if let memory, memory.bytes < FileListing.memoryBytesMin || memory.bytes > 1 << 40 {
            throw ValidationError(
                "--memory takes at least \(ByteCount(FileListing.memoryBytesMin)), at most 1024GiB, not \(memory)"
            )
        }
    }

    /// What to make of the file of `--from`; nil where a directory is listed.
    var fileListing: FileListing.Options? {
        guard let from else { return nil }
        var listing = FileListing.Options(file: from, outputFolder: first)
        listing.form = null ? .nulSeparated : escaped ? .listed : .lines
        listing.memoryBytes = memory?.bytes ?? listing.memoryBytes
        listing.chunkLines = chunkSize
        return listing
    }

    var listing: TreeListing.Options {
        var listing = TreeListing.Options(directory: first, outputFolder: second ?? "")
        listing.laterThanDays = laterThan
        listing.isLong = long
        listing.writesMarkers = directoryMarkers
        listing.threads = threads ?? Options.defaultThreads
        listing.chunkLines = chunkSize
        return listing
    }

    /// More than cores, since readers mostly wait: for a disk, or for the network.
    private static var defaultThreads: Int {
        min(32, 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}

extension ByteCount: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }
}
