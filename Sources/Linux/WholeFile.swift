//! Small files, read and replaced as a whole.

internal import Glibc

/// Replaces a small file as a whole: who reads it sees the old one or the new one, after a crash too if it is
/// durable. Its folder may also hold `PATH.new` for a while.
public func replaceFile(path: String, with bytes: [UInt8], isDurable: Bool) throws(SystemError) {
    let temporary = path + ".new"
    let file = Descriptor(
        try check("cannot write \(temporary)") {
            open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        })
    do throws(SystemError) {
        try file.write(bytes, "cannot write \(temporary)")
        if isDurable { try file.sync("cannot sync \(temporary)") }
    } catch {
        unlink(temporary)
        throw error
    }
    try check("cannot rename \(temporary) to \(path)") { rename(temporary, path) }
    if isDurable { try syncFolder(of: path) }
}

/// Brings to the disk that a file has its name. A file system that cannot do this for a folder need not.
private func syncFolder(of path: String) throws(SystemError) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let descriptor = Descriptor(
        try check("cannot open \(folder)") { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    do throws(SystemError) {
        try descriptor.sync("cannot sync \(folder)")
    } catch {
        guard error.code == EINVAL else { throw error }
    }
}

/// The whole of a small file; nil when there is none.
public func readFile(path: String) throws(SystemError) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else {
        if errno == ENOENT { return nil }
        throw SystemError("cannot read \(path)", code: errno)
    }
    let file = Descriptor(number)
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = try check("cannot read \(path)") {
            block.withUnsafeMutableBytes { read(file.number, $0.baseAddress, $0.count) }
        }
        if count == 0 { return bytes }
        bytes += block[..<count]
    }
}
