//! A file that only grows: written whole lines at a time, synced when it matters.

internal import Glibc

/// One of the logs, open for appending.
struct AppendFile: ~Copyable {
    let path: String
    private let file: Int32
    private(set) var sizeBytes: Int64
    private var isDirty = false

    /// Opens the file, making it if need be.
    init(path: String) throws(SystemError) {
        let file = try system("cannot open \(path)") {
            open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        }
        // The end of a file that is open cannot fail to be found; a pipe, which has none, is as good as empty.
        let end = lseek(file, 0, SEEK_END)
        self.path = path
        self.file = file
        self.sizeBytes = Int64(max(end, 0))
    }

    deinit {
        close(file)
    }

    mutating func append(_ bytes: [UInt8]) throws(SystemError) {
        guard !bytes.isEmpty else { return }
        isDirty = true
        try writeAll(bytes, to: file, path: path)
        sizeBytes += Int64(bytes.count)
    }

    /// Brings to the disk what was appended.
    mutating func sync() throws(SystemError) {
        guard isDirty else { return }
        let file = file
        let path = path
        try system("cannot sync \(path)") { fdatasync(file) }
        isDirty = false
    }

    /// Cuts the file off behind its first bytes.
    mutating func truncate(to count: Int64) throws(SystemError) {
        let file = file
        let path = path
        try system("cannot shorten \(path)") { ftruncate(file, Int(count)) }
        sizeBytes = count
        isDirty = true
        try sync()
    }
}

/// Writes all bytes, however many calls it takes.
func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let count = try system("cannot write \(path)") {
            bytes.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + written }, $0.count - written) }
        }
        written += count
    }
}

/// Replaces a small file as a whole: who reads it sees the old one or the new one, after a crash too.
func replaceFile(path: String, with bytes: [UInt8], isDurable: Bool) throws(SystemError) {
    let temporary = path + ".new"
    let file = try system("cannot write \(temporary)") {
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    do throws(SystemError) {
        defer { close(file) }
        try writeAll(bytes, to: file, path: temporary)
        if isDurable { try system("cannot sync \(temporary)") { fsync(file) } }
    } catch {
        unlink(temporary)
        throw error
    }
    try system("cannot rename \(temporary) to \(path)") { rename(temporary, path) }
}

/// The whole of a small file; nil when there is none.
public func readFile(path: String) throws(SystemError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
        if errno == ENOENT { return nil }
        throw SystemError("cannot read \(path)", errno: errno)
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = try system("cannot read \(path)") {
            block.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        }
        if count == 0 { return bytes }
        bytes += block[..<count]
    }
}
