//! The conductor: opens what a run needs, starts its threads, waits for them, and sums up.

internal import Curl
internal import Glibc
public import Linux
public import Migration
internal import S3

/// One run, from its settings to its summary.
public struct Migrator: Sendable {
    private let settings: RunSettings
    private let console: Console
    private let signals: Signals
    private let clock = Clock()

    public init(_ settings: RunSettings, console: Console, signals: Signals) {
        self.settings = settings
        self.console = console
        self.signals = signals
    }

    /// Runs to the end, however it comes.
    ///
    /// - Returns: what was done; its `exitCode` is the program's.
    /// - Throws: what is wrong before anything is copied.
    public func run() throws(RunError) -> RunSummary {
        try OpenFiles.provide(slots: settings.slots)
        let lists = try openLists()
        if settings.isDryRun { return try dryRun(lists) }
        let folder = try openLogFolder()
        let earlier = try begin(folder)
        try adopt(folder, lists)
        var settings = settings
        settings.roundTrip = try preflight(lists)
        // A verification writes nothing, not even a scratch object.
        if settings.kind == .copy { settings.rules.target = try probe(folder) }
        settings.rules.isResumed = earlier.isContinued
        settings.rules.replacesUnguarded = settings.allowsWeakConditions
        let plan = try plan(lists, earlier, temporaryFolder: folder.path)
        var summary = try Run(settings, lists, plan, console, signals, clock).run(
            logFolder: folder.path)
        writeSummary(&summary, to: folder)
        return summary
    }

    private func dryRun(_ lists: KeyLists) throws(RunError) -> RunSummary {
        _ = try preflight(lists)
        let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let plan = try plan(lists, LogFolder.Earlier(), temporaryFolder: temporary)
        return try Run(settings, lists, plan, console, signals, clock).run(logFolder: nil)
    }

    // MARK: - The lists

    private func openLists() throws(RunError) -> KeyLists {
        var shownAt = clock.now
        let lists: KeyLists
        do throws(ListError) {
            lists = try KeyLists(
                source: settings.sourceFolders, target: settings.targetFolders,
                allowIncomplete: settings.allowsIncompleteLists
            ) { progress in
                let now = clock.now
                guard now - shownAt >= .seconds(console.isTerminal ? 1 : 10) else { return }
                shownAt = now
                console.show(progress: "checking the lists: \(progress.lineCount) lines")
            }
        } catch {
            throw .badInput("\(error)")
        }
        console.endProgress()
        try checkNotEmpty(lists.source)
        return lists
    }

    /// A finished listing of nothing is a fact; a folder without a line is most likely the wrong one.
    private func checkNotEmpty(_ source: KeyListFolderSet) throws(RunError) {
        guard source.isEmpty, !source.hasManifest else { return }
        throw .badInput(
            "\(settings.sourceFolders.joined(separator: ", ")): there is no key in these lists\n"
                + "  check --src-folder: it names the folder that s3find wrote")
    }

    private func plan(
        _ lists: KeyLists, _ earlier: LogFolder.Earlier, temporaryFolder: String
    ) throws(RunError) -> RunPlan {
        do throws(ListError) {
            let say = { (text: String) in console.say(text) }
            let source = try ListMerge.reduced(
                lists.source.chunks, temporaryFolder: temporaryFolder, say: say)
            let target = try ListMerge.reduced(
                lists.target.chunks, temporaryFolder: temporaryFolder, say: say)
            try KeyListCheck.merged(source)
            try KeyListCheck.merged(target)
            return RunPlan(source: source, target: target, earlier: earlier)
        } catch {
            switch error {
            case .failed, .diskFull: throw .cannotGoOn("\(error)")
            default: throw .badInput("\(error)")
            }
        }
    }

    // MARK: - The logs

    private func openLogFolder() throws(RunError) -> LogFolder {
        do throws(LogFolderError) {
            return try LogFolder(path: settings.logFolder)
        } catch {
            throw RunError(error)
        }
    }

    private func begin(_ folder: borrowing LogFolder) throws(RunError) -> LogFolder.Earlier {
        do throws(LogFolderError) {
            var earlier = try folder.begin(settings.start, kind: settings.kind)
            if settings.kind == .copy, !folder.hasUploadsLog {
                earlier.uploads = try UploadsHandover.read(besideLists: settings.sourceFolders)
            }
            earlier.damaged = try DamagedHandover.read(besideLists: settings.sourceFolders)
            for repair in earlier.repairs { console.say("warning: \(repair)") }
            return earlier
        } catch {
            throw RunError(error)
        }
    }

    private func adopt(_ folder: borrowing LogFolder, _ lists: KeyLists) throws(RunError) {
        func names(_ set: KeyListFolderSet) -> [String] {
            set.identities.map { "\($0.path) (\($0.listing))" }
        }
        var identity = RunIdentity(
            source: RunIdentity.Place(
                endpoint: "\(settings.source.endpoint)", bucket: settings.source.bucket),
            target: RunIdentity.Place(
                endpoint: "\(settings.target.endpoint)", bucket: settings.target.bucket),
            sourceLists: names(lists.source), targetLists: names(lists.target),
            hashCount: settings.shard.count, hashValue: settings.shard.value,
            overwrite: settings.rules.overwrite)
        identity.verify = settings.verify
        do throws(LogFolderError) {
            try folder.adopt(identity, start: settings.start)
        } catch {
            throw RunError(error)
        }
    }

