//! The report: what is counted of every key, and why a migration is not complete.

import Migration
import S3
import Testing

@Suite struct MigrationReportTests {
    /// A folder of logs: what its run was, and what is said of each key, as `migrate.log` writes it.
    struct Logs {
        var facts: LogFolderFacts
        /// Key and the fields behind it: `copied 5 etag`, `fail`.
        var lines: [(String, String)]
    }

    static func identity(value: Int = 0, count: Int = 1, lists: String = "id") -> RunIdentity {
        RunIdentity(
            source: .init(endpoint: "http://a:1", bucket: "s"),
            target: .init(endpoint: "http://b:2", bucket: "t"),
            sourceLists: ["/host-\(value)/lists (\(lists))"],
            targetLists: ["/host-\(value)/target (t)"], hashCount: count, hashValue: value)
    }

    /// Logs of a run that ended well, with a summary that says the same.
    static func logs(
        _ path: String, _ lines: [(String, String)], _ identity: RunIdentity = identity(),
        objects: Int? = nil
    ) -> Logs {
        var summary = RunSummary()
        summary.ending = "finished"
        summary.identityHolds = true
        summary.objects = objects ?? lines.count
        for (_, fields) in lines {
            switch fields.prefix(while: { $0 != " " }) {
            case "copied": summary.copied += 1
            case "exist": summary.exist += 1
            case "skip-dn": summary.skippedSource += 1
            case "skip-up": summary.skippedTarget += 1
            default: summary.failed += 1
            }
        }
        return Logs(
            facts: LogFolderFacts(path: path, identity: identity, summary: summary), lines: lines)
    }

