//! Large objects in the ledger: whose parts go out, to whom, and what holds them back.

import S3
import Testing

@testable import Migration

/// A large object that is about to be parked; only its sizes matter here.
func largeCopy(_ sequence: Int, sizeBytes: Int64, partBytes: Int64, part count: Int? = nil)
    -> (copy: MultipartCopy, order: PartsOrder)
{
    let plan = PartPlan(sizeBytes: sizeBytes, partBytes: partBytes)
    let item = WorkItem(sequence: sequence, key: ObjectKey("k\(sequence)"))
    let facts = largeFacts(sizeBytes: sizeBytes)
    var rules = TransferRules.multipart()
    rules.partBytes = partBytes
    let copy = MultipartCopy(
        item: item, facts: facts, tags: [], losses: [], begun: Instant(elapsed: .zero), restarts: 0,
        attempts: 0, now: Instant(elapsed: .zero), rules: rules)
    let order = PartsOrder(
        item: item, facts: facts, uploadID: "id\(sequence)", plan: plan, digest: nil,
        numbers: Array((1...plan.count).prefix(count ?? .max)))
    return (copy, order)
}

func largeFacts(sizeBytes: Int64) -> ObjectFacts {
    var response = Response(status: 200)
    response.headers.append("content-length", "\(sizeBytes)")
    let request = HeadObject.request(bucket: "from", key: ObjectKey("k"))
    guard let facts = try? HeadObject.answer(response, to: request) else {
        preconditionFailure("an object without facts")
    }
    return facts
}

extension Assignment {
    /// Whose turn, part or end it is: `turn 3`, `part 3.1`, `parts-ended 3`.
    var words: String {
        switch (job, event) {
        case (.part(let copy), .begin): "part \(copy.part.item.sequence).\(copy.part.number)"
        case (.multipart(let copy), .turn): "turn \(copy.item.sequence)"
        case (.multipart(let copy), .partsEnded): "parts-ended \(copy.item.sequence)"
        case (.cleanup, .begin): "cleanup"
        default: "\(event)"
        }
    }

    var report: PartsReport? {
        if case .partsEnded(let report) = event { report } else { nil }
    }
}

let receipt = PartReceipt(etag: ETag("e"), digest: nil)
let partFailure = PartOutcome.failed(
    Failure(stage: .part, faultClass: .server, attempts: 1, message: "m"))

@Suite struct LargeObjectsTests {
    private func took(_ large: inout LargeObjects, _ count: Int = 10, inHand: Int64 = 0) -> [String]
    {
        large.take(count, partBytes: inHand).map(\.words)
    }

    /// Parks an object as far as its parts.
    private func spread(_ large: inout LargeObjects, _ sequence: Int, parts: Int, each: Int64 = 10)
    {
        let (copy, order) = largeCopy(sequence, sizeBytes: Int64(parts) * each, partBytes: each)
        large.park(copy, .forTurn)
        #expect(took(&large).last == "turn \(sequence)")
        large.park(copy, .forParts(order))
    }

    @Test func theOldestObjectsPartsComeFirst() {
        var large = LargeObjects(activeMax: 4, workerCount: 1)
        spread(&large, 7, parts: 3)
        #expect(took(&large, 1) == ["part 7.1"])
        let (copy, order) = largeCopy(3, sizeBytes: 20, partBytes: 10)
        large.park(copy, .forTurn)
        #expect(took(&large, 1) == ["turn 3"])
        large.park(copy, .forParts(order))
        #expect(took(&large) == ["part 3.1", "part 3.2", "part 7.2", "part 7.3"])
        #expect(took(&large) == [])
        #expect(!large.handsOut)
    }

    @Test func oneObjectReachesAllWorkers() {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        spread(&large, 0, parts: 8)
        let workers = (0..<4).map { _ in took(&large, 2) }
        #expect(workers.flatMap { $0 } == (1...8).map { "part 0.\($0)" })
    }

    @Test func theObjectGoesOnWhenItsLastPartHasEnded() throws {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        spread(&large, 0, parts: 3)
        _ = took(&large)
        for number in [3, 1] {
            large.end(part: number, of: 0, .copied(receipt))
            #expect(!large.handsOut)
        }
        large.end(part: 2, of: 0, .copied(receipt))
        #expect(large.handsOut)
        let assignment = try #require(large.take(1, partBytes: 0).first)
        #expect(assignment.words == "parts-ended 0")
        let report = try #require(assignment.report)
        #expect(report.receipts.keys.sorted() == [1, 2, 3])
        #expect(report.problem == nil)
    }

