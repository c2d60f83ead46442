//! The one funnel for errno: which call failed, on what, and why.

internal import Glibc

/// A system call that failed.
public struct SystemError: Error, Sendable, CustomStringConvertible {
    /// What was to be done, as a sentence's beginning: "cannot write /logs/migrate.log".
    public let what: String
    public let errno: Int32

    public init(_ what: String, errno: Int32) {
        self.what = what
        self.errno = errno
    }

    public var description: String { "\(what): \(String(cString: strerror(errno)))\(remedy)" }

    private var remedy: String {
        switch errno {
        case ENOSPC, EDQUOT: " (make room, then continue with --resume)"
        case EMFILE, ENFILE: " (raise the limit of open files, ulimit -n)"
        default: ""
        }
    }
}

/// Calls until it is not interrupted by a signal; a negative result is thrown as an error.
@discardableResult
func system<Result: SignedInteger>(
    _ what: @autoclosure () -> String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let number = errno
        guard number == EINTR else { throw SystemError(what(), errno: number) }
    }
}
