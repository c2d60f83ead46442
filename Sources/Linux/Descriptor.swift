//! An open file or directory, which closes itself.

public import Glibc

/// A file descriptor with one owner.
public struct Descriptor: ~Copyable, Sendable {
    /// For system calls; not to be closed.
    public let number: Int32

    /// Takes over a descriptor that is open.
    public init(_ number: Int32) {
        self.number = number
    }

    deinit {
        _ = Glibc.close(number)
    }

    /// As fstat(2) tells it.
    public func status() throws(SystemError) -> stat {
        var status = stat()
        try check { fstat(number, &status) }
        return status
    }

    /// Brings what was written to the disk.
    public func sync(_ what: @autoclosure () -> String? = nil) throws(SystemError) {
        try check(what()) { fsync(number) }
    }

    /// Writes all bytes, however many calls it takes.
    public func write(
        _ bytes: [UInt8], _ what: @autoclosure () -> String? = nil
    ) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try check(what()) {
                bytes.withUnsafeBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    return Glibc.write(number, rest.baseAddress, rest.count)
                }
            }
        }
    }
}
