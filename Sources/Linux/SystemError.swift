//! The one funnel for errno: which call failed, on what, and why.

internal import Glibc

/// A system call that failed.
public struct SystemError: Error, Equatable, Sendable {
    /// What was to be done, as a sentence's beginning: "cannot write /logs/migrate.log"; nil where only the
    /// caller knows.
    public let what: String?
    /// As in errno(3).
    public let code: Int32

    public init(_ what: String? = nil, code: Int32) {
        self.what = what
        self.code = code
    }

    /// The system's own words: "No such file or directory".
    public var reason: String {
        // glibc keeps the text per thread since 2.32.
        String(cString: strerror(code))
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String { what.map { "\($0): \(reason)" } ?? reason }
}

/// The result of a system call that answers below 0 for an error; asks again where a signal came between
/// (EINTR, signal(7)). `what` is what is to be done, for the error.
///
/// Specialised, since it is around the calls of each directory and each block, mostly in other modules.
@specialized(where Result == Int)
@specialized(where Result == Int32)
@discardableResult
public func check<Result: SignedInteger>(
    _ what: @autoclosure () -> String? = nil, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        guard code == EINTR else { throw SystemError(what(), code: code) }
    }
}