    static func report(
        _ folders: [Logs], severalEndpoints: Bool = false, failed: [FailedLogLine] = []
    ) throws -> MigrationReport {
        let facts = folders.map(\.facts)
        var tally = ReportTally(
            shards: facts.map { Shard(count: $0.identity.hashCount, value: $0.identity.hashValue) },
            hostOfFolder: PassPlan(facts).hostOfFolder)
        var causes = FailureCauses()
        for key in Set(folders.flatMap { $0.lines.map(\.0) }).sorted() {
            let words = folders.indices.flatMap { folder in
                folders[folder].lines.filter { $0.0 == key }
                    .map { (folder: folder, line: line($0.0, $0.1)) }
            }
            if tally.take(ObjectKey(key), words) == .failed { causes.add(ObjectKey(key)) }
        }
        for line in failed { causes.take(line) }
        return try #require(
            MigrationReport(facts, tally, causes, severalEndpoints: severalEndpoints))
    }

    private static func line(_ key: String, _ fields: String) -> MigrateLogLine {
        let words = fields.split(separator: " ")
        let size = words.count > 1 ? words[1] : "-"
        let proof = words.count > 2 ? words[2] : "-"
        let text = Array("\(key)\t\(words[0])\t\(size)\t-\t\(proof)\t0".utf8)
        guard let line = MigrateLogLine(parsing: text.span) else { preconditionFailure(fields) }
        return line
    }

    static func failure(_ key: String, _ faultClass: FaultClass) -> FailedLogLine {
        FailedLogLine(
            key: ObjectKey(key),
            failure: Failure(stage: .put, faultClass: faultClass, attempts: 1, message: "no \(key)")
        )
    }

    // MARK: - What is counted

    @Test func countsEveryOutcome() throws {
        let report = try Self.report([
            Self.logs(
                "one",
                [
                    ("a", "copied 5 etag"), ("b", "copied 7 size,no-tags,no-meta"), ("c", "exist"),
                    ("d", "skip-dn"), ("e", "skip-up 3 same"), ("f", "skip-up 3 differs"),
                    ("g", "skip-up"),
                ])
        ])
        #expect(report.isComplete && report.reasons == [])
        #expect((report.objects, report.copied, report.exist) == (7, 2, 1))
        #expect((report.skippedSource, report.skippedTarget, report.failed) == (1, 3, 0))
        #expect(report.bytesCopied == 12)
        #expect(report.proofs.mapValues(\.count) == ["etag": 1, "size": 1])
        #expect(report.skips.mapValues(\.example) == ["same": "e", "differs": "f"])
        #expect(report.lostTags?.count == 1)
        #expect(report.lostMetadata?.example == "b")
        #expect(report.warnings.count == 4)
    }

    @Test func warnsOfWhatTheTargetHadAndNothingCouldCompare() throws {
        let report = try Self.report([Self.logs("one", [("a", "skip-up 3 size")])])
        #expect(report.isComplete)
        #expect(report.warnings.count == 1)
        #expect(report.warnings[0].hasPrefix("1 objects that the target had already"))
    }

    @Test func aLaterPassHealsAnEarlierOne() throws {
        let first = Self.logs(
            "1", [("a", "fail"), ("b", "copied 5 size"), ("c", "fail"), ("d", "exist")])
        let second = Self.logs(
            "2", [("a", "copied 6 etag"), ("c", "skip-up 1 same")], Self.identity(lists: "failed"))
        let report = try Self.report([first, second])
        #expect(report.isComplete)
        #expect((report.healed, report.copied, report.skippedTarget) == (2, 2, 1))
        #expect(report.passes.map(\.logged) == [4, 2])
        let reversed = try Self.report([second, first])
        #expect((reversed.failed, reversed.healed) == (2, 0))
    }

    /// A copy of ours that a later pass finds is our copy; one that differs then is another object.
    @Test(arguments: [
        ("exist", 1, ["etag"], []), ("skip-up 5 same", 1, ["etag"], []),
        ("skip-up 5 differs", 0, [], ["differs"]), ("skip-up", 0, [], []), ("skip-dn", 0, [], []),
        ("copied 6 size", 1, ["size"], []), ("fail", 0, [], []),
    ])
    func keepsWhatIsKnownOfOurCopy(
        later: String, copied: Int, proofs: [String], skips: [String]
    ) throws {
        let report = try Self.report([
            Self.logs("1", [("a", "copied 5 etag")]),
            Self.logs("2", [("a", later)], Self.identity(lists: "later")),
        ])
        #expect(report.objects == 1)
        #expect(report.copied == copied)
        #expect(Array(report.proofs.keys) == proofs)
        #expect(Array(report.skips.keys) == skips)
    }

    /// What was replaced once is told for ever, since nobody has it any more; and each key once.
    @Test(arguments: [
        (["copied 5 etag,replaced"], 1), (["copied 5 etag"], 0),
        (["copied 5 etag,no-tags,replaced", "exist"], 1),
        (["copied 5 etag,replaced", "skip-dn"], 1),
        (["copied 5 etag,replaced", "fail", "copied 6 etag"], 1),
        (["copied 5 etag,replaced", "copied 6 etag,replaced"], 1), (["skip-up 5 differs"], 0),
    ])
    func tellsWhatWasReplaced(words: [String], count: Int) throws {
        let logs = words.enumerated().map { pass, word in
            Self.logs("\(pass)", [("a", word)], Self.identity(lists: "\(pass)"))
        }
        let replaced = try Self.report(logs).replaced
        #expect((replaced?.count ?? 0) == count)
        #expect(replaced?.example == (count == 0 ? nil : "a"))
    }

    @Test func tellsWhyObjectsAreStillFailed() throws {
        let first = Self.logs("1", [("a", "fail"), ("b", "fail"), ("c", "fail"), ("d", "fail")])
        let second = Self.logs("2", [("b", "fail"), ("c", "exist")], Self.identity(lists: "2"))
        let report = try Self.report(
            [first, second],
            failed: [
                Self.failure("a", .denied), Self.failure("c", .server), Self.failure("b", .server),
                Self.failure("b", .denied),
            ])
        #expect(report.errors.mapValues(\.count) == ["denied": 2, "unexplained": 1])
        #expect(report.errors["denied"]?.exampleKey == "b")
        #expect(report.reasons.count == 1)
        #expect(report.reasons[0].hasPrefix("3 objects are still failed (denied=2 unexplained=1)"))
        #expect(report.reasons[0].hasSuffix("--log-folder 1 --log-folder 2"))
    }

    @Test func countsLinesWhereThereAreTooManyFailures() {
        var causes = FailureCauses(keysMax: 2)
        for key in ["a", "b", "c"] { causes.add(ObjectKey(key)) }
        for key in ["a", "a", "x"] { causes.take(Self.failure(key, .server)) }
        #expect(causes.countsLines)
        #expect(causes.causes.mapValues(\.count) == ["server": 3])
    }

    // MARK: - What is not complete

    /// The keys of two shares of two, by the published hash.
    static func hosts() -> [Logs] {
        let keys = (0..<20).map { "key-\(10 + $0)" }
        return (0..<2).map { value in
            let mine = keys.filter { Shard(count: 2, value: value).contains(ObjectKey($0)) }
            return logs(
                "host-\(value)", mine.map { ($0, "copied 1 etag") },
                identity(value: value, count: 2), objects: keys.count)
        }
    }

    @Test func twoHostsMakeOneMigration() throws {
        let report = try Self.report(Self.hosts())
        #expect(report.isComplete, "\(report.reasons)")
        #expect(report.passes.map(\.objects) == [20] && report.passes.map(\.logged) == [20])
        #expect(report.passes[0].hosts.map(\.state) == ["finished", "finished"])
    }

    struct Gap: Sendable, CustomTestStringConvertible {
        let words: String
        let change: @Sendable (inout [Logs]) -> Void
        var testDescription: String { words }
    }

    @Test(arguments: [
        Gap(words: "hash value 1 of 2: no folder has its logs") { $0.removeLast() },
        Gap(words: "hash value 0 of 2: no folder has its logs") { $0.removeFirst() },
        Gap(words: "hash value 1 of 2 ended early: interrupted (host-1, 7 objects not reached)") {
            $0[1].facts.summary?.ending = "interrupted"
            $0[1].facts.summary?.notReached = 7
        },
        Gap(words: "ended early, as --first said") { $0[1].facts.summary?.ending = "first" },
        Gap(words: "host-1 has no summary.json") { $0[1].facts.summary = nil },
        Gap(words: "hash value 1 of 2 is still running") { $0[1].facts.isInUse = true },
        Gap(words: "the lists have 20 keys, and the logs 19") { logs in
            logs[1].lines.removeLast()
            logs[1].facts.summary?.copied -= 1
        },
        Gap(words: "copied, and summary.json has") { $0[1].lines.removeLast() },
        Gap(words: "copied, and summary.json has") { $0[1].facts.summary?.copied -= 1 },
        Gap(words: "fail, and summary.json has 1") { $0[1].facts.summary?.failedBefore = 1 },
        Gap(words: "the counts of the run do not add up") {
            $0[0].facts.summary?.identityHolds = false
        },
        Gap(words: "host-1 is of another migration than host-0: --dest-bucket: then t, now x") {
            $0[1].facts.identity.target.bucket = "x"
        },
        Gap(words: "--several-endpoints") { $0[1].facts.identity.target.endpoint = "http://c:3" },
        Gap(words: "different lists of the target") {
            $0[1].facts.identity.targetLists = ["/x (y)"]
        },
        Gap(words: "are of another hash value than 0") { $0[0].lines += $0[1].lines },
        Gap(words: "pass 2, hash value 0 of 2: no folder") {
            $0[1].facts.identity.sourceLists = ["/host-1/lists (another)"]
        },
    ])
    func saysWhatIsMissing(gap: Gap) throws {
        var logs = Self.hosts()
        gap.change(&logs)
        let report = try Self.report(logs)
        #expect(!report.isComplete)
        #expect(report.reasons.contains { $0.contains(gap.words) }, "\(report.reasons)")
    }

    @Test func severalEndpointsMayBeOneCluster() throws {
        var logs = Self.hosts()
        logs[1].facts.identity.source.endpoint = "http://c:3"
        #expect(try Self.report(logs, severalEndpoints: true).isComplete)
        logs[1].facts.identity.source.bucket = "x"
        #expect(try !Self.report(logs, severalEndpoints: true).isComplete)
    }

    /// A host that began anew behind what it had, in another folder, has handled all together.
    @Test func twoFoldersMayMakeOneHost() throws {
        var logs = Self.hosts()
        var rest = logs[1]
        rest.facts.path = "host-1-rest"
        rest.lines.removeFirst(3)
        rest.facts.summary?.copied -= 3
        rest.facts.summary?.before = 8
        logs[1].lines.removeLast(2)
        logs[1].facts.summary = nil
        let report = try Self.report(logs + [rest])
        #expect(report.isComplete, "\(report.reasons)")
        #expect(report.passes[0].hosts[1].folders == ["host-1", "host-1-rest"])
        let behind = try Self.report([logs[0], rest])
        #expect(behind.reasons.contains { $0.contains("(--start-after)") }, "\(behind.reasons)")
    }
}
