//! A thread that is waited for.

internal import Glibc

/// A joinable pthread. Whoever starts one must join it: libcurl's and OpenSSL's state may not outlive `main`.
struct Thread: ~Copyable {
    private let handle: pthread_t

    /// - Parameter name: for the message when it cannot be started.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(ThreadBody(body))
        let code = pthread_create(&handle, nil, runThread, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("cannot start a thread (\(name))", errno: code)
        }
        self.handle = handle
    }

    /// Lets the thread run on by itself; for one that lives as long as the process.
    consuming func detach() {
        pthread_detach(handle)
    }

    consuming func join() {
        pthread_join(handle, nil)
    }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

@c(s3migrate_run_thread)
private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let thread = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
    thread.body()
    return nil
}
