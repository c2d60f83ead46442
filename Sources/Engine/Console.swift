//! What the operator sees: messages, and a progress line that does not get into their way.

internal import Glibc

/// Standard error, shared by all threads. On a terminal the progress line is rewritten in place; without one each
/// is a line of its own.
public final class Console: Sendable {
    public let isTerminal: Bool
    private let program: String
    private let progress = Monitor("")

    public init(program: String) {
        self.program = program
        isTerminal = isatty(STDERR_FILENO) == 1
    }

    /// A message of one or more lines, headed by the program's name.
    public func say(_ text: String) {
        progress.withLock { line in
            write((line.isEmpty ? "" : Console.erased) + "\(program): \(text)\n" + line)
        }
    }

    /// Shows the progress, instead of what was shown before if this is a terminal.
    public func show(progress text: String) {
        progress.withLock { line in
            guard isTerminal else { return write(text + "\n") }
            write(Console.erased + text)
            line = text
        }
    }

    /// Lets the last progress line stand, and goes on below it.
    public func endProgress() {
        progress.withLock { line in
            if !line.isEmpty { write("\n") }
            line = ""
        }
    }

    /// To the line's beginning, and erase it.
    private static let erased = "\r\u{1B}[2K"

    /// A terminal that is gone is no reason to stop, so a failed write is passed over.
    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            guard count > 0 || errno == EINTR else { return }
            written += max(count, 0)
        }
    }
}