    /// What comes first decides; what comes after it is not lost.
    @Test func aFailureHoldsTheRestBack() throws {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        spread(&large, 0, parts: 6)
        #expect(took(&large, 3).count == 3)
        large.end(part: 2, of: 0, .changed("first"))
        #expect(took(&large) == [])
        large.end(part: 1, of: 0, partFailure)
        large.end(part: 3, of: 0, .copied(receipt))
        let report = try #require(large.take(1, partBytes: 0).first?.report)
        #expect(report.receipts.keys.sorted() == [3])
        guard case .changed("first") = report.problem else {
            Issue.record("another reason than the first")
            return
        }
    }

    @Test func aWorkerGetsPartsUpToABound() {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        let bound = Limits.partBytesInFlightMax
        spread(&large, 0, parts: 9, each: bound / 4)
        #expect(took(&large).count == 4)
        #expect(took(&large, inHand: bound) == [])
        #expect(took(&large, inHand: bound - bound / 4).count == 1)
        #expect(took(&large, inHand: bound - bound / 4 + 1) == [])
        #expect(large.handsOut)
    }

    /// However large it is, somebody has to take it.
    @Test func aWorkerWithoutPartsGetsOne() {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        spread(&large, 0, parts: 3, each: 3 * Limits.partBytesInFlightMax)
        #expect(took(&large) == ["part 0.1"])
        #expect(took(&large, inHand: 1) == [])
        #expect(took(&large, inHand: 0) == ["part 0.2"])
    }

    @Test func fewAreCopiedAtATimeAndTheOldestFirst() {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        for sequence in [9, 4, 6, 2] {
            large.park(largeCopy(sequence, sizeBytes: 20, partBytes: 10).copy, .forTurn)
        }
        // The first two were alone when they came.
        #expect(took(&large) == ["turn 9", "turn 4"])
        #expect(large.isFull)
        large.leave(9)
        #expect(took(&large) == ["turn 2"])
        #expect(!large.isFull)
        large.leave(9)
        large.leave(77)
        #expect(took(&large) == [], "only an active object makes room")
        large.leave(4)
        #expect(took(&large) == ["turn 6"])
    }

