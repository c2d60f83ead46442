//! The report's verdict: why a migration is not complete, and what is worth a look.

/// Reasons and warnings, in sentences that name the folder and what mends it.
struct ReportJudgement {
    private let report: MigrationReport
    private let folders: [LogFolderFacts]
    private let tally: ReportTally
    var severalEndpoints = false

    init(_ report: MigrationReport, _ folders: [LogFolderFacts], _ tally: ReportTally) {
        self.report = report
        self.folders = folders
        self.tally = tally
    }

    var reasons: [String] {
        strangers + folders.indices.flatMap(contradictions) + report.passes.flatMap(gaps) + failures
    }

    // MARK: - One migration

    /// Folders that do not belong to the first one's migration.
    private var strangers: [String] {
        guard let first = folders.first else { return [] }
        return folders.dropFirst().compactMap { folder in
            guard let difference = difference(of: folder, to: first) else { return nil }
            return "\(folder.path) is of another migration than \(first.path): \(difference)"
        }
    }

    private func difference(of folder: LogFolderFacts, to first: LogFolderFacts) -> String? {
        var (one, other) = (first.identity, folder.identity)
        if severalEndpoints {
            other.source.endpoint = one.source.endpoint
            other.target.endpoint = one.target.endpoint
        }
        // What passes and shares differ in is told elsewhere.
        (other.sourceLists, other.targetLists) = (one.sourceLists, one.targetLists)
        (other.hashCount, other.hashValue) = (one.hashCount, one.hashValue)
        guard let difference = other.difference(from: one) else { return nil }
        one.source.endpoint = other.source.endpoint
        one.target.endpoint = other.target.endpoint
        guard other.difference(from: one) == nil else { return difference }
        return difference + " (if these are one cluster: --several-endpoints)"
    }

    // MARK: - Logs that agree

    /// What a folder's logs and its summary do not agree on.
    private func contradictions(_ index: Int) -> [String] {
        let folder = folders[index]
        var found: [String] = []
        if tally.foreign[index] > 0 {
            found.append(
                "\(folder.path): \(tally.foreign[index]) keys in the logs are of another hash value than "
                    + "\(folder.identity.hashValue): the logs were mixed")
        }
        guard let summary = folder.summary else { return found }
        if !summary.identityHolds {
            found.append("\(folder.path): the counts of the run do not add up")
        }
        for kind in RunKind.copy.outcomes {
            let logged = tally.folders[index][kind] ?? 0
            let (counted, isWhole) = summary.counted(kind)
            guard logged < counted || isWhole && logged > counted && folder.isFinished else {
                continue
            }
            found.append(
                "\(folder.path): \(logged) lines say \(kind.rawValue), and \(RunSummary.fileName) has "
                    + "\(counted): a log was changed or cut")
        }
        return found
    }

    // MARK: - Everything handled

    private func gaps(_ pass: MigrationReport.Pass) -> [String] {
        let hosts = pass.hosts.compactMap { gap($0, pass) }
        let lists = differentLists(pass)
        guard hosts.isEmpty, lists.isEmpty, let objects = pass.objects, pass.logged != objects
        else {
            return hosts + lists
        }
        return [
            "\(name(pass)): the lists have \(objects) keys, and the logs \(pass.logged): "
                + "a host began behind them (--start-after), or a log folder is missing"
        ]
    }

    private func gap(_ host: MigrationReport.Host, _ pass: MigrationReport.Pass) -> String? {
        let name = "\(name(pass)), hash value \(host.hashValue) of \(pass.hashCount)"
        let last = host.folders.last ?? ""
        let remedy = "continue it: its command again, with --resume --log-folder \(last)"
        let left = folders.last { $0.path == last }?.summary.map {
            ", \($0.notReached) objects not reached"
        }
        switch host.state {
        case "finished": return nil
        case "missing":
            return "\(name): no folder has its logs; give all folders, or run this share"
        case "running": return "\(name) is still running (\(last))"
        case "died":
            return
                "\(name) did not come to its end (\(last) has no \(RunSummary.fileName)); \(remedy)"
        case "first":
            return
                "\(name) ended early, as --first said (\(last)\(left ?? "")); \(remedy), without --first"
        default: return "\(name) ended early: \(host.state) (\(last)\(left ?? "")); \(remedy)"
        }
    }

    /// Hosts that knew other keys of the target, or counted other keys in what should be the same lists.
    private func differentLists(_ pass: MigrationReport.Pass) -> [String] {
        let paths = Set(pass.hosts.flatMap(\.folders))
        let members = folders.filter { folder in
            paths.contains(folder.path) && folder.sourceListings == pass.sourceLists
        }
        guard let first = members.first else { return [] }
        return members.dropFirst().compactMap { folder in
            guard folder.targetListings != first.targetListings else { return nil }
            return
                "\(name(pass)): \(folder.path) and \(first.path) ran with different lists of the target"
        }
    }

    private func name(_ pass: MigrationReport.Pass) -> String {
        "pass \((report.passes.firstIndex(of: pass) ?? 0) + 1)"
    }

    private var failures: [String] {
        guard report.failed > 0 else { return [] }
        let causes = report.errors.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.count)" }
        return [
            "\(report.failed) objects are still failed (\(causes.joined(separator: " "))); for a second pass: "
                + "s3migrate --failed-to-folder NEW_FOLDER"
                + folders.map { " --log-folder \($0.path)" }.joined()
        ]
    }
}

// MARK: - Warnings

extension ReportJudgement {
    func warnings(countsLines: Bool) -> [String] {
        var warnings = [
            warning(report.proofs["size"], "copies are proved by their size alone (size)"),
            warning(
                report.proofs["upload"],
                "copies came over plain http without a digest of the source's (upload)"),
            warning(
                report.skips["differs"],
                "objects at the target differ from the source's and were left alone (skip-up differs)"
            ),
            warning(
                report.skips["size"],
                "objects that the target had already could be compared by their size alone (skip-up size)"
            ),
            warning(
                report.existSamples?["missing"],
                "keys of the target's lists were asked for and were not there (exist missing)"),
            warning(
                report.existSamples?["differs"],
                "keys of the target's lists were asked for and were other objects (exist differs)"),
            warning(report.lostTags, "copies lack their tags (no-tags)"),
            warning(report.lostMetadata, "copies lack some metadata (no-meta)"),
        ].compactMap(\.self)
        let weak = folders.filter { $0.summary?.weakConditions == true }.map(\.path)
        if !weak.isEmpty {
            warnings.append(
                "the target ignored If-None-Match, a HEAD took its place: \(weak.joined(separator: ", "))"
            )
        }
        if countsLines {
            warnings.append(
                "more than \(FailureCauses.keysMax) objects are still failed: the classes count all lines of "
                    + "failed.log, also of what was copied later")
        }
        return warnings
    }

    private func warning(_ count: ReportTally.Count?, _ text: String) -> String? {
        count.map { "\($0.count) \(text), such as '\($0.example)'" }
    }
}

extension RunSummary {
    /// How many lines of a kind the logs must have at least, and whether there may be no more: a run that continued
    /// another one knows of that one's failures only.
    fileprivate func counted(_ kind: Outcome.Kind) -> (count: Int, isWhole: Bool) {
        switch kind {
        case .copied: (copied, before == 0)
        case .exist: (exist, before == 0)
        case .skippedSource: (skippedSource, before == 0)
        case .skippedTarget: (skippedTarget, before == 0)
        case .failed: (failed + failedBefore, true)
        case .same, .differs, .missing, .gone, .extra: (0, true)
        }
    }
}