    /// A disk that was too full for the logs is so for the summary: the first reason is the one to tell.
    private func writeSummary(_ summary: inout RunSummary, to folder: borrowing LogFolder) {
        do throws(SystemError) {
            try replaceFile(
                path: folder.file(RunSummary.fileName), with: summary.encoded(), isDurable: true)
        } catch {
            summary.exitCode = ExitStatus.cannotGoOn.rawValue
            summary.reason = summary.reason ?? "\(error)"
        }
    }

    // MARK: - Both ends

    /// Asks for both buckets; gives how far the sides are away, together.
    private func preflight(_ lists: KeyLists) throws(RunError) -> Duration {
        let sample = lists.source.chunks.first?.list.firstKey
        let (warnings, roundTrip) = try inquire { inquiry throws(RunError) in
            (try inquiry.preflight(sampleKey: sample), inquiry.roundTrip)
        }
        for warning in warnings { console.say("warning: \(warning)") }
        return roundTrip
    }

    private func probe(_ folder: borrowing LogFolder) throws(RunError) -> TargetCapabilities {
        let token = folder.token
        let (target, warnings) = try inquire { inquiry throws(RunError) in
            try inquiry.probe(token: token)
        }
        for warning in warnings { console.say("warning: \(warning)") }
        try tell(target)
        return target
    }

    private func inquire<Answer>(
        _ ask: (inout TargetInquiry) throws(RunError) -> Answer
    ) throws(RunError) -> Answer {
        var random = SystemRandomNumberGenerator()
        var inquiry: TargetInquiry
        do throws(CurlError) {
            inquiry = try TargetInquiry(settings, clock: clock, seed: random.next())
        } catch {
            throw .cannotGoOn("\(error)")
        }
        let answer = Result { () throws(RunError) in try ask(&inquiry) }
        inquiry.close()
        return try answer.get()
    }

    /// What is said of `If-Match` is of interest where objects may be replaced.
    private func tellOfReplacing(_ target: TargetCapabilities) throws(RunError) {
        let mode = settings.rules.overwrite
        guard mode != .never else { return }
        if target.ifMatchOnPut == nil {
            guard settings.allowsWeakConditions else {
                throw .cannotGoOn(
                    "target: \(settings.target.endpoint) does not honour If-Match on PUT, so with --overwrite "
                        + "\(mode.rawValue) an object that a client writes while we copy could be lost\n"
                        + "  check whether clients write to the target now; if they do not, or the risk is "
                        + "known, --allow-weak-conditions asks (HEAD) just before each PUT instead")
            }
            console.say(
                "warning: the target does not honour If-Match on PUT; a HEAD just before each PUT that "
                    + "replaces an object takes its place, which is a weaker guarantee")
        } else if target.takesMultipart, !target.ifMatchOnComplete {
            console.say(
                "warning: the target ignores If-Match on CompleteMultipartUpload; where an object that moves "
                    + "in parts replaces another, a HEAD just before takes its place, which is a weaker "
                    + "guarantee")
        }
    }

    /// Says what the target does not do; what weakens a guarantee needs the operator's word.
    private func tell(_ target: TargetCapabilities) throws(RunError) {
        if !target.conditionalPut {
            guard settings.allowsWeakConditions else {
                throw .cannotGoOn(
                    "target: \(settings.target.endpoint) ignores If-None-Match on PUT, so an object that "
                        + "a client writes while we copy could be overwritten\n  check whether clients "
                        + "write to the target now; if they do not, or the risk is known, "
                        + "--allow-weak-conditions asks (HEAD) just before each PUT instead")
            }
            console.say(
                "warning: the target ignores If-None-Match on PUT; a HEAD just before each PUT "
                    + "takes its place, which is a weaker guarantee")
        }
        try tellOfReplacing(target)
        if target.takesMultipart, !target.conditionalComplete {
            console.say(
                "warning: the target ignores If-None-Match on CompleteMultipartUpload; for objects that move "
                    + "in parts a HEAD just before takes its place, which is a weaker guarantee")
        }
        if !target.takesMultipart {
            console.say(
                "warning: the target takes no multipart uploads; objects above --multipart-threshold fail"
            )
        }
        if !target.checksContentMD5 {
            console.say(
                "warning: the target does not check Content-MD5; copies are proved by their ETag or "
                    + "size afterwards")
        }
        if target.tagging == .none {
            console.say("warning: the target keeps no tags; objects with tags are marked no-tags")
        }
    }
}

extension RunError {
    init(_ error: SystemError) {
        self = .cannotGoOn(error.advice)
    }

    init(_ error: LogFolderError) {
        self = error.isUsage ? .badInput("\(error)") : .cannotGoOn("\(error)")
    }
}
