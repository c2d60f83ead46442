//! A large object's workers, both of its servers and its log, played from a script.

import S3
import Testing

@testable import Migration

/// Drives one multipart copy. The script has the exchanges; turns are given at once, lines of uploads.log are
/// taken, and parts are copied well unless the play is told otherwise.
struct MultipartPlay {
    enum Ending {
        case finished(Outcome)
        case stoppedRun(Failure)
        /// The object is read again from its first byte.
        case readsAgain(Transfer)
    }

    typealias Parts = @Sendable (PartsOrder) -> PartsReport

    private(set) var copy: MultipartCopy
    private(set) var context: TransferContext
    private(set) var orders: [ExchangeOrder] = []
    /// All that was done, in order: exchanges by their titles, `record open`, `parts 1 2 3`.
    private(set) var trace: [String] = []
    private(set) var log: [UploadRecord] = []
    /// What the log leaves open.
    private(set) var books = OpenUploads()
    private(set) var partsOrders: [PartsOrder] = []
    private(set) var waits: [Duration] = []
    private(set) var warnings: [String] = []
    /// What the workers bring back; behind the last, all parts are copied well.
    var parts: [Parts] = []
    let object: TestObject

    init(
        _ object: TestObject = TestObject("0123456789"), _ rules: TransferRules = .multipart(),
        tags: [ObjectTag] = [], earlier: [UploadRecord] = [], restarts: Int = 0, seed: UInt64 = 1,
        damagedETag: ETag? = nil, sourceAge: Int64? = nil
    ) {
        let start = Instant(elapsed: .seconds(1000))
        self.object = object
        context = TransferContext(now: start, rules: rules, random: SeededRandom(seed: seed))
        copy = MultipartCopy(
            item: WorkItem(
                sequence: 0, key: ObjectKey("k"), earlierUploads: earlier, damagedETag: damagedETag),
            facts: object.facts, tags: tags, losses: [], begun: start, restarts: restarts,
            attempts: 0, sourceWrite: sourceAge.map { object.written(secondsBefore: $0, start) },
            now: start, rules: rules)
        for record in earlier { books.take(record) }
    }

    /// Plays the script to its end, which must be the copy's.
    mutating func play(_ script: [Scripted]) throws -> Ending {
        var rest = script[...]
        var event = TransferEvent.begin
        while true {
            let action = copy.handle(event, in: &context)
            warnings += copy.takeWarnings()
            switch action {
            case .exchange(let order):
                trace.append(order.title)
                guard let scripted = rest.popFirst(), scripted.asks == order.title else {
                    throw PlayError("not in the script: \(trace.suffix(12))")
                }
                orders.append(order)
                context.now = context.now + scripted.takes
                var none: [UInt8] = []
                event = scripted.answer(order, &none)
            case .record(let record):
                take(record)
                event = .recorded
            case .park(.forTurn): event = .turn
            case .park(.forParts(let order)): event = .partsEnded(copyParts(order))
            case .wait(let until, _):
                waits.append(until - context.now)
                context.now = max(context.now, until)
                event = .woken
            case .finish(let outcome): return try end(.finished(outcome), rest)
            case .stopRun(let failure): return try end(.stoppedRun(failure), rest)
            case .become(.transfer(let transfer)): return try end(.readsAgain(transfer), rest)
            default: throw PlayError("a multipart copy does not do \(action)")
            }
        }
    }

    private func end(_ ending: Ending, _ rest: ArraySlice<Scripted>) throws -> Ending {
        guard rest.isEmpty else { throw PlayError("not asked: \(rest.map(\.asks)) after \(trace)") }
        return ending
    }

    private mutating func take(_ record: UploadRecord) {
        trace.append("record \(record.state.rawValue)")
        log.append(record)
        books.take(record)
    }

    private mutating func copyParts(_ order: PartsOrder) -> PartsReport {
        trace.append("parts \(order.numbers.map(String.init).joined(separator: " "))")
        partsOrders.append(order)
        return parts.isEmpty ? order.copied(object) : parts.removeFirst()(order)
    }

    // MARK: - Endings

    mutating func outcome(_ script: Scripted...) throws -> Outcome {
        try outcome(of: script)
    }

    mutating func outcome(of script: [Scripted]) throws -> Outcome {
        switch try play(script) {
        case .finished(let outcome): return outcome
        case .stoppedRun(let failure): throw PlayError("the run is stopped: \(failure)")
        case .readsAgain: throw PlayError("the object is read again")
        }
    }

    /// Plays a script after which the object is read again; gives the uploads that it takes along.
    mutating func readsAgain(_ script: Scripted...) throws -> [UploadRecord] {
        guard case .readsAgain(let transfer) = try play(script) else {
            throw PlayError("the object is not read again")
        }
        return transfer.item.earlierUploads
    }

    /// What the books leave open, in words.
    var open: [String] { books.records.map { "\($0.state.rawValue) \($0.uploadID ?? "-")" } }

    func order(_ title: String) -> ExchangeOrder? { orders.first { $0.title == title } }
}

