//! A thread that drives transfers: one multi handle, some slots, and a loop that waits only for sockets.

internal import Curl
internal import Migration
internal import S3
internal import Synchronization

/// What all workers of a run share.
struct WorkerSurroundings: Sendable {
    var source: SideSettings
    var target: SideSettings
    var sides: SharedSides
    var rules: TransferRules
    var slotCount: Int
    var timeout: Duration
    var curlBuffers: Limits.CurlBuffers
    /// Reads the lists and asks the source, and writes nothing.
    var isDryRun: Bool
    /// How closely it compares; nil when it copies.
    var verify: VerifyDepth?
    var clock: Clock
    var ledger: SharedLedger
    var pool: BufferPool
    var flows: SharedFlows
    /// Tells the operator what no log has room for.
    var warn: @Sendable (String) -> Void
}

/// What has passed through the workers so far.
final class SharedFlows: Sendable {
    let downloads = Atomic<Int64>(0)
    let downloadedBytes = Atomic<Int64>(0)
    let uploads = Atomic<Int64>(0)
    let uploadedBytes = Atomic<Int64>(0)
}

/// One object's place in a worker.
final class Slot {
    let index: Int
    let body = ObjectBuffer()
    let source: Channel
    let target: Channel
    var job: Job?
    /// The side that an exchange is under way with.
    var side: Side?
    var order: ExchangeOrder?
    var begunAt: Instant?
    /// The number of the credentials that it was signed with.
    var generation = 0
    var kept: Kept?
    var wakeAt: Instant?

    init(index: Int, source: EasySettings, target: EasySettings) {
        self.index = index
        self.source = Channel(slot: index, body: body, settings: source)
        self.target = Channel(slot: index, body: body, settings: target)
    }

    func channel(_ side: Side) -> Channel { side == .source ? source : target }
}

/// A worker's own state; only its thread touches it.
struct Worker: ~Copyable {
    let index: Int
    let surroundings: WorkerSurroundings
    private var multi: MultiHandle
    var sourceSigner: Signer
    var targetSigner: Signer
    var slots: [Slot] = []
    private var freeSlots: [Int]
    var context: TransferContext
    private var returned: [SharedLedger.Return] = []
    /// Bytes of the parts in its slots.
    private var partBytes: Int64 = 0
    /// What it has seen of the sides and not told yet.
    var reports = BothSides { _ in SideReport() }
    var reportedAt: Instant
    /// What it knows of the sides.
    var view: SharedSides.View
    var keptCount = 0

    init(index: Int, _ surroundings: WorkerSurroundings, seed: UInt64) throws(CurlError) {
        self.index = index
        self.surroundings = surroundings
        // Twice the slots, one connection for each side, and some that are just being closed.
        multi = try MultiHandle(connectionCacheSize: surroundings.slotCount * 2 + 8)
        sourceSigner = Signer(surroundings.source)
        targetSigner = Signer(surroundings.target)
        freeSlots = Array((0..<surroundings.slotCount).reversed())
        context = TransferContext(
            now: surroundings.clock.now, rules: surroundings.rules,
            random: SeededRandom(seed: seed))
        reportedAt = context.now
        view = surroundings.sides.take(reports, busy: 0, of: index, at: context.now)
        let sourceEasy = EasySettings(surroundings, .source)
        let targetEasy = EasySettings(surroundings, .target)
        slots = (0..<surroundings.slotCount).map {
            Slot(index: $0, source: sourceEasy, target: targetEasy)
        }
    }

    var waker: MultiWaker { multi.waker }

