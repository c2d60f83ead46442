//! The door to the kernel: one funnel for errors, and a descriptor that closes itself.

internal import CLinux
internal import Glibc

/// What the kernel answered instead of doing it.
struct SystemError: Error, Equatable {
    let code: Int32

    static let interruptedByUser = SystemError(code: ECANCELED)

    /// What was there a moment ago is gone, or something else has taken its name.
    var meansVanished: Bool { [ENOENT, ENOTDIR, ELOOP].contains(code) }
}

extension SystemError: CustomStringConvertible {
    var description: String { String(cString: strerror(code)) }
}

/// The result of a system call that answers -1 for an error; asks again where a signal came between.
@discardableResult
func check<Result: SignedInteger>(_ call: () -> Result) throws(SystemError) -> Result {
    while true {
        let result = call()
        guard result == -1 else { return result }
        guard errno == EINTR else { throw SystemError(code: errno) }
    }
}

/// An open file or directory.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        _ = Glibc.close(number)
    }

    func status() throws(SystemError) -> stat {
        var status = stat()
        try check { fstat(number, &status) }
        return status
    }

    /// Brings what was written to the disk.
    func sync() throws(SystemError) {
        try check { fsync(number) }
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try check {
                bytes.withUnsafeBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    return Glibc.write(number, rest.baseAddress, rest.count)
                }
            }
        }
    }
}
