//! A thread of the system, which is waited for.

internal import Glibc

/// A running pthread. Swift's tasks would do, but their pool has a thread per core, and these wait for disks and
/// sockets.
///
/// Whoever starts one must join it: libcurl's and OpenSSL's state may not outlive `main`.
public struct Thread: Sendable {
    private let handle: pthread_t

    /// - Parameter name: for the message when it cannot be started.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(ThreadBody(body))
        let code = pthread_create(&handle, nil, runThread, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("cannot start a thread (\(name))", code: code)
        }
        self.handle = handle
    }

    /// Waits for the thread's end; once for each thread.
    public func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread run on by itself, instead of being joined; for one that lives as long as the process.
    public func detach() {
        pthread_detach(handle)
    }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

@c(linux_run_thread)
private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let thread = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
    thread.body()
    return nil
}
