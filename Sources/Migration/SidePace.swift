//! Whether a side has become so slow that fewer transfers at once would do as well.

/// How quickly a side answers, compared with how quickly it did.
///
/// Larger objects and a longer way take longer too, and a limit that a fast server does not need would cost speed.
/// So only that counts as slower which is slow in itself, several times slower than it was, and brings less in
/// objects and in bytes, for two windows in a row.
struct SidePace: Sendable {
    private struct Window: Sendable {
        var latency: Double
        var answersPerSecond: Double
        var bytesPerSecond: Double
    }

    private var began: Instant?
    private var gathered = SideReport()
    /// What is usual, which follows what is seen slowly.
    private var usual: Window?
    private var slowCount = 0

    mutating func isMuchSlower(after report: SideReport, at now: Instant) -> Bool {
        gathered.add(report)
        let began = self.began ?? now
        self.began = began
        guard now - began >= Limits.paceWindow else { return false }
        defer { (self.began, gathered) = (now, SideReport()) }
        guard gathered.answerCount >= Limits.paceAnswersMin else { return false }
        return judge(window(of: (now - began).inSeconds))
    }

    private func window(of seconds: Double) -> Window {
        let count = Double(gathered.answerCount + gathered.throttledCount)
        return Window(
            latency: gathered.time.inSeconds / count,
            answersPerSecond: count / seconds, bytesPerSecond: Double(gathered.bytes) / seconds)
    }

    private mutating func judge(_ window: Window) -> Bool {
        guard let usual else {
            self.usual = window
            return false
        }
        let isSlow =
            window.latency >= Limits.paceLatencyMin.inSeconds
            && window.latency >= 4 * usual.latency
            && window.answersPerSecond * 2 <= usual.answersPerSecond
            && window.bytesPerSecond * 2 <= usual.bytesPerSecond
        slowCount = isSlow ? slowCount + 1 : 0
        learn(window, usual)
        return slowCount >= 2
    }

    private mutating func learn(_ window: Window, _ usual: Window) {
        func mixed(_ old: Double, _ new: Double) -> Double { old + (new - old) / 16 }
        self.usual = Window(
            latency: min(window.latency, mixed(usual.latency, window.latency)),
            answersPerSecond: mixed(usual.answersPerSecond, window.answersPerSecond),
            bytesPerSecond: mixed(usual.bytesPerSecond, window.bytesPerSecond))
    }
}
