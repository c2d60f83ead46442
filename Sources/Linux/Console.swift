//! What the operator sees: messages, and a progress line that does not get into their way.

internal import Glibc

/// Standard error, shared by all threads. On a terminal the progress line is rewritten in place; without one each
/// is a line of its own.
public final class Console: Sendable {
    /// Whether somebody may be watching.
    public let isTerminal: Bool
    private let program: String
    private let descriptor: Int32
    private let isQuiet: Bool
    /// The progress line that the cursor stands behind; empty when there is none.
    private let progress = Monitor("")

    /// - Parameters:
    ///   - program: heads every message.
    ///   - isQuiet: shows neither progress nor results, only what went wrong.
    public convenience init(program: String, isQuiet: Bool = false) {
        self.init(
            program: program, descriptor: STDERR_FILENO, isTerminal: isatty(STDERR_FILENO) == 1,
            isQuiet: isQuiet)
    }

    init(program: String, descriptor: Int32, isTerminal: Bool, isQuiet: Bool) {
        self.program = program
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        self.isQuiet = isQuiet
    }

    /// How often progress is to be shown: a terminal is told every second, a log file is not filled.
    public var progressInterval: Duration { isTerminal ? .seconds(1) : .seconds(10) }

    /// A message of one or more lines, headed by the program's name; a quiet console too says it.
    public func say(_ text: String) {
        writeAboveProgress("\(program): \(text)\n")
    }

    /// How it went, as it is.
    public func tell(_ text: String) {
        guard !isQuiet else { return }
        writeAboveProgress("\(text)\n")
    }

    /// Shows the progress, instead of what was shown before if this is a terminal.
    public func show(progress text: String) {
        guard !isQuiet else { return }
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

    private func writeAboveProgress(_ text: String) {
        progress.withLock { line in
            write((line.isEmpty ? "" : Console.erased) + text + line)
        }
    }

    /// To the line's beginning, and erase it.
    private static let erased = "\r\u{1B}[2K"

    /// A terminal that is gone is no reason to stop, so a failed write is passed over.
    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
