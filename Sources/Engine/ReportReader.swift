//! Reads the log folders of a migration for its report, line by line.

internal import CLinux
internal import Glibc
internal import Linux
public import Migration
internal import S3

/// The report of some log folders.
public struct ReportReader: Sendable {
    /// More hosts than anybody has, and few enough to be listed.
    fileprivate static let hashCountMax = 1_000_000

    private let folders: [String]
    private let severalEndpoints: Bool

    /// - Parameters:
    ///   - folders: of all hosts and passes, oldest first.
    ///   - severalEndpoints: hosts reach one cluster through different addresses.
    public init(folders: [String], severalEndpoints: Bool = false) {
        self.folders = folders
        self.severalEndpoints = severalEndpoints
    }

    /// Reads everything; needs no memory for it but for what is still failed.
    public func read() throws(LogFolderError) -> MigrationReport {
        var facts: [LogFolderFacts] = []
        for folder in folders { facts.append(try self.facts(of: folder)) }
        var tally = ReportTally(
            shards: facts.map { Shard(count: $0.identity.hashCount, value: $0.identity.hashValue) },
            hostOfFolder: PassPlan(facts).hostOfFolder)
        var causes = FailureCauses()
        var logs = try LogMerge(folders: folders, takesMissing: true)
        while let (key, words) = try logs.next() {
            let outcome = tally.take(key, words.map { ($0.folder, $0.line) })
            if outcome == .failed { causes.add(key) }
        }
        if tally.outcomes[.failed] != nil {
            for folder in folders { try readFailed(folder, &causes) }
        }
        guard
            let report = MigrationReport(facts, tally, causes, severalEndpoints: severalEndpoints)
        else { throw LogFolderError("a report needs a log folder") }
        return report
    }

    private func readFailed(
        _ folder: String, _ causes: inout FailureCauses
    ) throws(LogFolderError) {
        let path = "\(folder)/\(LogFolder.failedName)"
        guard access(path, F_OK) == 0 else { return }
        try attempt(folder) { () throws(SystemError) in
            var reader = try LineReader(path: path)
            // A line that a crash tore off tells of an object that was not handled.
            while let line = try reader.next({ $1 ? FailedLogLine(parsing: $0) : nil }) {
                if let line { causes.take(line) }
            }
        }
    }

    // MARK: - A folder

    private func facts(of folder: String) throws(LogFolderError) -> LogFolderFacts {
        let (run, summary) = try attempt(folder) { () throws(SystemError) in
            try check("cannot look into \(folder)") { access(folder, R_OK | X_OK) }
            let name = "\(folder)/\(RunIdentity.fileName)"
            guard let run = try readFile(path: name) else {
                throw SystemError("cannot read \(name)", code: ENOENT)
            }
            return (run, try readFile(path: "\(folder)/\(RunSummary.fileName)"))
        }
        guard let identity = RunIdentity(decoding: run), identity.hasShare else {
            throw LogFolderError("\(folder)/\(RunIdentity.fileName) is none that s3migrate writes")
        }
        guard identity.kind == .copy else {
            throw LogFolderError(
                "\(folder) has the logs of \(identity.kind.name), which a report on a migration leaves out; "
                    + "its own \(RunSummary.fileName) says what it found")
        }
        let parsed = summary.flatMap { RunSummary(decoding: $0) }
        guard (parsed == nil) == (summary == nil) else {
            throw LogFolderError("\(folder)/\(RunSummary.fileName) is none that s3migrate writes")
        }
        return LogFolderFacts(
            path: folder, identity: identity, summary: parsed, isInUse: isInUse(folder))
    }

    /// Asks for the lock that a run holds, for a moment.
    private func isInUse(_ folder: String) -> Bool {
        let number = open("\(folder)/\(LogFolder.lockName)", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return false }
        let lock = Descriptor(number)
        return flock(lock.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    private func attempt<Result>(
        _ folder: String, _ body: () throws(SystemError) -> Result
    ) throws(LogFolderError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw LogFolderError(
                "\(error.advice)\n  check the folder: it is one that s3migrate has written to")
        }
    }
}

extension RunIdentity {
    /// Whether the share is one; a file that somebody changed may say anything.
    fileprivate var hasShare: Bool {
        (1...ReportReader.hashCountMax).contains(hashCount) && (0..<hashCount).contains(hashValue)
    }
}
