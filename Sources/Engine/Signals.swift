//! CTRL-C and its like, taken by a thread instead of interrupting one.

internal import Glibc
public import Linux

/// Waits for SIGINT, SIGTERM and SIGHUP on a thread of its own.
///
/// They are blocked everywhere else, so no handler ever runs amid somebody's work. The thread lives as long as
/// the process: it holds nothing that the end could pull away from under it.
public final class Signals: Sendable {
    private struct State: Sendable {
        var receiver: (@Sendable (_ name: String, _ count: Int) -> Void)?
        var count = 0
    }

    private let state = Monitor(State())

    /// Begins to wait. A signal that whoever started us has us ignore (`nohup`) stays ignored.
    ///
    /// Call it on the main thread before any other is started: they inherit what is blocked.
    public init(whenIdle: @escaping @Sendable (_ name: String) -> Void) throws(SystemError) {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        for signal in Signals.names.keys where !Signals.isIgnored(signal) {
            sigaddset(&set, signal)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let (state, waited) = (state, set)
        try Thread(name: "signals") { Signals.wait(for: waited, state, whenIdle) }.detach()
    }

    /// Who is told from now on; nil for nobody.
    public func tell(_ receiver: (@Sendable (_ name: String, _ count: Int) -> Void)?) {
        state.withLock { $0.receiver = receiver }
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static let names: [Int32: String] = [
        SIGINT: "CTRL-C", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP",
    ]

    private static func wait(
        for set: sigset_t, _ state: Monitor<State>,
        _ whenIdle: @Sendable (_ name: String) -> Void
    ) {
        var set = set
        while true {
            var signal: Int32 = 0
            guard sigwait(&set, &signal) == 0, let name = names[signal] else { continue }
            let (receiver, count) = state.withLock { state in
                state.count += 1
                return (state.receiver, state.count)
            }
            if let receiver { receiver(name, count) } else { whenIdle(name) }
        }
    }
}
