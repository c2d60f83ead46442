//! run.json, summary.json and the status file: what they say, and in which words.

import FoundationEssentials
import Migration
import S3
import Testing

@Suite struct RunIdentityTests {
    private let identity = RunIdentity(
        source: RunIdentity.Place(endpoint: "http://a", bucket: "from"),
        target: RunIdentity.Place(endpoint: "http://b", bucket: "to"),
        sourceLists: ["/lists (1)"], targetLists: [], hashCount: 4, hashValue: 1)

    @Test func comesBackAsItWas() {
        #expect(RunIdentity(decoding: identity.encoded()) == identity)
        #expect(identity.difference(from: identity) == nil)
    }

    static let changes: [(String, @Sendable (inout RunIdentity) -> Void)] = [
        ("--src-url", { $0.source.endpoint = "x" }), ("--src-bucket", { $0.source.bucket = "x" }),
        ("--dest-url", { $0.target.endpoint = "x" }),
        ("--dest-bucket", { $0.target.bucket = "x" }), ("--hash-count", { $0.hashCount = 9 }),
        ("--hash-value", { $0.hashValue = 3 }), ("--overwrite", { $0.overwrite = .always }),
        ("--src-folder", { $0.sourceLists = ["x"] }), ("--dest-folder", { $0.targetLists = ["x"] }),
        ("run.json", { $0.version = 2 }),
    ]

    @Test(arguments: changes)
    func namesWhatIsAnother(name: String, change: @Sendable (inout RunIdentity) -> Void) {
        var other = identity
        change(&other)
        let difference = other.difference(from: identity)
        #expect(difference?.contains(name) == true, "\(difference ?? "none")")
    }

    /// Earlier versions had no modes, and overwrote nothing.
    @Test func readsARunWithoutAMode() throws {
        let text = String(decoding: identity.encoded(), as: UTF8.self)
        let old = text.split(separator: "\n").filter { !$0.contains("overwrite") }
        #expect(old.count < text.split(separator: "\n").count)
        #expect(RunIdentity(decoding: Array(old.joined(separator: "\n").utf8)) == identity)
        let strange = text.replacing("never", with: "sometimes")
        #expect(RunIdentity(decoding: Array(strange.utf8)) == nil)
    }

    @Test func tellsThenAndNow() {
        var now = identity
        now.hashCount = 8
        #expect(now.difference(from: identity) == "--hash-count: then 4, now 8")
    }

    @Test(arguments: ["", "{}", "[]", "{\"version\": 1}", "nonsense"])
    func isNotReadOutOfAnythingElse(text: String) {
        #expect(RunIdentity(decoding: Array(text.utf8)) == nil)
    }
}

@Suite struct RunSummaryTests {
    /// A ledger after these outcomes, ten existing keys, and some objects that are still open.
    private func ledger(_ outcomes: (Outcome, Int)..., open: Int = 0) -> Ledger {
        var ledger = Ledger(readyMax: 1000)
        ledger.admitExisting([0], count: 10)
        let all = outcomes.flatMap { Array(repeating: $0.0, count: $0.1) }
        for outcome in all { ledger.admit(ObjectKey("a\tb"), listedBytes: outcome.sizeBytes) }
        for (item, outcome) in zip(ledger.take(all.count), all) {
            let record = Ledger.Record(key: item.key, outcome: outcome)
            ledger.end(item.sequence, record, at: Instant(elapsed: .zero))
        }
        for _ in 0..<open { ledger.admit(ObjectKey("open"), listedBytes: nil) }
        _ = ledger.commit()
        return ledger
    }

    private func counters(listed: Int, before: Int, ignored: Int) -> KeyStreamCounters {
        var counters = KeyStreamCounters()
        counters.listed = listed
        counters.before = before
        counters.ignored = ignored
        return counters
    }

    private let failure = Failure(
        stage: .put, faultClass: .badAnswer, attempts: 1, message: "broken\nline")

