//! How far a listing is, for whoever waits for it.

internal import CLinux
internal import Glibc
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

/// Does something every so many whole seconds, on a thread of its own, until it is stopped.
final class Ticker: Sendable {
    private let end: Semaphore
    private let thread: Thread

    init(every interval: Duration, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let end = Semaphore()
        self.end = end
        thread = try Thread {
            while !end.wait(for: interval) { body() }
        }
    }

    /// Returns when the last round is over; once for each ticker.
    func stop() {
        end.post()
        thread.join()
    }
}

/// A counter to wait for, with a time limit (sem_overview(7)).
private final class Semaphore: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() {
        sem_post(semaphore)
    }

    /// False when the time is over.
    func wait(for duration: Duration) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        deadline.tv_sec += time_t(duration.components.seconds)
        while true {
            if sem_timedwait(semaphore, &deadline) == 0 { return true }
            if errno != EINTR { return false }
        }
    }
}
