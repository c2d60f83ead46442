//! The lines of uploads.log, there and back, and what they leave open.

import S3
import Testing

@testable import Migration

/// A record of everything, or of nothing that can be missing.
func uploadRecord(
    _ key: String = "k", _ state: UploadRecord.State = .open, id: String? = "id1",
    begunAt: Int64? = nil, facts: ObjectFacts = TestObject("0123456789").facts,
    digest: BodyDigest.Algorithm? = .crc32c
) -> UploadRecord {
    var record = UploadRecord(
        key: ObjectKey(key), facts: facts, plan: PartPlan(sizeBytes: facts.sizeBytes, partBytes: 4),
        digest: digest)
    record.state = state
    record.uploadID = state == .intent ? nil : id
    record.begunAt = begunAt.map { Timestamp(secondsSince1970: $0) }
    return record
}

@Suite struct UploadRecordTests {
    private func line(_ record: UploadRecord) -> [UInt8] {
        var text: [UInt8] = []
        record.append(to: &text)
        return text
    }

    private func parsed(_ line: [UInt8]) -> UploadRecord? { UploadRecord(parsing: line.span) }

    private func expectRoundTrip(_ record: UploadRecord, _ hint: String = "") {
        var text = line(record)
        #expect(text.filter { $0 == UInt8(ascii: "\n") }.count == 1, "\(hint)")
        #expect(text.popLast() == UInt8(ascii: "\n"), "\(hint)")
        #expect(parsed(text) == record, "\(hint)")
    }

    @Test(arguments: UploadRecord.State.allCases)
    func everyStateReadsBack(state: UploadRecord.State) {
        expectRoundTrip(uploadRecord("k", state))
        var record = uploadRecord("k", state, begunAt: 1_767_225_600)
        record.targetETag = ETag(partsETag)
        for proof in Proof.allCases {
            record.proof = proof
            expectRoundTrip(record)
        }
        for digest in BodyDigest.Algorithm.allCases {
            record.digest = digest
            expectRoundTrip(record)
        }
        record.digest = nil
        record.sourceETag = nil
        record.sourceLastModified = nil
        expectRoundTrip(record)
    }

    /// The end of an intent has no id, as the intent.
    @Test func theEndOfAnIntentReadsBack() {
        expectRoundTrip(uploadRecord("k", .ended, id: nil, begunAt: 7))
    }

    @Test(arguments: [
        "-", "\\", "a\tb", "a\nb", "\\t", "é", "\u{1}\u{7F}", " ", "\r", "k\tended\tid1",
        String(repeating: "x", count: 1024), String(repeating: "\t", count: 1024),
    ])
    func oddKeysReadBack(key: String) {
        expectRoundTrip(uploadRecord(key))
        expectRoundTrip(uploadRecord(key, .intent, begunAt: 1))
    }

    @Test(arguments: [
        "--", "a\tb", "2~abc-_.", "a+b/c=", "\\n", "\u{1}", "id with spaces",
        String(repeating: "y", count: 600),
    ])
    func oddIDsReadBack(id: String) { expectRoundTrip(uploadRecord(id: id)) }

