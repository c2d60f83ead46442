//! The log folder of a verification: never a migration's, and taken by whatever reads log folders.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct VerifyFolderTests {
    private let folder = TestFolder()
    private let lines =
        "a\tsame\t5\te\tetag\t1\nb\tmissing\t5\t-\t-\t1\nc\tdiffers\t5\te\t-\t1\nd\tgone\t-\t-\t-\t1\n"

    private func begin(
        _ start: LogFolder.Start, _ kind: RunKind
    ) throws(LogFolderError) -> LogFolder.Earlier {
        try LogFolder(path: folder.path).begin(start, kind: kind)
    }

    @Test(arguments: [(RunKind.copy, RunKind.verify), (.verify, .copy)])
    func isNotShared(owner: RunKind, other: RunKind) throws {
        folder.write("", to: folder.file(owner.logName))
        for start in [LogFolder.Start.fresh, .resume, .after(ObjectKey("k"))] {
            let error = logError { () throws(LogFolderError) in _ = try begin(start, other) }
            #expect(error?.isUsage == true)
            for word in [owner.logName, owner.name, "--log-folder"] {
                #expect(error?.description.contains(word) == true)
            }
        }
        _ = try begin(.fresh, owner)
    }

    @Test func goesOnWhereItWas() throws {
        folder.write(lines + "torn", to: folder.file("verify.log"))
        folder.write("e\textra\t-\t-\t-\t1\n", to: folder.file("ahead.log"))
        folder.write("{}", to: folder.file("run.json"))
        let earlier = try begin(.resume, .verify)
        #expect(earlier.start == ObjectKey("d"))
        #expect(earlier.failed == 2)
        #expect(earlier.ahead.map(\.outcome) == [.extra])
        #expect(try folder.text("verify.log") == lines)
        #expect(try folder.text("verify.log.cut") == "torn")
    }

    @Test func refusesToBeginAfreshOnALog() {
        folder.write(lines, to: folder.file("verify.log"))
        let error = logError { () throws(LogFolderError) in _ = try begin(.fresh, .verify) }
        #expect(error?.description.contains("verify.log") == true)
    }

    @Test func isChecked() throws {
        folder.write(lines, to: folder.file("verify.log"))
        let report = try LogReport(folder: folder.path)
        #expect(report.isGood)
        #expect(report.text.contains("differs=1 gone=1 missing=1 same=1"))
        folder.write(lines + copied("x"), to: folder.file("verify.log"))
        #expect(try LogReport(folder: folder.path).isGood == false)
    }

    private func stillFailed(_ folders: [String]) throws(LogFolderError) -> [String] {
        var failed = try StillFailed(folders: folders)
        var keys: [String] = []
        while let key = try failed.next() { keys.append(key.description) }
        return keys
    }

    /// What a verification found is copied again; what it found the same has not failed after all.
    @Test func givesTheKeysToCopyAgain() throws {
        let verified = folder.folder("v", ["verify.log": lines])
        let migrated = folder.folder(
            "m", ["migrate.log": "a\tfail\t-\t-\t-\t0\nc\tcopied\t-\t-\t-\t0\n"])
        let mended = folder.folder("n", ["migrate.log": copied("b")])
        #expect(try stillFailed([verified]) == ["b", "c"])
        #expect(try stillFailed([migrated, verified]) == ["b", "c"])
        #expect(try stillFailed([migrated, verified, mended]) == ["c"])
    }

    @Test func isNoPartOfAReportOnAMigration() throws {
        var identity = RunIdentity(
            source: RunIdentity.Place(endpoint: "http://a", bucket: "from"),
            target: RunIdentity.Place(endpoint: "http://b", bucket: "to"), sourceLists: [],
            targetLists: [], hashCount: 1, hashValue: 0)
        identity.verify = .facts
        folder.write(
            String(decoding: identity.encoded(), as: UTF8.self), to: folder.file("run.json"))
        let error = logError { () throws(LogFolderError) in
            _ = try ReportReader(folders: [folder.path]).read()
        }
        #expect(error?.isUsage == true)
        #expect(error?.description.contains("a verification") == true)
    }

    @Test func hasALogOfItsOwn() throws {
        let ledger = SharedLedger(
            ledger: Ledger(readyMax: 10), guards: ListGuards(allowsMissing: true, slots: 1),
            workerCount: 1, cleanupBucket: nil, wake: { _ in })
        ledger.withLedger { $0.admit(ObjectKey("a"), listedBytes: nil) }
        let request = SharedLedger.Request(worker: 0, returned: [], freeSlots: 1, partBytes: 0)
        _ = ledger.turn(request, at: Clock().now)
        let record = Ledger.Record(key: ObjectKey("a"), outcome: Outcome(.same, proof: .etag))
        _ = ledger.turn(
            SharedLedger.Request(
                worker: 0, returned: [.ended(sequence: 0, record: record)], freeSlots: 1,
                partBytes: 0), at: Clock().now)
        ledger.workerEnded()
        var writer = try LogWriter(
            folderPath: folder.path, kind: .verify, ledger: ledger, clock: Clock(),
            earlierAhead: [])
        writer.run()
        #expect(try folder.text("verify.log") == "a\tsame\t-\t-\tetag\t0\n")
        #expect(!folder.exists("migrate.log"))
        #expect(!folder.exists("uploads.log"))
    }
}
