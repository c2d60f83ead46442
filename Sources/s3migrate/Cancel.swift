//! `s3migrate cancel`: aborts the multipart uploads that a stopped or failed run has left at the target.

internal import ArgumentParser
internal import Engine
internal import Linux
internal import Migration

struct Cancel: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Abort the uploads that a run left open and nobody will continue.",
        usage: """
            s3migrate cancel --dest-url URL --dest-bucket NAME --dest-key KEY \
            --log-folder FOLDER [--log-folder FOLDER ...]
            """,
        discussion: """
            A run that was stopped, or that failed to copy large objects, leaves their uploads open at the target, so \
            that --resume goes on where it was. What is left when nobody will resume takes up space there. Only \
            uploads of the folders' uploads.log are aborted, never those of others.

            EXIT CODES:
              0    nothing of these runs is left open
              1    some uploads could not be aborted
              2    usage or bad input
              3    the log folder or the target cannot be used
            """)

    @OptionGroup(title: "Target") var target: TargetOptions
    @Option(
        help: ArgumentHelp(
            "The log folder of a run; may be repeated.", valueName: "FOLDER"))
    var logFolder: [String] = []
    @Option(
        help: ArgumentHelp(
            "A connection on which nothing moves for so long is given up.", valueName: "TIME"))
    var timeout = Seconds(60)

    /// Not in `perform`, whose errors would show the usage of the flat form.
    func validate() throws {
        guard !logFolder.isEmpty else {
            throw ValidationError("--log-folder is missing: the folder with the run's uploads.log")
        }
    }

    func perform() throws -> ExitStatus {
        let settings = try SideOptions(target).settings()
        var counts = (ended: 0, left: 0)
        for folder in logFolder {
            let canceller = try UploadCanceller(
                target: settings, logFolder: folder, timeout: .seconds(timeout.seconds))
            try canceller.run { result in
                print(Cancel.line(result))
                if case .left = result.kind { counts.left += 1 } else { counts.ended += 1 }
            }
        }
        print("\(counts.ended) uploads are ended, \(counts.left) are left")
        return counts.left == 0 ? .handled : .someFailed
    }

    private static func line(_ result: UploadCanceller.Result) -> String {
        let key = KeyListLine.escaped(result.record.key)
        let id = result.record.uploadID.map { " (upload \($0))" } ?? ""
        return switch result.kind {
        case .aborted: "aborted \(key)\(id)"
        case .gone: "gone already \(key)\(id)"
        case .left(let reason): "LEFT \(key)\(id): \(reason)"
        }
    }
}