    /// Keys are bytes, whatever they mean.
    @Test func anyKeyReadsBack() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt8.random(in: 1...255, using: &random)
            }
            var record = uploadRecord()
            record.key = ObjectKey(bytes)
            expectRoundTrip(record, "\(bytes)")
        }
    }

    @Test func aClockBefore1970IsNone() throws {
        let text = line(uploadRecord(begunAt: -5))
        #expect(try #require(parsed(text.dropLast())).begunAt == nil)
    }

    /// What a server puts into its headers cannot break the line.
    @Test func hostileTagsStayInTheirField() throws {
        var record = uploadRecord()
        record.sourceETag = ETag("a\tb\nc\0")
        record.sourceLastModified = "x\ty\r\n"
        let read = try #require(parsed(line(record).dropLast()))
        #expect(read.uploadID == record.uploadID && read.partBytes == record.partBytes)
        #expect(!read.isOf(TestObject("0123456789").facts), "such an upload is not continued")
    }

    @Test(arguments: [
        "", "k", "k\topen\tid1\t10\tabc\t-\t4\t-\t-\t-",
        "k\topen\tid1\t10\tabc\t-\t4\t-\t-\t-\t-\t-",
        "\topen\tid1\t10\tabc\t-\t4\t-\t-\t-\t-", "k\tOPEN\tid1\t10\tabc\t-\t4\t-\t-\t-\t-",
        "k\topen\t-\t10\tabc\t-\t4\t-\t-\t-\t-", "k\topen\t\t10\tabc\t-\t4\t-\t-\t-\t-",
        "k\tintent\tid1\t10\tabc\t-\t4\t-\t-\t-\t-", "k\topen\tid1\t0\tabc\t-\t4\t-\t-\t-\t-",
        "k\topen\tid1\t-10\tabc\t-\t4\t-\t-\t-\t-", "k\topen\tid1\t-\tabc\t-\t4\t-\t-\t-\t-",
        "k\topen\tid1\t99999999999999999999\tabc\t-\t4\t-\t-\t-\t-",
        "k\topen\tid1\t10\tabc\t-\t0\t-\t-\t-\t-", "k\topen\tid1\t10\tabc\t-\t\t-\t-\t-\t-",
        "k\topen\tid1\t10\tabc\t-\t4\tcrc99\t-\t-\t-", "k\topen\tid1\t10\tabc\t-\t4\t-\tnow\t-\t-",
        "k\topen\tid1\t10\tabc\t-\t4\t-\t-\t-\tsure", "k\0\topen\tid1\t10\tabc\t-\t4\t-\t-\t-\t-",
        "k\topen\tid1\t10\tab\0c\t-\t4\t-\t-\t-\t-",
    ])
    func badLinesAreRefused(line: String) { #expect(parsed(Array(line.utf8)) == nil, "\(line)") }

    /// It would be written as other bytes than it was read from, and perhaps longer than can be read.
    @Test func anIDThatIsNoTextIsRefused() {
        let line = Array("k\topen\ti".utf8) + [0xFF] + Array("\t10\tabc\t-\t4\t-\t-\t-\t-".utf8)
        #expect(parsed(line) == nil)
    }

    /// A damaged line is refused, or reads as something that is written and read back alike.
    @Test(arguments: 0..<8)
    func damagedLinesAreNeverMisread(block: UInt64) {
        var random = SeededRandom(seed: block)
        var full = uploadRecord("a\tkey", .completing, id: "2~id", begunAt: 1_767_225_600)
        full.targetETag = ETag(partsETag)
        full.proof = .etag
        let lines = [full, uploadRecord("k", .intent), uploadRecord("\\", .ended)].map {
            Array(line($0).dropLast())
        }
        for _ in 0..<1500 {
            var text = lines.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&text, &random) }
            guard let record = parsed(text) else { continue }
            let again = parsed(line(record).dropLast())
            #expect(again == record, "\(String(decoding: text, as: UTF8.self))")
        }
    }

    private func mutate(_ text: inout [UInt8], _ random: inout SeededRandom) {
        guard let place = text.indices.randomElement(using: &random) else { return }
        let odd: [UInt8] = [9, 45, 92, 0, 48, .random(in: 0...255, using: &random)]
        let byte = odd.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<4, using: &random) {
        case 0: text[place] = byte
        case 1: text.remove(at: place)
        case 2: text.insert(byte, at: place)
        default: text.removeSubrange(place...)
        }
    }
}

extension UploadRecordTests {
    private func parsed(_ line: ArraySlice<UInt8>) -> UploadRecord? { parsed(Array(line)) }
}

@Suite struct OpenUploadsTests {
    private func open(_ records: UploadRecord...) -> [String] {
        var uploads = OpenUploads()
        for record in records { uploads.take(record) }
        return uploads.records.map { record in
            "\(record.state.rawValue) \(record.uploadID ?? "\(record.begunAt?.secondsSince1970 ?? 0)")"
        }
    }

