//! State that several threads share, under one lock, and waiting for it to change.

internal import CLinux
internal import Glibc

/// A value behind a lock.
///
/// On pthreads rather than on `Synchronization.Mutex`: that has no condition to wait for, and the thread sanitizer
/// does not see it.
public final class Monitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var state: State

    public init(_ state: sending State) {
        self.state = state
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        // Whoever holds it needs it for less time than a sleep takes, so it is tried some times before that.
        pthread_mutexattr_settype(&attributes, linux_mutex_adaptive)
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body`, which alone sees the state meanwhile.
    public func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` under the lock, now and each time the condition is told of, until it gives something.
    public func wait<Result>(
        for condition: Condition, until body: (inout State) -> Result?
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            condition.wait(mutex)
        }
    }

    /// Waits until `isReady` or the time is over, and then runs `body` under the same lock.
    public func wait<Result>(
        for condition: Condition, atMost timeout: Duration? = nil, until isReady: (State) -> Bool,
        then body: (inout State) -> Result
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let deadline = timeout.map(Condition.deadline(after:))
        while !isReady(state), condition.wait(mutex, until: deadline) {}
        return body(&state)
    }
}

/// Something that threads wait for, under the lock of one monitor, and that others tell them of.
public final class Condition: @unchecked Sendable {
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A time limit shall not move when somebody sets the time of day.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Lets one of those who wait look again.
    public func wakeOne() {
        pthread_cond_signal(condition)
    }

    /// Lets all who wait look again.
    public func wakeAll() {
        pthread_cond_broadcast(condition)
    }

    /// False when the time is over; may return for no reason at all.
    @discardableResult
    fileprivate func wait(
        _ mutex: UnsafeMutablePointer<pthread_mutex_t>, until deadline: timespec? = nil
    ) -> Bool {
        guard var deadline else { return pthread_cond_wait(condition, mutex) == 0 }
        return pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT
    }

    fileprivate static func deadline(after timeout: Duration) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        return time
    }
}
