//! A file that only grows: written whole lines at a time, synced when it matters.

internal import Glibc
internal import Linux

/// One of the logs, open for appending.
struct AppendFile: ~Copyable {
    let path: String
    private let file: Descriptor
    private(set) var sizeBytes: Int64
    private var isDirty = false

    /// Opens the file, making it if need be.
    init(path: String) throws(SystemError) {
        file = Descriptor(
            try check("cannot open \(path)") {
                open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            })
        // The end of a file that is open cannot fail to be found; a pipe, which has none, is as good as empty.
        sizeBytes = Int64(max(lseek(file.number, 0, SEEK_END), 0))
        self.path = path
    }

    mutating func append(_ bytes: [UInt8]) throws(SystemError) {
        guard !bytes.isEmpty else { return }
        isDirty = true
        let path = path
        try file.write(bytes, "cannot write \(path)")
        sizeBytes += Int64(bytes.count)
    }

    /// Brings to the disk what was appended.
    mutating func sync() throws(SystemError) {
        guard isDirty else { return }
        let (number, path) = (file.number, path)
        try check("cannot sync \(path)") { fdatasync(number) }
        isDirty = false
    }

    /// Cuts the file off behind its first bytes.
    mutating func truncate(to count: Int64) throws(SystemError) {
        let (number, path) = (file.number, path)
        try check("cannot shorten \(path)") { ftruncate(number, Int(count)) }
        sizeBytes = count
        isDirty = true
        try sync()
    }
}