    @Test func anUploadIsOneRecordFromItsIntentToItsEnd() {
        let intent = uploadRecord("k", .intent, begunAt: 1)
        let opened = uploadRecord("k", .open, id: "a", begunAt: 1)
        let completing = uploadRecord("k", .completing, id: "a", begunAt: 1)
        #expect(open(intent) == ["intent 1"])
        #expect(open(intent, opened) == ["open a"])
        #expect(open(intent, opened, completing) == ["completing a"])
        #expect(open(intent, opened, completing, completing) == ["completing a"])
        #expect(
            open(intent, opened, completing, uploadRecord("k", .ended, id: "a", begunAt: 1)) == [])
        #expect(open(intent, opened, uploadRecord("k", .ended, id: "a", begunAt: 1)) == [])
        #expect(open(intent, uploadRecord("k", .ended, id: nil, begunAt: 1)) == [])
    }

    /// A reader of the log keeps it, until the object's outcome is known to be in a log.
    @Test func whatWasCompletedIsKnownAndNotOpen() {
        let record = uploadRecord("k", .completed, id: "a")
        #expect(open(uploadRecord("k", .open, id: "a"), record) == [])
        var uploads = OpenUploads(keepsCompleted: true)
        uploads.take(uploadRecord("k", .open, id: "a"))
        uploads.take(record)
        #expect(uploads.records.isEmpty && uploads.completed == [record])
        #expect(uploads.known(of: ObjectKey("k")) == [record])
        #expect(uploads.others(than: uploadRecord("k", .intent)).isEmpty)
        var ledger = Ledger(readyMax: 1, uploads: uploads)
        ledger.take(uploadRecord("l", .completed, id: "b"))
        #expect(ledger.uploads.completed == [record], "a run needs to remember nothing of its own")
        uploads.forgetCompleted { $0 == ObjectKey("k") }
        #expect(uploads.completed.isEmpty)
    }

    @Test func aLostCreateStaysBesideTheNext() {
        let lost = uploadRecord("k", .intent, begunAt: 1)
        let second = uploadRecord("k", .intent, begunAt: 5)
        let answered = uploadRecord("k", .open, id: "b", begunAt: 5)
        #expect(open(lost, second) == ["intent 1", "intent 5"])
        #expect(open(lost, second, answered) == ["intent 1", "open b"])
        let lostEnd = uploadRecord("k", .ended, id: nil, begunAt: 1)
        #expect(open(lost, second, answered, lostEnd) == ["open b"])
        let end = uploadRecord("k", .ended, id: "b", begunAt: 5)
        #expect(open(lost, second, answered, end) == ["intent 1"])
    }

    /// Which of two lost Creates was seen to matters: the other is searched for by its own time.
    @Test func theRightOneOfTwoIntentsEnds() {
        let first = uploadRecord("k", .intent, begunAt: 1)
        let second = uploadRecord("k", .intent, begunAt: 500)
        #expect(
            open(first, second, uploadRecord("k", .ended, id: nil, begunAt: 1)) == ["intent 500"])
        #expect(
            open(first, second, uploadRecord("k", .ended, id: nil, begunAt: 500)) == ["intent 1"])
    }

    /// A Create that went out twice has two intents of one moment; one of them is answered.
    @Test func oneOfTwinIntentsIsAnswered() {
        let intent = uploadRecord("k", .intent, begunAt: 1)
        let answered = uploadRecord("k", .open, id: "a", begunAt: 1)
        #expect(open(intent, intent, answered) == ["intent 1", "open a"])
    }

    @Test func keysAndIDsAreApart() {
        let one = uploadRecord("k", .open, id: "a")
        let other = uploadRecord("l", .open, id: "a")
        let second = uploadRecord("k", .open, id: "b")
        let ended = uploadRecord("k", .ended, id: "a")
        #expect(open(one, other, second, ended) == ["open a", "open b"])
    }

    @Test func theEndOfAnUnknownUploadIsNothing() {
        #expect(open(uploadRecord("k", .ended, id: "a")) == [])
        #expect(
            open(uploadRecord("k", .open, id: "b"), uploadRecord("k", .ended, id: "a")) == [
                "open b"
            ])
        #expect(open(uploadRecord("k", .completing, id: "a")) == ["completing a"])
    }

    /// The log that is written anew says the same.
    @Test func itsLinesReadBack() throws {
        var uploads = OpenUploads()
        uploads.take(uploadRecord("a\tb", .intent, begunAt: 3))
        uploads.take(uploadRecord("a\tb", .completing, id: "x"))
        uploads.take(uploadRecord("c", .open, id: "y"))
        var again = OpenUploads()
        for line in uploads.lines.split(separator: UInt8(ascii: "\n")) {
            let record = UploadRecord(parsing: Array(line).span)
            again.take(try #require(record))
        }
        #expect(again.records.count == 3 && uploads.records.allSatisfy(again.records.contains))
        #expect(again.others(than: uploads.records[0]) == [uploads.records[1]])
        #expect(again.others(than: uploads.records[2]) == [])
        #expect(again.records(of: ObjectKey("a\tb")).count == 2)
        #expect(again.records(of: ObjectKey("a")).isEmpty)
    }

    /// The books are written anew at each start: what stands in them must not answer an intent of another upload.
    @Test func aLostCreateOutlivesTheNextStart() throws {
        var uploads = OpenUploads()
        uploads.take(uploadRecord("k", .intent, begunAt: 1))
        uploads.take(uploadRecord("k", .intent, begunAt: 2))
        uploads.take(uploadRecord("k", .open, id: "a", begunAt: 2))
        #expect(uploads.records.count == 2)
        for _ in 0..<2 {
            var again = OpenUploads()
            for line in uploads.lines.split(separator: UInt8(ascii: "\n")) {
                let record = UploadRecord(parsing: Array(line).span)
                again.take(try #require(record))
            }
            #expect(again.records.map(\.uploadID) == ["a", nil])
            uploads = again
        }
    }
}
