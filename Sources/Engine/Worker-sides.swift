//! What a worker does when a side does not answer: it keeps back what came of its exchanges until it is known why.

internal import Curl
internal import Migration
internal import S3

/// What came of an exchange, which the transfer is told when it is known what it means.
struct Kept {
    var event: TransferEvent
    var side: Side
    var question: SharedSides.Question
    var since: Instant
}

extension Worker {
    /// Tells what it has seen of the sides, now and then or at once when one is in doubt, and learns what holds now.
    mutating func lookAtSides() {
        let sides = surroundings.sides
        guard
            sides.isTroubled || keptCount > 0
                || context.now - reportedAt >= Limits.sideReportEvery
        else { return }
        let before = view.generation
        view = sides.take(reports, busy: busyCount, of: index, at: context.now)
        reports = BothSides { _ in SideReport() }
        reportedAt = context.now
        if view.generation.source != before.source { sourceSigner = newSigner(.source) }
        if view.generation.target != before.target { targetSigner = newSigner(.target) }
    }

    private func newSigner(_ side: Side) -> Signer {
        var settings = surroundings.sides.settings[side]
        settings.credentials = surroundings.sides.condition(of: side).credentials
        return Signer(settings)
    }

    /// Tells a transfer what came of its exchange, or keeps it back as long as nobody knows what it means.
    mutating func conclude(
        _ event: TransferEvent, _ slot: Slot, _ side: Side
    ) throws(CurlError) {
        guard let question = question(event, slot, side) else { return try tell(slot, event) }
        keep(Kept(event: event, side: side, question: question, since: context.now), slot)
    }

    private mutating func question(
        _ event: TransferEvent, _ slot: Slot, _ side: Side
    ) -> SharedSides.Question? {
        switch event {
        case .broken(let fault) where fault.isAbsence:
            surroundings.sides.failed(side, because: fault.message, at: context.now)
            return .silence
        case .answered(let result) where RetryPolicy.isAbsence(result.response):
            let status = result.response.status
            surroundings.sides.failed(side, because: "HTTP \(status)", at: context.now)
            return .silence
        case .answered(let result):
            report(result, slot, side)
            return refusal(result.response, slot, side)
        default: return nil
        }
    }

    private mutating func report(_ result: ExchangeResult, _ slot: Slot, _ side: Side) {
        var bytes = result.objectBytes
        if case .object(let count) = slot.order?.upload { bytes += count }
        reports[side].count(
            isThrottled: RetryPolicy.isThrottling(result.response),
            begunAt: slot.begunAt ?? context.now, at: context.now, bytes: bytes)
    }

    /// Whether an answer may mean that credentials which can be read again have expired.
    private func refusal(
        _ response: Response, _ slot: Slot, _ side: Side
    ) -> SharedSides.Question? {
        let sides = surroundings.sides
        guard [400, 401, 403].contains(response.status), sides.settings[side].renewal != nil else {
            return nil
        }
        let isSure = RetryPolicy.fault(of: response).faultClass == .expired
        guard isSure || slot.order?.request.method == .head else { return nil }
        sides.refused(side, generation: slot.generation, isSure: isSure, at: context.now)
        return .refusal(generation: slot.generation)
    }

    private mutating func keep(_ kept: Kept, _ slot: Slot) {
        slot.kept = kept
        keptCount += 1
    }

    /// What is not sent to a side that is down is decided anew when it is up: the world may have changed by then.
    mutating func keepUnsent(_ order: ExchangeOrder, _ slot: Slot) -> TransferEvent? {
        var fault = TransportFault(.broken, message: "not sent")
        fault.hadNoEffect = true
        keep(
            Kept(
                event: .broken(fault), side: order.side, question: .notSent, since: context.now),
            slot)
        return nil
    }

    /// Tells the transfers what has become clear.
    mutating func tellKept() throws(CurlError) {
        guard keptCount > 0 else { return }
        for slot in slots {
            guard let kept = slot.kept else { continue }
            let answer = surroundings.sides.answer(
                kept.question, kept.side, askedAt: kept.since, worker: index)
            guard answer != .notKnownYet else { continue }
            slot.kept = nil
            keptCount -= 1
            try tell(slot, answer == .own ? kept.event : kept.forgiven)
        }
    }

    /// A run that ends does not wait for a side that is down.
    mutating func abandonKept() {
        guard view.isDown.source || view.isDown.target else { return }
        for slot in slots where slot.kept != nil { abandon(slot) }
    }
}

extension Kept {
    /// The same as a fault that counts against nobody.
    var forgiven: TransferEvent {
        var fault = TransportFault(.broken, message: "the side did not answer")
        switch event {
        case .broken(let broken): fault = broken
        case .answered(let result):
            fault.timesResent = result.timesResent
            // A refusal of credentials comes before anything is done.
            if case .refusal = question { fault.hadNoEffect = true }
        default: break
        }
        fault.isForgiven = true
        return .broken(fault)
    }
}
