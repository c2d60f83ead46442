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

    /// Begins to wait. Call it on the main thread before any other is started: they inherit what is blocked.
    public init(whenIdle: @escaping @Sendable (_ name: String) -> Void) throws(SystemError) {
        signal(SIGPIPE, SIG_IGN)
        var set = Signals.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let state = state
        try Thread(name: "signals") { Signals.wait(state, whenIdle) }.detach()
    }

    /// Who is told from now on; nil for nobody.
    public func tell(_ receiver: (@Sendable (_ name: String, _ count: Int) -> Void)?) {
        state.withLock { $0.receiver = receiver }
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in names.keys { sigaddset(&set, signal) }
        return set
    }

    private static let names: [Int32: String] = [
        SIGINT: "CTRL-C", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP",
    ]

    private static func wait(
        _ state: Monitor<State>, _ whenIdle: @Sendable (_ name: String) -> Void
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
