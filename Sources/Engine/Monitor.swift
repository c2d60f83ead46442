//! State that several threads share, under one lock, with somebody to wait for its change.

internal import CLinux
internal import Glibc

/// A lock around a value, and a condition to wait for.
///
/// On pthreads rather than on `Synchronization.Mutex`: that has no condition, and the thread sanitizer does not see
/// it.
final class Monitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes all who wait in `wait`.
    func notify() {
        pthread_cond_broadcast(condition)
    }

    /// Waits until `isReady` or the time is over, and then runs `body` under the same lock.
    func wait<Result>(
        atMost timeout: Duration? = nil, until isReady: (State) -> Bool,
        then body: (inout State) -> Result
    ) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = timeout.map(Monitor.deadline(after:))
        while !isReady(state) {
            let code = withOptionalPointer(to: &deadline) { deadline in
                deadline.map { pthread_cond_timedwait(condition, mutex, $0) }
                    ?? pthread_cond_wait(condition, mutex)
            }
            if code == ETIMEDOUT { break }
        }
        return body(&state)
    }

    private func withOptionalPointer<Value>(
        to value: inout Value?, _ body: (UnsafePointer<Value>?) -> Int32
    ) -> Int32 {
        guard let present = value else { return body(nil) }
        return withUnsafePointer(to: present) { body($0) }
    }

    private static func deadline(after timeout: Duration) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, attoseconds) = timeout.components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        time.tv_nsec = nanoseconds % 1_000_000_000
        return time
    }
}
