//! CTRL-C and its kin.

internal import Finder
internal import Glibc

private let stopFlag = StopFlag()

/// Lets the listing end in order at the first signal, and at once at the second.
func stopOnSignals() -> StopFlag {
    // Made before the first signal may come: a handler must not be the one that makes it.
    let flag = stopFlag
    for number in [SIGINT, SIGTERM, SIGHUP] where !isIgnored(number) {
        signal(number, onSignal)
    }
    // Whoever reads standard error may leave before the end.
    signal(SIGPIPE, SIG_IGN)
    return flag
}

@c(s3find_on_signal)
private func onSignal(_ number: Int32) {
    if !stopFlag.raise() { _exit(ExitCode.interrupted.rawValue) }
}

/// What nohup and shells ignore for a program stays ignored.
private func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    return handler == unsafeBitCast(SIG_IGN, to: Int.self)
}
