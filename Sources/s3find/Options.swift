//! The command line of s3find.

internal import ArgumentParser
internal import Finder
internal import Glibc

struct Options: ParsableArguments {
    @Argument(help: ArgumentHelp("The mounted directory to list.", valueName: "DIRECTORY"))
    var directory: String

    @Argument(
        help: ArgumentHelp(
            "The folder for the lists: made if it is missing, else it must be empty.",
            valueName: "OUTPUT_DIR"))
    var outputFolder: String

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

    @Option(help: ArgumentHelp("Threads that read directories.", valueName: "N"))
    var threads = Options.defaultThreads

    @Option(help: ArgumentHelp("Lines of a list file.", valueName: "LINES"))
    var chunkSize = 100_000

    @Flag(help: "Say only what went wrong.")
    var quiet = false

    func validate() throws {
        if let days = laterThan, !(days >= 0 && days.isFinite) {
            throw ValidationError("--later-than takes a number of days from 0 on, not \(days)")
        }
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads takes a number from 1 to 256, not \(threads)")
        }
        guard chunkSize >= 1 else {
            throw ValidationError("--chunk-size takes a number from 1 on, not \(chunkSize)")
        }
    }

    var listing: TreeListing.Options {
        var listing = TreeListing.Options(directory: directory, outputFolder: outputFolder)
        listing.laterThanDays = laterThan
        listing.isLong = long
        listing.writesMarkers = directoryMarkers
        listing.threads = threads
        listing.chunkLines = chunkSize
        return listing
    }

    /// More than cores, since readers mostly wait: for a disk, or for the network.
    private static var defaultThreads: Int {
        min(32, 4 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}