    /// Works until the ledger has no more, or the run ends.
    mutating func run() throws(CurlError) {
        var drainUntil: Instant?
        while true {
            context.now = surroundings.clock.now
            lookAtSides()
            let turn = surroundings.ledger.turn(
                SharedLedger.Request(
                    worker: index, returned: returned, freeSlots: room, busySlots: busyCount,
                    partBytes: partBytes),
                at: context.now)
            returned.removeAll(keepingCapacity: true)
            for assignment in turn.assignments { try begin(assignment.job, assignment.event) }
            for item in turn.items { try begin(job(for: item), .begin) }
            for slot in turn.recorded { try tell(slots[slot], .recorded) }
            if turn.ending == .draining, drainUntil == nil {
                drainUntil = context.now + Limits.drainMax
            }
            let isTooLate = drainUntil.map { context.now >= $0 } ?? false
            if turn.ending == .aborting || isTooLate { return try abandonAll() }
            if turn.ending == .draining { abandonKept() }
            try tellKept()
            try wakeSleepers()
            try takeGrants()
            _ = try multi.perform()
            while let finished = multi.nextFinished() { try exchangeEnded(finished) }
            if returned.isEmpty {
                if turn.isOver, freeSlots.count == slots.count { return }
                try multi.poll(timeout: pause)
            }
        }
    }

    /// Until the next sleeper wakes; never for ever, since a lost wake-up should cost a second and not the run.
    private var pause: Duration {
        let next = slots.lazy.compactMap(\.wakeAt).min()
        return min(max(next.map { $0 - context.now } ?? .seconds(1), .zero), .seconds(1))
    }

    // MARK: - The transfers

    private func job(for item: WorkItem) -> Job {
        if item.isSample { return .sample(ListSample(item: item, now: context.now)) }
        if surroundings.isDryRun { return .inspection(Inspection(item: item, now: context.now)) }
        if let depth = surroundings.verify {
            return .comparison(Comparison(item: item, depth: depth, now: context.now))
        }
        return .transfer(
            Transfer(item: item, now: context.now, mayHaveWritten: context.rules.isResumed))
    }

    private mutating func begin(
        _ job: consuming Job, _ event: TransferEvent
    ) throws(CurlError) {
        guard let index = freeSlots.popLast() else {
            preconditionFailure("more work than free slots")
        }
        partBytes += job.partBytes
        slots[index].job = job
        try tell(slots[index], event)
    }

    mutating func tell(_ slot: Slot, _ event: TransferEvent) throws(CurlError) {
        var event = event
        while let action = slot.job?.handle(event, in: &context) {
            for warning in slot.job?.takeWarnings() ?? [] { surroundings.warn(warning) }
            guard let next = try perform(action, for: slot) else { return }
            event = next
        }
    }

    /// Does what a transfer wants; gives the event that this led to at once, if any.
    private mutating func perform(
        _ action: TransferAction, for slot: Slot
    ) throws(CurlError) -> TransferEvent? {
        switch action {
        case .reserve(let bytes): return reserve(bytes, for: slot)
        case .exchange(let order): return try start(order, for: slot)
        case .hash(let algorithm, let byteCount):
            return .digested(slot.body.digest(algorithm, byteCount: byteCount))
        case .wait(let until, let clock):
            if let clock { surroundings.clock.correct(clock) }
            slot.wakeAt = until
        case .record(let record):
            surroundings.ledger.record(record, worker: index, slot: slot.index)
        case .become(let job):
            surroundings.pool.release(&slot.body.blocks, worker: index)
            slot.job = job
            return .begin
        case .park(let parking): park(slot, parking)
        case .finish(let outcome): end(slot, outcome)
        case .finishPart(let outcome): endPart(slot, outcome)
        case .finishCleanup(let warning):
            if let warning { surroundings.warn(warning) }
            free(slot)
        case .stopRun(let failure):
            surroundings.ledger.end(.draining, because: .fault(describe(failure, slot)))
            abandon(slot)
        }
        return nil
    }

    private func reserve(_ bytes: Int64, for slot: Slot) -> TransferEvent? {
        let claim = MemoryBudget.Claim(
            age: slot.job?.item?.sequence ?? 0, blocks: Int(Limits.blocks(for: bytes)),
            worker: index, slot: slot.index)
        switch surroundings.pool.reserve(claim, held: &slot.body.blocks) {
        case .granted(let kept): return .granted(kept: kept)
        case .waiting: return nil
        }
    }

