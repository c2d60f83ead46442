//! verify.log, run.json and summary.json of a verification: their words, and that its sums add up.

import Migration
import S3
import Testing

@Suite struct VerifyFilesTests {
    private let failure = Failure(
        stage: .verify, faultClass: .size, attempts: 0, message: "5 bytes, and 4")

    private func problem(_ word: String, _ kind: RunKind) -> LogCheck.Problem? {
        var check = LogCheck(isOrdered: true, kind: kind)
        return check.take(Array("k\t\(word)\t-\t-\t-\t0".utf8).span, isTerminated: true)
    }

    @Test(arguments: ["same", "differs", "missing", "gone", "extra"])
    func itsWordsAreNotAMigrations(word: String) {
        #expect(problem(word, .verify) == nil)
        #expect(problem(word, .copy) == .badField(word))
    }

    @Test(arguments: ["copied", "exist", "skip-dn", "skip-up"])
    func aMigrationsWordsAreNotIts(word: String) {
        #expect(problem(word, .verify) == .badField(word))
        #expect(problem(word, .copy) == nil)
    }

    @Test func bothCanFail() {
        for kind in RunKind.allCases { #expect(problem("fail", kind) == nil) }
        #expect(Set(RunKind.allCases.map(\.logName)).count == 2)
    }

    @Test func anIdentityKnowsItsPurpose() throws {
        var identity = RunIdentity(
            source: RunIdentity.Place(endpoint: "http://a", bucket: "from"),
            target: RunIdentity.Place(endpoint: "http://b", bucket: "to"),
            sourceLists: [], targetLists: [], hashCount: 1, hashValue: 0)
        let copy = identity
        #expect(copy.kind == .copy)
        #expect(!String(decoding: copy.encoded(), as: UTF8.self).contains("verify"))
        for depth in VerifyDepth.allCases {
            identity.verify = depth
            #expect(identity.kind == .verify)
            #expect(RunIdentity(decoding: identity.encoded()) == identity)
            #expect(identity.difference(from: copy)?.contains("then a migration, now") == true)
        }
        var shallow = identity
        shallow.verify = .facts
        #expect(
            identity.difference(from: shallow)
                == "what the run is for: then a verification, now a verification with --deep")
    }

    // MARK: - The sum

    private func ledger(_ outcomes: [Outcome], open: Int = 0) -> Ledger {
        var ledger = Ledger(readyMax: 1000)
        for _ in outcomes { ledger.admit(ObjectKey("k"), listedBytes: nil) }
        for (item, outcome) in zip(ledger.take(outcomes.count), outcomes) {
            let record = Ledger.Record(key: item.key, outcome: outcome)
            ledger.end(item.sequence, record, at: Instant(elapsed: .zero))
        }
        for _ in 0..<open { ledger.admit(ObjectKey("open"), listedBytes: nil) }
        _ = ledger.commit()
        return ledger
    }

    @Test func addsUp() throws {
        let failed = Failure(stage: .verifyTarget, faultClass: .denied, attempts: 1, message: "no")
        let ledger = ledger(
            [
                Outcome(.same, sizeBytes: 5, proof: .etag),
                Outcome(.same, sizeBytes: 7, proof: .size),
                Outcome(.differs, sizeBytes: 9, losses: .tags, failure: failure),
                Outcome(.missing, failure: failure), Outcome(.gone), Outcome(.extra, sizeBytes: 4),
                Outcome(.failed, failure: failed),
            ], open: 2)
        var counters = KeyStreamCounters()
        counters.before = 3
        counters.ignored = 4
        counters.targetOnly = 2
        var summary = RunSummary()
        summary.verify = VerifySummary(depth: .facts)
        summary.take(ledger, counters, objects: 20)
        #expect(summary.identityHolds)
        #expect(summary.objects == 22)
        #expect(summary.notReached == 8)
        #expect(summary.failed == 1)
        let verify = try #require(summary.verify)
        #expect(
            [verify.same, verify.differs, verify.missing, verify.gone, verify.extra] == [
                2, 1, 1, 1, 1,
            ])
        #expect(verify.unproved == 1)
        #expect(verify.bytesSame == 12)
        #expect(ledger.tally.unsettled == 3)
        #expect(summary.errors["size"]?.count == 2)
        #expect(summary.lostTags == 1)
        let back = RunSummary(decoding: summary.encoded())
        #expect(back?.verify == verify)
    }

    @Test func writesBothLines() {
        let record = Ledger.Record(
            key: ObjectKey("k"),
            outcome: Outcome(.differs, sizeBytes: 5, etag: ETag("e"), failure: failure))
        var ledger = Ledger(readyMax: 1)
        ledger.admit(ObjectKey("k"), listedBytes: nil)
        _ = ledger.take(1)
        ledger.end(0, record, at: Instant(elapsed: .zero))
        let commit = ledger.commit()
        #expect(String(decoding: commit.migrateLines, as: UTF8.self) == "k\tdiffers\t5\te\t-\t0\n")
        #expect(
            String(decoding: commit.failedLines, as: UTF8.self)
                == "k\tverify\tsize\t-\t-\t0\t-\t5 bytes, and 4\n")
    }

    // MARK: - Wrong lists

    @Test(arguments: [Outcome.Kind.gone, .extra])
    func stopsWhenTheListsAreNotTheSources(kind: Outcome.Kind) {
        var guards = ListGuards(allowsMissing: false, slots: 4)
        let alarms = (0..<200).compactMap { _ in guards.take(Outcome(kind), of: ObjectKey("k")) }
        #expect(alarms.count == 1)
    }
}
