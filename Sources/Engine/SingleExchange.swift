//! One exchange at a time, waited for: for the preflight and the probe.

internal import Curl
internal import Migration
internal import S3

/// A client for the few requests before the run. Small answers only.
struct SingleExchange: ~Copyable {
    private var multi: MultiHandle
    private let source: Channel
    private let target: Channel
    private var sourceSigner: Signer
    private var targetSigner: Signer
    private let clock: Clock
    /// The quickest answer of each side so far.
    private(set) var quickest: BothSides<Duration?> = BothSides { _ in nil }

    init(
        source: SideSettings, target: SideSettings, timeout: Duration, clock: Clock
    ) throws(CurlError) {
        multi = try MultiHandle(connectionCacheSize: 4)
        let body = ObjectBuffer()
        self.source = Channel(slot: 0, body: body, settings: EasySettings(source, timeout: timeout))
        self.target = Channel(slot: 1, body: body, settings: EasySettings(target, timeout: timeout))
        sourceSigner = Signer(source)
        targetSigner = Signer(target)
        self.clock = clock
    }

    /// Sends a request and waits for its answer, unless nobody wants it any more.
    mutating func send(
        _ order: ExchangeOrder, unless isUnwanted: () -> Bool = { false }
    ) throws(TransportFault) -> Response {
        let channel = order.side == .source ? source : target
        let begun = clock.now
        do throws(CurlError) {
            let time = clock.timeOfDay(at: order.side)
            switch order.side {
            case .source:
                try channel.start(order, signer: &sourceSigner, at: time, on: &multi)
            case .target:
                try channel.start(order, signer: &targetSigner, at: time, on: &multi)
            }
            let error = try waitForEnd(unless: isUnwanted)
            _ = try channel.stop(on: &multi)
            if let error { throw error }
            let took = clock.now - begun
            quickest[order.side] = min(quickest[order.side] ?? took, took)
            return channel.exchange.result.response
        } catch {
            throw channel.fault(error)
        }
    }

    private mutating func waitForEnd(
        unless isUnwanted: () -> Bool
    ) throws(CurlError) -> CurlError? {
        while !isUnwanted() {
            _ = try multi.perform()
            if let finished = multi.nextFinished() { return finished.error }
            try multi.poll(timeout: .milliseconds(500))
        }
        return CurlError(code: CurlError.abortedByCallback, message: "not waited for")
    }

    consuming func close() {
        source.close()
        target.close()
        multi.close()
    }
}
