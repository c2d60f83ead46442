//! Before the first object: are both buckets there, and what does the target honour?

internal import Curl
internal import Glibc
internal import Migration
internal import S3

/// Runs the preflight and the probe, with the retries that any exchange gets.
struct TargetInquiry: ~Copyable {
    private let settings: RunSettings
    private let clock: Clock
    private var client: SingleExchange
    private var random: SeededRandom
    private let redaction: Redaction
    /// An exchange of the last probe had to be sent again.
    private var wasDisturbed = false

    init(_ settings: RunSettings, clock: Clock, seed: UInt64) throws(CurlError) {
        self.settings = settings
        self.clock = clock
        random = SeededRandom(seed: seed)
        redaction = Redaction([settings.source.credentials, settings.target.credentials])
        client = try SingleExchange(
            source: settings.source, target: settings.target, timeout: settings.timeout,
            clock: clock)
    }

    consuming func close() {
        client.close()
    }

    /// How far both sides are away, together.
    var roundTrip: Duration { RunSettings.roundTrip(quickest: client.quickest) }

    // MARK: - Preflight

    /// Asks for both buckets; gives warnings, or the reason why the run cannot go on.
    ///
    /// - Parameter sampleKey: a key of the source's lists; where the bucket itself may not be asked for, an object
    ///   of it tells whether the run can read at all.
    mutating func preflight(sampleKey: ObjectKey?) throws(RunError) -> [String] {
        var warnings: [String] = []
        for side in Side.allCases {
            let place = side == .source ? settings.source : settings.target
            let preflight = Preflight(
                side: side, url: "\(place.endpoint)", bucket: place.bucket, region: place.region)
            switch verdict(preflight) {
            case .ready: break
            case .refused(let text): throw .cannotGoOn(redaction.applied(to: text))
            case .warning(let text):
                if side == .source { try readSample(sampleKey, preflight) }
                warnings.append(redaction.applied(to: text))
            }
        }
        return warnings
    }

    private mutating func readSample(
        _ key: ObjectKey?, _ preflight: Preflight
    ) throws(RunError) {
        guard let key else { return }
        let request = HeadObject.request(bucket: preflight.bucket, key: key)
        // A connection that breaks here was good a moment ago; the run's retries are for that.
        let response = try? patiently(ExchangeOrder(.source, request))
        guard response?.status == 403 else { return }
        throw .cannotGoOn(preflight.unreadable(key))
    }

    private mutating func verdict(_ preflight: Preflight) -> Preflight.Verdict {
        do throws(TransportFault) {
            let head = HeadBucket.request(bucket: preflight.bucket)
            let response = try patiently(ExchangeOrder(preflight.side, head))
            // A HEAD's answer has no body; a listing's tells in words what is wrong, and that this is S3 at all.
            let list = Request(
                .get, operation: "ListObjectsV2", bucket: preflight.bucket,
                query: [("list-type", "2"), ("max-keys", "1")])
            let story = try patiently(ExchangeOrder(preflight.side, list))
            let difference = response.date.map {
                Duration.seconds($0.secondsSince1970 - clock.timeOfDay.secondsSince1970)
            }
            return preflight.verdict(
                on: response, listing: story, clockDifference: difference)
        } catch {
            return preflight.verdict(on: error)
        }
    }

    /// A server that is busy or failing, or breaks the connection, may be asked again a few times; that none is there
    /// takes a second to say.
    private mutating func patiently(
        _ order: ExchangeOrder
    ) throws(TransportFault) -> Response {
        var attempt = 0
        while true {
            attempt += 1
            let fault: Fault
            do throws(TransportFault) {
                let response = try client.send(order)
                fault = RetryPolicy.fault(of: response)
                let isFault = response.status >= 300 && fault.isPassing
                guard isFault, attempt <= Self.patience else { return response }
            } catch {
                guard error.kind == .broken, attempt <= Self.patience else { throw error }
                fault = Fault(.transport, message: error.message)
            }
            pause(before: attempt, fault)
        }
    }

    private static let patience = 4

    // MARK: - Probe

    /// Finds out what the target honours.
    ///
    /// What a fault has touched may have seen too little: a conditional PUT whose answer was lost is refused when it is
    /// sent again. So the probe is run again, and what was seen once is true.
    ///
    /// - Parameter token: the same for a run and its resumptions, another for every other run.
    mutating func probe(
        token: String
    ) throws(RunError) -> (TargetCapabilities, warnings: [String]) {
        var (seen, warnings) = try probeOnce(token: token)
        for _ in 1..<Self.probesMax where wasDisturbed {
            let again = try probeOnce(token: token)
            (seen, warnings) = (seen.united(with: again.0), again.warnings)
        }
        return (seen, warnings)
    }

    private static let probesMax = 5

    private mutating func probeOnce(
        token: String
    ) throws(RunError) -> (TargetCapabilities, warnings: [String]) {
        wasDisturbed = false
        var probe = TargetProbe(bucket: settings.target.bucket, token: token)
        var action = probe.begin()
        while true {
            switch action {
            case .finished(let capabilities, let warnings): return (capabilities, warnings)
            case .refused(let fault): throw refusal(fault)
            case .exchange(let order): action = probe.answered(try probed(order))
            }
        }
    }

    private mutating func probed(_ order: ExchangeOrder) throws(RunError) -> Response {
        var attempt = 0
        while true {
            let fault: Fault
            var answer: Response?
            do throws(TransportFault) {
                let response = try client.send(order)
                fault = RetryPolicy.fault(of: response)
                // There are servers that answer 500 whenever they are asked for tags.
                let isOver = order.asksForTags && attempt == Self.tagPatience
                guard fault.isPassing, response.status >= 300, !isOver else { return response }
                answer = response
            } catch {
                fault = Fault(.transport, message: error.message)
            }
            attempt += 1
            if !order.asksForTags { wasDisturbed = true }
            guard attempt <= settings.rules.retries.retriesMax else {
                // A target that fails whenever it is asked for parts takes objects all the same.
                if let answer, order.asksForParts { return answer }
                throw refusal(fault)
            }
            pause(before: attempt, fault)
        }
    }

    private static let tagPatience = 2

    private func refusal(_ fault: Fault) -> RunError {
        let said = redaction.applied(
            to: [fault.status.map { "HTTP \($0)" }, fault.code, fault.message]
                .compactMap { $0 }.joined(separator: " "))
        return .cannotGoOn(
            "target: bucket '\(settings.target.bucket)' at \(settings.target.endpoint) takes no "
                + "objects from us: \(said)\n  check that the user of --dest-key may write objects")
    }

    private mutating func pause(before attempt: Int, _ fault: Fault) {
        let verdict = settings.rules.retries.verdict(for: fault, attempt: attempt, random: &random)
        guard case .again(let delay) = verdict else { return }
        usleep(UInt32(delay.milliseconds * 1000))
    }
}

extension Fault {
    /// A server that says so may be asked again soon; 501 and its like are what a probe wants to see.
    fileprivate var isPassing: Bool { faultClass == .throttled || faultClass == .server }
}

extension ExchangeOrder {
    fileprivate var asksForTags: Bool {
        request.query.contains { $0.name == "tagging" }
    }

    fileprivate var asksForParts: Bool {
        request.query.contains { $0.name == "uploads" || $0.name == "uploadId" }
    }
}