    /// Many small ones may be active; with large ones, only so many as give parts to all.
    @Test func anotherBeginsWhenLittleIsLeft() {
        let part = Limits.partBytesInFlightMax
        let size = Limits.largeBytesLeftMin
        var large = LargeObjects(activeMax: 8, workerCount: 1)
        let copies = (0..<4).map { largeCopy($0, sizeBytes: size, partBytes: part) }
        for (copy, _) in copies { large.park(copy, .forTurn) }
        #expect(took(&large) == ["turn 0", "turn 1"])
        for (copy, order) in copies.prefix(2) { large.park(copy, .forParts(order)) }
        // Until less is left than the minimum, of both together.
        for _ in 0..<size / part { #expect(took(&large, 1).first?.hasPrefix("part 0") == true) }
        #expect(took(&large, 1) == ["part 1.1"])
        #expect(took(&large, 1) == ["turn 2"])
    }

    /// An object that is begun again has its turn already.
    @Test func aTurnIsKept() {
        var large = LargeObjects(activeMax: 1, workerCount: 1)
        spread(&large, 0, parts: 1)
        large.park(largeCopy(1, sizeBytes: 10, partBytes: 10).copy, .forTurn)
        large.park(largeCopy(0, sizeBytes: 10, partBytes: 10).copy, .forTurn)
        #expect(took(&large, 1) == ["turn 0"])
    }

    @Test func stopsHandingOut() {
        var large = LargeObjects(activeMax: 2, workerCount: 1)
        spread(&large, 0, parts: 3)
        _ = took(&large, 1)
        large.stopHandingOut()
        #expect(took(&large) == [] && !large.handsOut)
        large.end(part: 1, of: 0, .copied(receipt))
        large.leave(0)
        #expect(took(&large) == [] && !large.handsOut)
    }

    // MARK: - In the ledger

    @Test func piecesOfLargeObjectsComeBeforeNewOnes() {
        var ledger = Ledger(readyMax: 10)
        for key in ["a", "b"] { ledger.admit(ObjectKey(key), listedBytes: nil) }
        #expect(ledger.take(1).map(\.sequence) == [0])
        ledger.park(largeCopy(0, sizeBytes: 20, partBytes: 10).copy, .forTurn)
        #expect(ledger.takeLarge(1, partBytes: 0).map(\.words) == ["turn 0"])
        #expect(ledger.handsOut)
    }

    /// What is taken up might be large, too: nothing new while many wait.
    @Test func nothingNewGoesOutWhileManyWait() {
        var ledger = Ledger(readyMax: 10, largeMax: 2)
        for key in 0..<6 { ledger.admit(ObjectKey("\(key)"), listedBytes: nil) }
        #expect(ledger.take(4).count == 4)
        for sequence in 0..<4 {
            ledger.park(largeCopy(sequence, sizeBytes: 20, partBytes: 10).copy, .forTurn)
        }
        #expect(ledger.takeLarge(9, partBytes: 0).count == 2)
        #expect(ledger.take(1).isEmpty && !ledger.handsOut)
        ledger.end(
            0, Ledger.Record(key: ObjectKey("0"), outcome: Outcome(.copied)),
            at: Instant(elapsed: .zero))
        #expect(ledger.takeLarge(9, partBytes: 0).map(\.words) == ["turn 2"])
        #expect(ledger.take(1).map(\.sequence) == [4])
    }

    @Test func anItemKnowsItsEarlierUploads() {
        var uploads = OpenUploads()
        uploads.take(uploadRecord("a", .open, id: "x"))
        uploads.take(uploadRecord("b", .open, id: "y"))
        var ledger = Ledger(readyMax: 10, uploads: uploads)
        for key in ["a", "b", "c"] { ledger.admit(ObjectKey(key), listedBytes: nil) }
        #expect(ledger.take(3).map { $0.earlierUploads.map(\.uploadID) } == [["x"], ["y"], []])
    }

    @Test func cleansUpOnceAndKeepsWhatFailed() {
        var uploads = OpenUploads()
        for key in ["a", "b", "b"] {
            uploads.take(uploadRecord(key, .open, id: "\(key)\(uploads.records.count)"))
        }
        var ledger = Ledger(readyMax: 10, uploads: uploads)
        ledger.admit(ObjectKey("a"), listedBytes: nil)
        _ = ledger.take(1)
        let failure = Failure(stage: .part, faultClass: .server, attempts: 1, message: "m")
        ledger.end(
            0, Ledger.Record(key: ObjectKey("a"), outcome: Outcome(.failed, failure: failure)),
            at: Instant(elapsed: .zero))
        ledger.cleanUp(targetBucket: "to")
        #expect(ledger.handsOut)
        #expect(ledger.takeLarge(1, partBytes: 0).map(\.words) == ["cleanup"])
        ledger.cleanUp(targetBucket: "to")
        #expect(ledger.takeLarge(9, partBytes: 0).map(\.words) == ["cleanup"])
        #expect(!ledger.handsOut)
    }
}

@Suite struct UploadCleanupTests {
    private func play(_ record: UploadRecord, _ script: [Scripted], others: [UploadRecord] = [])
        throws -> (books: [UploadRecord], warning: String?)
    {
        var cleanup = UploadCleanup(record, bucket: "to", others: others)
        var context = TransferContext(
            now: Instant(elapsed: .zero), rules: .multipart(retries: 1),
            random: SeededRandom(seed: 1))
        var rest = script[...]
        var records: [UploadRecord] = []
        var event = TransferEvent.begin
        while true {
            switch cleanup.handle(event, in: &context) {
            case .exchange(let order):
                guard let scripted = rest.popFirst(), scripted.asks == order.title else {
                    throw PlayError("not in the script: \(order.title)")
                }
                var none: [UInt8] = []
                event = scripted.answer(order, &none)
            case .record(let record):
                records.append(record)
                event = .recorded
            case .wait: event = .woken
            case .finishCleanup(let warning):
                guard rest.isEmpty else { throw PlayError("not asked: \(rest.map(\.asks))") }
                return (records, warning)
            case let action: throw PlayError("a cleanup does not do \(action)")
            }
        }
    }

    private let intent = uploadRecord("k", .intent, begunAt: targetDate.secondsSince1970)

    @Test func abortsAndTakesOffTheBooks() throws {
        for answer in [reply(204), refuses(404, "NoSuchUpload"), refuses(404)] {
            let (books, warning) = try play(uploadRecord(), [abort(answer)])
            #expect(books.map(\.state) == [.ended] && warning == nil)
        }
        let (books, warning) = try play(uploadRecord(), [abort(breaks()), abort(reply(204))])
        #expect(books.map(\.state) == [.ended] && warning == nil)
    }

    @Test func saysWhatItCannotAbort() throws {
        let cases: [[Scripted]] = [
            [abort(refuses(403, "AccessDenied"))], [abort(breaks()), abort(breaks())],
            [abort(refuses(404, "NoSuchBucket"))],
        ]
        for script in cases {
            let (books, warning) = try play(uploadRecord(), script)
            #expect(books.isEmpty)
            #expect(warning?.contains("the upload of k") == true)
        }
    }

    @Test func searchesForALostUpload() throws {
        let (books, warning) = try play(
            intent,
            [
                listUploads(hasUploads([("lost", 0), ("known", 0)])), listParts(hasNoParts),
                abort(reply(204)),
            ], others: [uploadRecord("k", .open, id: "known")])
        #expect(books.map(\.state) == [.ended] && warning == nil)
        let (second, unsure) = try play(
            intent, [listUploads(hasUploads([("lost", 0), ("known", 0)]))])
        #expect(second.map(\.state) == [.ended])
        #expect(unsure?.contains("left alone") == true)
    }
}