extension TestObject {
    /// As a GET at that moment tells it.
    fileprivate func written(secondsBefore age: Int64, _ now: Instant) -> WriteTime {
        var object = aged(age)
        object.headers = []
        guard let time = WriteTime(object.facts, date: TestObject.noon, asked: now, answered: now)
        else { preconditionFailure("our own dates can be read") }
        return time
    }
}

extension PartsOrder {
    /// All parts as they should be; with other bytes in some.
    func copied(_ object: TestObject, damaged: Set<Int> = []) -> PartsReport {
        var report = PartsReport()
        for number in numbers {
            let range = plan.bytes(of: number)
            var bytes = Array(object.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            if damaged.contains(number) { bytes[0] ^= 1 }
            report.take(
                .copied(PartReceipt(etag: ETag(md5Text(bytes)), digest: digest?.digest(of: bytes))),
                of: number)
        }
        return report
    }

    /// The first part is there, the second ends so.
    func broken(_ object: TestObject, _ outcome: PartOutcome) -> PartsReport {
        var report = copied(object)
        report.receipts = report.receipts.filter { $0.key == numbers[0] }
        report.take(outcome, of: numbers.last ?? 1)
        return report
    }
}

// MARK: - Exchanges

func create(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target CreateMultipartUpload", answer: answer)
}
func listParts(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target ListParts", answer: answer)
}
func listUploads(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target ListMultipartUploads", answer: answer)
}
func complete(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target CompleteMultipartUpload", answer: answer)
}
func abort(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target AbortMultipartUpload", answer: answer)
}

// MARK: - Answers

/// By the target's clock of all plays, which `begun` continues.
let targetDate = Timestamp(secondsSince1970: 1_767_225_600)

/// The target does not have the key.
let isFree = headTarget(refuses(404, headers: [("date", targetDate.httpDate)]))

func begins(_ id: String, resent: Int = 0) -> Scripted.Answer {
    let xml =
        "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>"
    return reply(200, [], Array(xml.utf8), resent: resent)
}

/// A Complete that made an object; nil for a server that does not tell its tag.
func completes(_ etag: ETag?, resent: Int = 0) -> Scripted.Answer {
    let tag = etag.map { "<ETag>\"\($0.text)\"</ETag>" } ?? "<ETag></ETag>"
    let xml = "<CompleteMultipartUploadResult>\(tag)</CompleteMultipartUploadResult>"
    return reply(200, [], Array(xml.utf8), resent: resent)
}

/// An error that comes after a good head.
func fails(_ code: String) -> Scripted.Answer {
    reply(200, [], Array("<Error><Code>\(code)</Code><Message>late</Message></Error>".utf8))
}

/// The parts of an upload, and the number behind which there are more.
func hasParts(_ parts: [(number: Int, bytes: [UInt8])], next: Int? = nil, crc: Bool = true)
    -> Scripted.Answer
{
    let list = parts.map { part in
        let sum =
            crc
            ? "<ChecksumCRC32C>\(BodyDigest.crc32c(CRC32C.value(of: part.bytes)).text)</ChecksumCRC32C>"
            : ""
        return "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(md5Text(part.bytes))</ETag>"
            + "<Size>\(part.bytes.count)</Size>\(sum)</Part>"
    }
    let more =
        next.map {
            "<IsTruncated>true</IsTruncated><NextPartNumberMarker>\($0)</NextPartNumberMarker>"
        }
        ?? "<IsTruncated>false</IsTruncated>"
    return reply(200, [], Array("<ListPartsResult>\(list.joined())\(more)</ListPartsResult>".utf8))
}

/// The uploads that a target lists, each begun so many seconds after `targetDate`.
func hasUploads(_ uploads: [(id: String, after: Int64)], key: String = "k") -> Scripted.Answer {
    let list = uploads.map { upload in
        let begun = Timestamp(secondsSince1970: targetDate.secondsSince1970 + upload.after)
        return "<Upload><Key>\(key)</Key><UploadId>\(upload.id)</UploadId>"
            + "<Initiated>\(begun.iso8601)</Initiated></Upload>"
    }
    let xml = "<ListMultipartUploadsResult>\(list.joined())</ListMultipartUploadsResult>"
    return reply(200, [], Array(xml.utf8))
}

/// A source's answer to a HEAD of its first part.
func tells(_ object: TestObject, parts count: Int?, firstBytes: Int) -> Scripted.Answer {
    reply(
        206,
        object.headerFields(length: firstBytes)
            + (count.map { [("x-amz-mp-parts-count", "\($0)")] } ?? []))
}

/// No part is there yet.
let hasNoParts = hasParts([])

extension BodyDigest {
    /// As a header has it.
    var text: String {
        let request = UploadPart.request(
            bucket: "b", key: ObjectKey("k"), uploadID: "i", partNumber: 1, digest: self)
        return request.headers["x-amz-checksum-crc32c"] ?? ""
    }
}

extension Request {
    func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }
}
