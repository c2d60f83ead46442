//! What the commands have in common that take the objects of lists one by one: start, signals, sum, advice.

internal import Engine
internal import Glibc
internal import Linux
internal import Migration

/// A run as the operator sees it, whether it copies or compares.
struct RunCommand {
    var settings: RunSettings
    /// Whether a secret was given as a flag.
    var hasSecretFlag: Bool
    private let console = Console(program: "s3migrate")

    init(settings: RunSettings, hasSecretFlag: Bool) {
        self.settings = settings
        self.hasSecretFlag = hasSecretFlag
    }

    /// Runs to the end, and says what was done; gives the exit code.
    func perform() throws -> ExitStatus {
        Heap.keepFreedMemory()
        let signals = try Signals { [console] name in
            // Nothing has been done or logged yet, so there is nothing to finish.
            console.endProgress()
            console.say("\(name): stopped before the first object")
            _exit(ExitStatus.interrupted.rawValue)
        }
        warnOfSecrets()
        let summary = try Migrator(settings, console: console, signals: signals).run()
        print(summary.text)
        if let advice = advice(summary) { console.say(advice) }
        return ExitStatus(rawValue: summary.exitCode) ?? .cannotGoOn
    }

    private func warnOfSecrets() {
        guard hasSecretFlag else { return }
        console.say(
            "warning: a secret in a flag is visible to every user of this host; "
                + "S3MIGRATE_SRC_SECRET and S3MIGRATE_DEST_SECRET, or profiles, are not")
    }

    /// What to do next, after a run that did not end well.
    private func advice(_ summary: RunSummary) -> String? {
        let folder = settings.logFolder
        switch ExitStatus(rawValue: summary.exitCode) {
        case .interrupted where summary.isDryRun: return "interrupted"
        case .interrupted:
            return "interrupted; to continue: the same command with --resume --log-folder "
                + quoted(folder)
        case .someFailed where !summary.isDryRun:
            return "\(problem(summary)), see \(folder)/failed.log; to list them for a "
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

    private func problem(_ summary: RunSummary) -> String {
        let failed = summary.failed + summary.failedBefore
        guard let verify = summary.verify else { return "\(failed) objects failed" }
        return
            "\(failed + verify.differs + verify.missing) objects differ, are missing, or could not be "
            + "compared"
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
}
