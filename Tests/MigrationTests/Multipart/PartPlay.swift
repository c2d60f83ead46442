//! A part's worker and both of its servers, played from a script.

import S3
import Testing

@testable import Migration

/// Drives the copy of one part; memory, waits and digests are given as a worker would give them.
struct PartPlay {
    enum Ending {
        case finished(PartOutcome)
        case stoppedRun(Failure)
    }

    private(set) var copy: PartCopy
    private(set) var context: TransferContext
    private(set) var buffer: [UInt8] = []
    private(set) var orders: [ExchangeOrder] = []
    private(set) var waits: [Duration] = []
    private(set) var clocks: [ServerClock] = []
    private(set) var reservations: [Int64] = []
    private(set) var hashes: [BodyDigest.Algorithm] = []

    init(
        _ object: TestObject, part number: Int = 2, digest: BodyDigest.Algorithm? = nil,
        known: [Int: PartReceipt] = [:], _ rules: TransferRules = .multipart()
    ) {
        let facts = object.facts
        let plan = PartPlan(sizeBytes: facts.sizeBytes, partBytes: 4)
        let order = PartsOrder(
            item: WorkItem(sequence: 0, key: ObjectKey("k")), facts: facts, uploadID: "id1",
            plan: plan, digest: digest, numbers: Array(1...plan.count), known: known)
        copy = PartCopy(PartItem(order: order, number: number))
        context = TransferContext(
            now: Instant(elapsed: .seconds(1000)), rules: rules, random: SeededRandom(seed: 1))
    }

    mutating func play(_ script: [Scripted]) throws -> Ending {
        var rest = script[...]
        var event = TransferEvent.begin
        while true {
            switch copy.handle(event, in: &context) {
            case .exchange(let order):
                guard let scripted = rest.popFirst(), scripted.asks == order.title else {
                    throw PlayError("exchange \(orders.count) is \(order.title)")
                }
                orders.append(order)
                event = scripted.answer(order, &buffer)
            case .reserve(let bytes):
                reservations.append(bytes)
                buffer = []
                event = .granted(kept: false)
            case .hash(let algorithm, let byteCount):
                hashes.append(algorithm)
                event = .digested(algorithm.digest(of: Array(buffer[..<Int(byteCount)])))
            case .wait(let until, let clock):
                waits.append(until - context.now)
                if let clock { clocks.append(clock) }
                context.now = until
                event = .woken
            case .finishPart(let outcome):
                try checkPlayed(rest)
                return .finished(outcome)
            case .stopRun(let failure):
                try checkPlayed(rest)
                return .stoppedRun(failure)
            case let action: throw PlayError("a part does not do \(action)")
            }
        }
    }

    private func checkPlayed(_ rest: ArraySlice<Scripted>) throws {
        guard rest.isEmpty else { throw PlayError("not asked: \(rest.map(\.asks))") }
    }

    /// Plays a script that must end in an outcome.
    mutating func outcome(_ script: Scripted...) throws -> PartOutcome {
        guard case .finished(let outcome) = try play(script) else {
            throw PlayError("the run is stopped")
        }
        return outcome
    }
}

func putPart(_ answer: @escaping Scripted.Answer) -> Scripted {
    Scripted(asks: "target UploadPart", answer: answer)
}

extension BodyDigest.Algorithm {
    func digest(of bytes: [UInt8]) -> BodyDigest {
        switch self {
        case .crc32c: .crc32c(CRC32C.value(of: bytes))
        case .crc64nvme: .crc64nvme(CRC64NVME.value(of: bytes))
        case .sha256: .sha256(SHA256.digest(of: bytes))
        case .md5: .md5(MD5.digest(of: bytes))
        }
    }
}

extension PartOutcome {
    var receipt: PartReceipt? {
        if case .copied(let receipt) = self { receipt } else { nil }
    }

    /// In a word, and why.
    var words: String {
        switch self {
        case .copied: "copied"
        case .changed: "changed"
        case .uploadGone(let failure): "gone \(failure.words)"
        case .sizeRefused(let failure): "size \(failure.words)"
        case .failed(let failure): "failed \(failure.words)"
        }
    }
}

extension TestObject {
    /// What a HEAD tells of it.
    var facts: ObjectFacts {
        var response = Response(status: 200)
        for (name, value) in headerFields(length: bytes.count) {
            response.headers.append(name, value)
        }
        let request = HeadObject.request(bucket: "from", key: ObjectKey("k"))
        guard let facts = try? HeadObject.answer(response, to: request) else {
            preconditionFailure("an object without facts")
        }
        return facts
    }

    func part(_ number: Int, of partBytes: Int = 4) -> [UInt8] {
        Array(bytes[(number - 1) * partBytes..<min(number * partBytes, bytes.count)])
    }

    /// The MD5s of the parts, as a server's tags of them.
    func partETag(_ number: Int, of partBytes: Int = 4) -> ETag {
        ETag(md5Text(part(number, of: partBytes)))
    }

    func partsETag(of partBytes: Int = 4) -> ETag {
        let count = (bytes.count - 1) / partBytes + 1
        return .composite(
            ofPartMD5s: (1...count).map { MD5.digest(of: part($0, of: partBytes)) })
    }

    /// The same bytes as an object that was written in parts of this size.
    func inParts(of partBytes: Int = 4) -> TestObject {
        with(etag: partsETag(of: partBytes).text)
    }
}

extension TransferRules {
    /// Parts of four bytes, and all that can be known of a target.
    static func multipart(
        conditional: Bool = true, digest: BodyDigest.Algorithm? = .crc32c,
        partETagIsMD5: Bool = true, tagging: TargetCapabilities.Tagging = .onPut,
        retries: Int = Limits.retriesDefault, ifMatch: PutObject.IfMatchForm? = nil,
        ifMatchOnComplete: Bool = false, overwrite: OverwriteMode = .never
    ) -> TransferRules {
        var rules = TransferRules.play
        rules.wholeObjectBytesMax = 4
        rules.partBytes = 4
        rules.target = TargetCapabilities(
            conditionalComplete: conditional, partDigest: digest, partETagIsMD5: partETagIsMD5,
            multipartTagging: tagging, ifMatchOnPut: ifMatch, ifMatchOnComplete: ifMatchOnComplete)
        rules.overwrite = overwrite
        rules.retries = RetryPolicy(retriesMax: retries)
        return rules
    }
}
