//! A thread of the system, which is waited for.

internal import Glibc

/// A running thread. Swift's tasks would do, but their pool has a thread per core, and these wait for disks.
struct Thread: Sendable {
    private let id: pthread_t

    init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var id = pthread_t()
        let context = Unmanaged.passRetained(Body(body))
        let code = pthread_create(&id, nil, runBody, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError(code: code)
        }
        self.id = id
    }

    /// Waits for the thread's end; once for each thread.
    func join() {
        pthread_join(id, nil)
    }

    fileprivate final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}

@c(s3find_run_thread)
private func runBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Thread.Body>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
