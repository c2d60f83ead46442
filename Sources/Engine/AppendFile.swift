//! A file that only grows: written whole lines at a time, synced when it matters.

internal import Glibc
internal import Linux

/// One of the logs, open for appending.
struct AppendFile: ~Copyable {
    let path: String
    private let file: Descriptor
    private(set) var sizeBytes: Int64
    /// As far as this is known to be on the disk.
    private var syncedBytes: Int64
    private var isDirty = false

    /// Opens the file, making it if need be.
    init(path: String) throws(SystemError) {
        file = Descriptor(
            try check("cannot open \(path)") {
                open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            })
        // The end of a file that is open cannot fail to be found; a pipe, which has none, is as good as empty.
        sizeBytes = Int64(max(lseek(file.number, 0, SEEK_END), 0))
        syncedBytes = sizeBytes
        self.path = path
    }

    mutating func append(_ bytes: [UInt8]) throws(SystemError) {
        guard !bytes.isEmpty else { return }
        isDirty = true
        let path = path
        try file.write(bytes, "cannot write \(path)")
        sizeBytes += Int64(bytes.count)
    }

    /// Brings to the disk what was appended. After an error the file is not to be used any more.
    mutating func sync() throws(SystemError) {
        guard isDirty else { return }
        let (number, path) = (file.number, path)
        do throws(SystemError) {
            try check("cannot sync \(path)") { fdatasync(number) }
        } catch {
            dropUnsynced()
            throw error
        }
        isDirty = false
        syncedBytes = sizeBytes
        try checkIsThere()
    }

    /// The kernel takes what it failed to write for written: who reads it now is given it, and a second sync would
    /// succeed without a word. So nobody shall read it. A disk that refuses even that cannot be helped.
    private func dropUnsynced() {
        _ = ftruncate(file.number, Int(syncedBytes))
    }

    /// A file that was removed takes all that is written to it, and nobody will ever read it.
    private func checkIsThere() throws(SystemError) {
        let isRemoved = try file.status().st_nlink == 0
        guard isRemoved || access(path, F_OK) != 0 else { return }
        throw SystemError(
            "\(path) was removed or moved away while the run wrote to it (put it back and continue with "
                + "--resume, or begin anew)", code: ENOENT)
    }

    /// Cuts the file off behind its first bytes.
    mutating func truncate(to count: Int64) throws(SystemError) {
        let (number, path) = (file.number, path)
        try check("cannot shorten \(path)") { ftruncate(number, Int(count)) }
        sizeBytes = count
        syncedBytes = min(syncedBytes, count)
        isDirty = true
        try sync()
    }
}
