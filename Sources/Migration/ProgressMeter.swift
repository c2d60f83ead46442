//! Rates and the time that is left, out of the figures of the last moments.

/// Remembers the figures of the last seconds and says how quickly they grow.
public struct ProgressMeter: Sendable {
    /// What is measured at one moment.
    public struct Reading: Sendable, Equatable {
        public var downloads: Int64 = 0
        public var downloadedBytes: Int64 = 0
        public var uploads: Int64 = 0
        public var uploadedBytes: Int64 = 0
        /// How much of the work is behind us, from 0 to 1: by bytes where all sizes are known, else by objects.
        public var fraction: Double = 0

        public init() {}
    }

    /// Rates are of the last ten seconds, the estimate of the last minute: the first may jump, the second not.
    static let rateWindow = Duration.seconds(10)
    static let estimateWindow = Duration.seconds(60)

    private var readings: [(at: Instant, reading: Reading)] = []

    public init() {}

    public mutating func take(_ reading: Reading, at now: Instant) {
        readings.append((now, reading))
        // One reading from before the window stays, so that the window is always full.
        while readings.count > 2, now - readings[1].at >= ProgressMeter.estimateWindow {
            readings.removeFirst()
        }
    }

    /// How much a figure grows in a second.
    public func rate(_ figure: (Reading) -> Int64) -> Double {
        rate(over: ProgressMeter.rateWindow) { Double(figure($0)) }
    }

    /// How long the rest will take, if the last minute goes on.
    public var remaining: Duration? {
        guard let last = readings.last else { return nil }
        let perSecond = rate(over: ProgressMeter.estimateWindow, \.fraction)
        guard perSecond > 0 else { return last.reading.fraction >= 1 ? .zero : nil }
        let seconds = (1 - last.reading.fraction) / perSecond
        return seconds < 1e9 ? .seconds(Int64(max(0, seconds).rounded())) : nil
    }

    private func rate(over window: Duration, _ figure: (Reading) -> Double) -> Double {
        guard let last = readings.last,
            let first = readings.first(where: { last.at - $0.at <= window }), first.at < last.at
        else { return 0 }
        return (figure(last.reading) - figure(first.reading)) / (last.at - first.at).inSeconds
    }
}
