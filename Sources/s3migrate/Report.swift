//! `s3migrate report`: says of the log folders of all hosts whether the migration is complete.

internal import ArgumentParser
internal import Engine
internal import Migration

struct Report: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Say of the log folders of all hosts whether the migration is complete.",
        usage: "s3migrate report LOG_FOLDER ... [--json] [--several-endpoints]",
        discussion: """
            Give the log folders of all hosts, and behind them those of second passes, oldest first: what a later \
            pass has copied heals what failed before. It is complete when every hash value ran to its end over the \
            same lists, buckets and endpoints, the logs agree with the summaries and add up to the lists, and nothing \
            is still failed. What is unproved, lost or different is told as a warning.

            EXIT CODES:
              0    the migration is complete
              1    it is not; the reasons come first
              2    usage, or logs that cannot be read
            """)

    @Argument(help: ArgumentHelp("Log folders, oldest pass first.", valueName: "LOG_FOLDER"))
    var logFolders: [String]

    @Flag(help: "Write the report as JSON.")
    var json = false

    @Flag(help: "Hosts reach the same cluster through different addresses.")
    var severalEndpoints = false

    func perform() throws -> ExitStatus {
        let report = try ReportReader(
            folders: logFolders, severalEndpoints: severalEndpoints
        ).read()
        print(
            json ? String(decoding: report.encoded(), as: UTF8.self) : report.text + "\n",
            terminator: "")
        return report.isComplete ? .handled : .someFailed
    }
}