    private mutating func start(
        _ order: ExchangeOrder, for slot: Slot
    ) throws(CurlError) -> TransferEvent? {
        guard !view.isDown[order.side] else { return keepUnsent(order, slot) }
        let time = surroundings.clock.timeOfDay(at: order.side)
        do throws(CurlError) {
            switch order.side {
            case .source:
                try slot.source.start(order, signer: &sourceSigner, at: time, on: &multi)
            case .target:
                try slot.target.start(order, signer: &targetSigner, at: time, on: &multi)
            }
        } catch {
            return .broken(TransportFault(.unsendable, message: error.message))
        }
        slot.side = order.side
        slot.order = order
        slot.begunAt = context.now
        slot.generation = view.generation[order.side]
        return nil
    }

    private mutating func exchangeEnded(_ finished: MultiHandle.Finished) throws(CurlError) {
        let slot = slots[finished.slot]
        guard let side = slot.side else { preconditionFailure("an exchange of nobody ended") }
        let channel = slot.channel(side)
        let timesResent = try channel.stop(on: &multi)
        slot.side = nil
        var result = channel.exchange.result
        result.timesResent = timesResent
        count(result, slot.order)
        if let error = finished.error, !result.overflowed {
            var fault = channel.fault(error)
            fault.timesResent = timesResent
            try conclude(.broken(fault), slot, side)
        } else {
            try conclude(.answered(result), slot, side)
        }
    }

    private func count(_ result: ExchangeResult, _ order: ExchangeOrder?) {
        let flows = surroundings.flows
        if result.objectBytes > 0 {
            flows.downloadedBytes.add(result.objectBytes, ordering: .relaxed)
        }
        guard case .object(let byteCount) = order?.upload,
            (200..<300).contains(result.response.status)
        else { return }
        flows.uploadedBytes.add(byteCount, ordering: .relaxed)
    }

    private mutating func wakeSleepers() throws(CurlError) {
        for slot in slots {
            guard let wakeAt = slot.wakeAt, wakeAt <= context.now else { continue }
            slot.wakeAt = nil
            try tell(slot, .woken)
        }
    }

    private mutating func takeGrants() throws(CurlError) {
        for grant in surroundings.pool.takeGrants(worker: index) {
            slots[grant.slot].body.blocks = grant.blocks
            try tell(slots[grant.slot], .granted(kept: false))
        }
    }

    // MARK: - The end of a transfer

    private mutating func end(_ slot: Slot, _ outcome: Outcome) {
        guard let item = slot.job?.item else { preconditionFailure("nobody's outcome") }
        if slot.job?.wasDownloaded ?? false {
            surroundings.flows.downloads.add(1, ordering: .relaxed)
        }
        if outcome.kind == .copied, !surroundings.isDryRun {
            surroundings.flows.uploads.add(1, ordering: .relaxed)
        }
        var outcome = outcome
        if let failure = outcome.failure {
            outcome.failure = surroundings.sides.redaction.applied(to: failure)
        }
        returned.append(
            .ended(
                sequence: item.sequence, record: Ledger.Record(key: item.key, outcome: outcome)))
        free(slot)
    }

    private mutating func park(_ slot: Slot, _ parking: Parking) {
        guard case .multipart(let copy) = slot.job else {
            preconditionFailure("only a multipart copy steps aside")
        }
        returned.append(.parked(copy, parking))
        free(slot)
    }

    private mutating func endPart(_ slot: Slot, _ outcome: PartOutcome) {
        guard case .part(let copy) = slot.job else { preconditionFailure("nobody's part") }
        returned.append(
            .part(
                number: copy.part.number, sequence: copy.part.item.sequence,
                outcome))
        free(slot)
    }

