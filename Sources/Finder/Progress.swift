//! How far a listing is, for whoever waits for it.

internal import Linux
internal import Synchronization

/// A moment of a listing.
struct Progress: Equatable {
    /// Lines written.
    var objects: Int
    /// Directories written; they are the ones behind these lines.
    var directories: Int
    /// Files found by those who read ahead.
    var found: Int
    var elapsed: Duration

    /// `obj=1234567 dirs=4567 found=1300000 (45678.9/s) 0h:01m:10s`; the rate is that of the finding since the start.
    var line: String {
        let seconds = max(elapsed / .seconds(1), 0.001)
        let tenths = Int((Double(found) / seconds * 10).rounded())
        return "obj=\(objects) dirs=\(directories) found=\(found) "
            + "(\(tenths / 10).\(tenths % 10)/s) \(clockText(elapsed))"
    }
}

extension Progress {
    init(_ tally: SharedTally, elapsed: Duration) {
        self.init(
            objects: tally.objects.load(ordering: .relaxed),
            directories: tally.directories.load(ordering: .relaxed),
            found: tally.found.load(ordering: .relaxed), elapsed: elapsed)
    }
}

/// `2h:03m:04s`
func clockText(_ duration: Duration) -> String {
    let seconds = duration.components.seconds
    let twoDigits = { (value: Int64) in value < 10 ? "0\(value)" : "\(value)" }
    return "\(seconds / 3600)h:\(twoDigits(seconds / 60 % 60))m:\(twoDigits(seconds % 60))s"
}

/// Does something now and then, on a thread of its own, until it is stopped.
final class Ticker: Sendable {
    private let isStopped: Monitor<Bool>
    private let stopped: Condition
    private let thread: Thread

    init(every interval: Duration, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let (isStopped, stopped) = (Monitor(false), Condition())
        self.isStopped = isStopped
        self.stopped = stopped
        thread = try Thread(name: "progress") {
            while !isStopped.wait(for: stopped, atMost: interval, until: { $0 }, then: { $0 }) {
                body()
            }
        }
    }

    /// Returns when the last round is over; once for each ticker.
    func stop() {
        isStopped.withLock { $0 = true }
        stopped.wakeAll()
        thread.join()
    }
}
