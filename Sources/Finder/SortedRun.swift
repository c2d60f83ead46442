//! A sorted part of the keys that waits on the disk, in a file without a name: it vanishes with the process, however
//! that ends.

internal import Glibc
internal import Linux
internal import Migration

/// A finished run: lines of a key list, sorted, no key twice.
final class SortedRun: Sendable {
    private let descriptor: Descriptor
    private let folder: String
    let sizeBytes: Int64

    fileprivate init(_ descriptor: consuming Descriptor, folder: String, sizeBytes: Int64) {
        self.descriptor = descriptor
        self.folder = folder
        self.sizeBytes = sizeBytes
    }

    /// Fills `block` from `offset` on as far as there are bytes; gives how many.
    func read(at offset: Int64, into block: inout [UInt8]) throws(FindError) -> Int {
        do throws(SystemError) {
            return try check {
                block.withUnsafeMutableBytes {
                    pread(descriptor.number, $0.baseAddress, $0.count, off_t(offset))
                }
            }
        } catch {
            throw .cannotGoOn("cannot read a temporary file in \(folder): \(error)")
        }
    }
}

/// Writes a run.
struct RunWriter: ~Copyable {
    private let descriptor: Descriptor
    private let folder: String
    private var bytes: [UInt8] = []
    private var writtenBytes: Int64 = 0

    init(in folder: OutputFolder) throws(FindError) {
        self.folder = folder.path
        descriptor = try makeNamelessFile(in: folder.path)
    }

    mutating func append(key: Span<UInt8>, columns: Span<UInt8>) throws(FindError) {
        KeyListLine.append(key: key, columns: columns, to: &bytes)
        if bytes.count >= Limits.runBufferBytes { try flush() }
    }

    consuming func finish() throws(FindError) -> SortedRun {
        try flush()
        return SortedRun(descriptor, folder: folder, sizeBytes: writtenBytes)
    }

    private mutating func flush() throws(FindError) {
        do throws(SystemError) {
            try descriptor.write(bytes)
        } catch {
            throw .cannotGoOn(
                "cannot write a temporary file in \(folder): \(error); the sort needs about as much room there "
                    + "as the keys, and the lists as much again")
        }
        writtenBytes += Int64(bytes.count)
        bytes.removeAll(keepingCapacity: true)
    }
}

private func makeNamelessFile(in folder: String) throws(FindError) -> Descriptor {
    var template = Array("\(folder)/.sorted-run-XXXXXX".utf8CString)
    do throws(SystemError) {
        let file = Descriptor(try check { mkstemp(&template) })
        unlink(template)
        return file
    } catch {
        throw .cannotGoOn("cannot make a temporary file in \(folder): \(error)")
    }
}
