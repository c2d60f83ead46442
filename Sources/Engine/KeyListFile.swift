//! A file of key lines, open for reading; the one place of the list code that meets the system.

import Glibc
import Migration

/// An open list file. Reads name their offset, so the file itself never changes and may cross threads.
final class KeyListFile: Sendable {
    let path: String
    /// As it was when the file was opened; what is appended later is not read.
    let sizeBytes: Int64
    private let descriptor: Int32

    convenience init(opening path: String) throws(ListError) {
        let descriptor = try retrying("open the list", path) { open(path, O_RDONLY | O_CLOEXEC) }
        try self.init(owning: descriptor, path: path)
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Takes over a descriptor; `path` is for messages.
    init(owning descriptor: Int32, path: String) throws(ListError) {
        self.descriptor = descriptor
        self.path = path
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let failure = ListError.system("examine the list", path)
            close(descriptor)
            throw failure
        }
        sizeBytes = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills `block` from `offset` on as far as there are bytes; gives how many.
    func read(at offset: Int64, into block: inout [UInt8]) throws(ListError) -> Int {
        let rest = max(0, sizeBytes - offset)
        return try retrying("read the list", path) {
            block.withUnsafeMutableBytes { bytes in
                pread(descriptor, bytes.baseAddress, min(bytes.count, Int(rest)), off_t(offset))
            }
        }
    }
}

/// Calls until no signal interrupts (EINTR, signal(7)); a result below 0 is an error of the system.
func retrying<Result: SignedInteger>(
    _ operation: String, _ path: String, _ call: () -> Result
) throws(ListError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        guard errno == EINTR else { throw .system(operation, path) }
    }
}

extension ListError {
    /// The error that `errno` names.
    static func system(_ operation: String, _ path: String) -> ListError {
        .failed(operation: operation, path: path, detail: systemText())
    }

    /// The system's text for `errno`; glibc keeps it per thread since 2.32.
    static func systemText() -> String { String(cString: strerror(errno)) }
}
