//! State that threads share, and waiting for it to change.

internal import Glibc

/// A value behind a lock, with two conditions to wait for: one that readers wait for, one that the writer does.
///
/// pthread's, since `Synchronization.Mutex` has no condition to wait for.
final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let forReaders = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let forWriter = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    enum Waiter {
        case reader, writer
    }

    init(_ state: sending State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(forReaders, nil)
        pthread_cond_init(forWriter, nil)
    }

    deinit {
        pthread_cond_destroy(forWriter)
        pthread_cond_destroy(forReaders)
        pthread_mutex_destroy(mutex)
        forWriter.deallocate()
        forReaders.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Runs `body` now and after each wake-up until it gives something.
    func wait<Result>(as waiter: Waiter, until body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            pthread_cond_wait(condition(of: waiter), mutex)
        }
    }

    func wakeOne(_ waiter: Waiter) {
        pthread_cond_signal(condition(of: waiter))
    }

    func wakeAll(_ waiter: Waiter) {
        pthread_cond_broadcast(condition(of: waiter))
    }

    private func condition(of waiter: Waiter) -> UnsafeMutablePointer<pthread_cond_t> {
        switch waiter {
        case .reader: forReaders
        case .writer: forWriter
        }
    }
}
