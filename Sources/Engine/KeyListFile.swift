//! A file of key lines, open for reading; the one place of the list code that meets the system.

import Glibc
import Linux
import Migration

/// An open list file. Reads name their offset, so the file itself never changes and may cross threads.
final class KeyListFile: Sendable {
    let path: String
    /// As it was when the file was opened; what is appended later is not read.
    let sizeBytes: Int64
    private let descriptor: Descriptor

    convenience init(opening path: String) throws(ListError) {
        let number = try checkList("open the list", path) { open(path, O_RDONLY | O_CLOEXEC) }
        try self.init(owning: Descriptor(number), path: path)
        _ = posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Takes over a descriptor; `path` is for messages.
    init(owning descriptor: consuming Descriptor, path: String) throws(ListError) {
        do throws(SystemError) {
            sizeBytes = Int64(try descriptor.status().st_size)
        } catch {
            throw .system("examine the list", path, error)
        }
        self.descriptor = descriptor
        self.path = path
    }

    /// Fills a range of `storage` with what the file has from `offset` on, as far as there are bytes; gives how many.
    func read(
        at offset: Int64, into storage: inout MutableSpan<UInt8>, _ room: Range<Int>
    ) throws(ListError) -> Int {
        precondition(room.lowerBound >= 0 && room.upperBound <= storage.count)
        let count = min(Int64(room.count), max(0, sizeBytes - offset))
        return try checkList("read the list", path) {
            storage.withUnsafeMutableBytes { bytes in
                let start = bytes.baseAddress.map { $0 + room.lowerBound }
                return pread(descriptor.number, start, Int(count), off_t(offset))
            }
        }
    }
}

/// The result of a system call; what it fails with becomes an error that names the operation and the path.
@discardableResult
func checkList<Result: SignedInteger>(
    _ operation: String, _ path: String, _ call: () -> Result
) throws(ListError) -> Result {
    do throws(SystemError) {
        return try check(nil, call)
    } catch {
        throw .system(operation, path, error)
    }
}

extension ListError {
    /// What the system said to an operation on a list.
    static func system(_ operation: String, _ path: String, _ error: SystemError) -> ListError {
        .failed(operation: operation, path: path, detail: error.reason)
    }
}
