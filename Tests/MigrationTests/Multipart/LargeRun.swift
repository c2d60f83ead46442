//! A ledger and its workers with a few large objects, every event in an order out of a seed.

import S3

@testable import Migration

/// What the Engine does with jobs, without its threads: whose event comes next is a matter of chance.
struct LargeRun {
    private struct Slot {
        var job: Job
        var event: TransferEvent?
        var order: ExchangeOrder?
        var buffer: [UInt8] = []
    }

    typealias Exchange = (ExchangeOrder, inout [UInt8], OpenUploads) -> TransferEvent

    private(set) var ledger: Ledger
    private(set) var log: [UInt8] = []
    /// As the log leaves them.
    var books: OpenUploads { ledger.uploads }
    private(set) var outcomes: [Int: Outcome] = [:]
    private(set) var warnings: [String] = []
    private(set) var stopped: Failure?
    private(set) var exchangeCount = 0
    private(set) var cleanupCount = 0
    private var context: TransferContext
    private var slots: [Slot?]
    var random: SeededRandom

    init(_ ledger: Ledger, _ rules: TransferRules, slotCount: Int, now: Instant, seed: UInt64) {
        self.ledger = ledger
        random = SeededRandom(seed: seed)
        context = TransferContext(now: now, rules: rules, random: SeededRandom(seed: seed))
        slots = Array(repeating: nil, count: slotCount)
    }

    var now: Instant { context.now }
    var isIdle: Bool { slots.allSatisfy { $0 == nil } }

    /// Hands out what there is, and lets one job go a step further; false when nobody has anything to do.
    mutating func step(_ exchange: Exchange) -> Bool {
        fillSlots()
        context.now = context.now + .milliseconds(Int.random(in: 0...300, using: &random))
        let busy = slots.indices.filter { slots[$0] != nil }
        guard let index = busy.randomElement(using: &random) else { return false }
        guard var slot = slots[index] else { return false }
        if let order = slot.order {
            exchangeCount += 1
            slot.order = nil
            slot.event = exchange(order, &slot.buffer, books)
        }
        guard let event = slot.event else { preconditionFailure("a slot without an event") }
        slot.event = nil
        let action = slot.job.handle(event, in: &context)
        if case .multipart(var copy) = slot.job {
            warnings += copy.takeWarnings()
            slot.job = .multipart(copy)
        }
        slots[index] = slot
        perform(action, index)
        return true
    }

    private mutating func fillSlots() {
        guard stopped == nil else { return }
        for index in slots.indices where slots[index] == nil {
            if let assignment = ledger.takeLarge(1, partBytes: 0).first {
                slots[index] = Slot(job: assignment.job, event: assignment.event)
            } else if let item = ledger.take(1).first {
                let transfer = Transfer(
                    item: item, now: context.now, mayHaveWritten: context.rules.isResumed)
                slots[index] = Slot(job: .transfer(transfer), event: .begin)
            }
        }
    }

    mutating func cleanUp() {
        ledger.cleanUp(targetBucket: context.rules.targetBucket)
    }

    private mutating func perform(_ action: TransferAction, _ index: Int) {
        switch action {
        case .reserve:
            let isKept = Bool.random(using: &random)
            if !isKept { slots[index]?.buffer = [] }
            slots[index]?.event = .granted(kept: isKept)
        case .exchange(let order): slots[index]?.order = order
        case .hash(let algorithm, let byteCount):
            let bytes = Array((slots[index]?.buffer ?? [])[..<Int(byteCount)])
            slots[index]?.event = .digested(algorithm.digest(of: bytes))
        case .wait(let until, _):
            context.now = max(context.now, until)
            slots[index]?.event = .woken
        case .record(let record):
            record.append(to: &log)
            ledger.take(record)
            slots[index]?.event = .recorded
        case .become(let job):
            slots[index] = Slot(job: job, event: .begin)
        default: leave(index, action)
        }
    }

    private mutating func leave(_ index: Int, _ action: TransferAction) {
        guard let job = slots[index]?.job else { preconditionFailure("nobody's action") }
        slots[index] = nil
        switch (action, job) {
        case (.park(let parking), .multipart(let copy)): ledger.park(copy, parking)
        case (.finishPart(let outcome), .part(let copy)):
            ledger.end(part: copy.part.number, of: copy.part.item.sequence, outcome)
        case (.finishCleanup(let warning), .cleanup):
            cleanupCount += 1
            warnings += warning.map { [$0] } ?? []
        case (.finish(let outcome), _): end(job, outcome)
        case (.stopRun(let failure), _):
            stopped = stopped ?? failure
            ledger.stopHandingOut()
        default: preconditionFailure("\(action) is not for \(job)")
        }
    }

    private mutating func end(_ job: Job, _ outcome: Outcome) {
        guard let item = job.item else { preconditionFailure("nobody's outcome") }
        outcomes[item.sequence] = outcome
        ledger.end(item.sequence, Ledger.Record(key: item.key, outcome: outcome), at: context.now)
    }
}