    @Test func addsUp() throws {
        let ledger = ledger(
            (Outcome(.copied, sizeBytes: 5, proof: .etag, losses: .tags), 3),
            (Outcome(.skippedSource), 2), (Outcome(.skippedTarget, proof: .differs), 4),
            (Outcome(.failed, failure: failure), 1), open: 3)
        var summary = RunSummary()
        summary.take(ledger, counters(listed: 50, before: 7, ignored: 20), objects: 60)
        #expect(summary.identityHolds)
        #expect(summary.notReached == 13)
        #expect(summary.objects == 60)
        #expect(summary.before == 7)
        #expect(summary.ignored == 20)
        #expect(summary.exist == 10)
        #expect(summary.copied == 3)
        #expect(summary.skippedSource == 2)
        #expect(summary.skippedTarget == 4)
        #expect(summary.failed == 1)
        #expect(summary.bytesCopied == 15)
        #expect(summary.proofs == ["etag": 3])
        #expect(summary.skips == ["differs": 4])
        #expect(summary.lostTags == 3)
        let error = try #require(summary.errors["bad-answer"])
        #expect(error.count == 1)
        #expect(error.exampleKey == "\\a\\tb")
        #expect(error.exampleMessage == "broken line")
    }

    /// What was replaced is counted, and a run that is continued counts it by its log.
    @Test func countsWhatWasReplaced() {
        var copied = Outcome(.copied, sizeBytes: 1, proof: .etag)
        copied.isReplacement = true
        var ledger = ledger((copied, 2), (Outcome(.copied, proof: .etag), 3))
        ledger.admitKnown(MigrateLogLine(key: ObjectKey("z"), outcome: copied))
        var summary = RunSummary()
        summary.take(ledger, counters(listed: 16, before: 0, ignored: 0), objects: 16)
        #expect(summary.replaced == 3)
    }

    /// A key that is neither read, nor open, nor handled has been lost.
    @Test(arguments: [(60, true), (50, true), (49, true), (47, true), (46, false)])
    func seesThatSomethingIsMissing(objects: Int, holds: Bool) {
        var summary = RunSummary()
        summary.take(
            ledger((Outcome(.skippedSource), 10)), counters(listed: 47, before: 7, ignored: 20),
            objects: objects)
        #expect(summary.identityHolds == holds)
    }

    @Test func hasTheNamesThatScriptsKnow() throws {
        var summary = RunSummary()
        summary.reason = "r"
        summary.bytesListed = 1
        summary.take(
            ledger((Outcome(.failed, failure: failure), 1)),
            counters(listed: 11, before: 0, ignored: 0), objects: 11)
        let names: Set = [
            "program", "ending", "reason", "exit_code", "started", "seconds", "dry_run",
            "hash_count", "hash_value", "objects", "before", "ignored", "exist", "copied",
            "skipped_source", "skipped_target", "failed", "failed_before",
            "not_reached", "identity_holds",
            "bytes_listed", "bytes_copied", "proofs", "skips", "replaced",
            "lost_tags", "lost_metadata",
            "exist_samples", "exist_differs", "target_only", "errors", "weak_conditions",
            "weak_completes", "uploads_open",
        ]
        #expect(try Set(jsonNames(summary.encoded())) == names)
        let text = String(decoding: summary.encoded(), as: UTF8.self)
        #expect(text.contains("\"example_key\" : \"\\\\a\\\\tb\""))
        #expect(text.hasSuffix("}\n"))
    }
}

@Suite struct RunStatusTests {
    @Test func hasTheNamesThatScriptsKnow() throws {
        var status = RunStatus()
        status.bytesTotal = 1
        status.bytesRemaining = 1
        status.estimatedSecondsRemaining = 1
        status.estimatedEndTime = "x"
        let names: Set = [
            "state", "bytes_transferred", "bytes_total", "bytes_remaining", "files_total",
            "files_transferred", "files_unchanged", "files_skipped", "files_failed",
            "files_remaining", "files_in_progress", "percent_complete", "throughput_current",
            "throughput_overall", "objects_per_second", "start_time",
            "estimated_seconds_remaining", "estimated_end_time", "progress",
            "source", "target",
        ]
        #expect(try Set(jsonNames(status.encoded())) == names)
    }
}

/// The names of a JSON object's fields.
private func jsonNames(_ bytes: [UInt8]) throws -> [String] {
    struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
    struct Names: Decodable {
        var names: [String]
        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }
    return try JSONDecoder().decode(Names.self, from: Data(bytes)).names
}