    /// An object is given back; a part or a cleanup is not the ledger's to take back.
    mutating func abandon(_ slot: Slot) {
        switch slot.job {
        case .transfer, .multipart, .inspection, .sample, .comparison:
            if let item = slot.job?.item { surroundings.ledger.abandon([item.sequence]) }
        case .part, .cleanup, nil: break
        }
        free(slot)
    }

    private mutating func free(_ slot: Slot) {
        surroundings.pool.release(&slot.body.blocks, worker: index)
        partBytes -= slot.job?.partBytes ?? 0
        slot.job = nil
        slot.wakeAt = nil
        slot.order = nil
        if slot.kept.take() != nil { keptCount -= 1 }
        freeSlots.append(slot.index)
    }

    /// Drops what is under way; its objects are as if they had never been handed out.
    private mutating func abandonAll() throws(CurlError) {
        for slot in slots where slot.job != nil {
            if let side = slot.side { _ = try slot.channel(side).stop(on: &multi) }
            slot.side = nil
            surroundings.pool.withdraw(worker: index, slot: slot.index)
            abandon(slot)
        }
    }

    private func describe(_ failure: Failure, _ slot: Slot) -> String {
        let side = failure.stage.side
        let place = side == .source ? surroundings.source : surroundings.target
        let failure = surroundings.sides.redaction.applied(to: failure)
        let status = failure.status.map { "HTTP \($0) " } ?? ""
        let key = slot.job?.item.map { KeyListLine.escaped($0.key) } ?? ""
        let advice =
            failure.faultClass == .expired
            ? "\n  a running program can read new credentials from a profile only "
                + "(--src-profile, --dest-profile)" : ""
        return "\(side.rawValue): bucket '\(place.bucket)' at \(place.endpoint): "
            + "\(status)\(failure.code ?? "") \(failure.message) (at the key \(key))"
            + advice
    }

    var busyCount: Int { slots.count - freeSlots.count }

    /// How many transfers more it may take up: none while a side is down, and no more than the sides stand.
    private var room: Int {
        guard !view.isDown.source, !view.isDown.target else { return 0 }
        return min(freeSlots.count, max(0, view.share - busyCount))
    }

    /// Closes what belongs to libcurl, on the thread that used it.
    consuming func close() {
        for slot in slots {
            slot.source.close()
            slot.target.close()
        }
        multi.close()
    }
}

extension EasySettings {
    /// How libcurl is set up for a side: large buffers for the way the bodies go, small ones for the other.
    init(_ surroundings: WorkerSurroundings, _ side: Side) {
        let buffers = surroundings.curlBuffers
        switch side {
        case .source:
            self.init(surroundings.source, timeout: surroundings.timeout)
            receiveBufferSizeBytes = buffers.receiveBytes
            uploadBufferSizeBytes = buffers.smallBytes
        case .target:
            self.init(surroundings.target, timeout: surroundings.timeout)
            let reads = surroundings.verify == .content
            receiveBufferSizeBytes = reads ? buffers.receiveBytes : buffers.smallBytes
            uploadBufferSizeBytes = reads ? buffers.smallBytes : buffers.uploadBytes
        }
    }

    init(_ side: SideSettings, timeout: Duration) {
        self.init()
        lowSpeedTime = timeout
        connectTimeout = min(timeout, .seconds(10))
        tls.caFile = side.tls.caFile
        tls.clientCert = side.tls.clientCertificate
        tls.clientKey = side.tls.clientKey
        tls.verifyPeer = !side.tls.isInsecure
        tls.verifyHost = !side.tls.isInsecure
    }
}

extension Signer {
    init(_ side: SideSettings) {
        self.init(endpoint: side.endpoint, credentials: side.credentials, region: side.region)
    }
}

extension TransportFault {
    /// What libcurl's error means for a transfer.
    init(_ error: CurlError) {
        let kind: Kind =
            switch error.code {
            case CurlError.operationTimedOut: .stalled
            case CurlError.peerFailedVerification, CurlError.sslConnectError: .tls
            default: .broken
            }
        self.init(kind, message: error.message)
    }
}
