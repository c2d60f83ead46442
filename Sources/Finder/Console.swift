//! Standard error: complaints and the summary line by line, the progress in one line that is rewritten.

internal import Glibc

/// Where a listing tells its user how it goes.
public final class Console: Sendable {
    private let descriptor: Int32
    private let isTerminal: Bool
    private let isQuiet: Bool
    /// Whether the cursor stands behind a progress line.
    private let isInLine = Monitor(false)

    /// A quiet one shows neither progress nor summary, only what went wrong.
    public convenience init(isQuiet: Bool = false) {
        self.init(
            descriptor: STDERR_FILENO, isTerminal: isatty(STDERR_FILENO) == 1, isQuiet: isQuiet)
    }

    init(descriptor: Int32, isTerminal: Bool, isQuiet: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        self.isQuiet = isQuiet
    }

    /// A terminal is told every second, a log file is not filled.
    var progressInterval: Duration { isTerminal ? .seconds(1) : .seconds(10) }

    /// Something went wrong: always shown.
    public func warn(_ text: String) {
        isInLine.withLock { isInLine in
            if isInLine { write("\n") }
            isInLine = false
            write("s3find: \(text)\n")
        }
    }

    /// How it went.
    public func tell(_ text: String) {
        guard !isQuiet else { return }
        isInLine.withLock { isInLine in
            if isInLine { write("\n") }
            isInLine = false
            write("\(text)\n")
        }
    }

    func show(_ progress: Progress) {
        guard !isQuiet else { return }
        guard isTerminal else { return tell(progress.line) }
        isInLine.withLock { isInLine in
            isInLine = true
            // Back to the first column; behind the text, what a longer one left is cleared.
            write("\r\(progress.line)\u{1B}[K")
        }
    }

    /// Whoever closed standard error does not want to know; the listing goes on.
    private func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
