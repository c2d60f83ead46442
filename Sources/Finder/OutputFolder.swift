//! The folder that a listing is written to: nothing else may be in it.

internal import CLinux
internal import Glibc
internal import Linux
internal import Migration

/// An empty directory, outside of the listed one, that this process alone fills.
final class OutputFolder: Sendable {
    let path: String
    private let descriptor: Descriptor

    /// The folder's descriptor, open as long as this is held.
    var number: Int32 { descriptor.number }

    /// Opens the folder, or makes it in a parent that must exist.
    /// - Parameter root: what is listed, which the folder must not lie in; nil where no directory is listed.
    init(_ path: String, outside root: RootDirectory?) throws(FindError) {
        self.path = path
        descriptor = try openOrMake(path, outside: root)
        try lock()
        try checkEmpty()
    }

    /// Begins a file that nobody sees under this name before it is finished.
    func newFile(_ name: String) throws(FindError) -> NewFile {
        try NewFile(name, in: self)
    }

    /// Brings the names of all finished files to the disk.
    func sync() throws(FindError) {
        do throws(SystemError) {
            try descriptor.sync()
        } catch {
            // Some file systems cannot sync a directory, and need not.
            guard error.code == EINVAL else {
                throw .cannotGoOn("cannot bring \(path) to the disk: \(error)")
            }
        }
    }

    /// Writes the last file of a listing, which must not be on the disk before the chunks' names are.
    ///
    /// - Parameter isCancelled: asked at the last moment; with true there is no manifest.
    /// - Returns: whether it was written.
    func write(
        _ manifest: Manifest, unless isCancelled: () -> Bool
    ) throws(FindError) -> Bool {
        try sync()
        var file = try newFile(Manifest.fileName)
        try file.write(manifest.encoded())
        guard !isCancelled() else { return false }
        try file.finish()
        try sync()
        return true
    }

    private func lock() throws(FindError) {
        // Where a file system has no locks there is still O_EXCL of each file.
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == -1, errno == EWOULDBLOCK else {
            return
        }
        throw .usage("another s3find is writing to \(path): wait for it, or give another folder")
    }

    private func checkEmpty() throws(FindError) {
        let found = try explained("read \(path)") { () throws(SystemError) in
            try firstName(in: descriptor, where: isListLike)
        }
        guard let found else { return }
        throw .usage(
            "\(path) is not empty (it has \(shown(found))), and lists are never mixed: "
                + "give a new or an empty folder")
    }
}

/// Hidden files are no lists, but for our own unfinished ones: those are of a listing that was killed.
private func isListLike(_ name: UnsafeRawBufferPointer) -> Bool {
    name.first != UInt8(ascii: ".") || name.suffix(8).elementsEqual(".partial".utf8)
}

private func firstName(
    in directory: borrowing Descriptor, where isMeant: (UnsafeRawBufferPointer) -> Bool
) throws(SystemError) -> [UInt8]? {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 8)
    defer { block.deallocate() }
    let number = directory.number
    while true {
        let byteCount = try check { linux_getdents64(number, block.baseAddress, block.count) }
        guard byteCount > 0 else { return nil }
        var entries = DirectoryBlock(UnsafeRawBufferPointer(rebasing: block[..<byteCount]))
        while let entry = entries.next() {
            if isMeant(entry.name) { return Array(entry.name) }
        }
    }
}

// MARK: - The place

private func openOrMake(
    _ path: String, outside root: RootDirectory?
) throws(FindError) -> Descriptor {
    if let folder = try openIfThere(path) {
        try checkOutside(root, folder, path)
        return folder
    }
    let parent = parentPath(of: path)
    let parentFolder = try explained("make \(path), its parent folder cannot be opened") {
        () throws(SystemError) in try openDirectory(parent)
    }
    // Before it is made, so that not even an empty folder is left in the tree.
    try checkOutside(root, parentFolder, path)
    return try explained("make \(path)", as: FindError.cannotGoOn) { () throws(SystemError) in
        try check { mkdir(path, 0o777) }
        return try openDirectory(path)
    }
}

private func openIfThere(_ path: String) throws(FindError) -> Descriptor? {
    do throws(SystemError) {
        return try openDirectory(path)
    } catch {
        guard error.code == ENOENT else { throw .usage("cannot use \(path) for lists: \(error)") }
        return nil
    }
}

private func checkOutside(
    _ root: RootDirectory?, _ folder: borrowing Descriptor, _ path: String
) throws(FindError) {
    guard let root else { return }
    let number = folder.number
    let isInside = try explained("find out where \(path) lies") { () throws(SystemError) in
        try lies(number, within: root.identity())
    }
    guard isInside else { return }
    throw .usage(
        "\(path) lies inside of \(root.path), so the list would list itself: "
            + "give a folder outside of it")
}

/// Climbs from the directory to the top of the file system, and looks for the root on the way.
private func lies(_ directory: Int32, within root: FileIdentity) throws(SystemError) -> Bool {
    var step = Descriptor(
        try check { openat(directory, ".", linux_path_only | O_DIRECTORY | O_CLOEXEC) })
    var identity = FileIdentity(try step.status())
    while identity != root {
        let number = step.number
        step = Descriptor(
            try check { openat(number, "..", linux_path_only | O_DIRECTORY | O_CLOEXEC) })
        let above = FileIdentity(try step.status())
        if above == identity { return false }
        identity = above
    }
    return true
}

/// The folder in which `path` is a name: `.` for a name alone, `/` for a name in the root.
func parentPath(of path: String) -> String {
    let slash = UInt8(ascii: "/")
    let bytes = Array(path.utf8)
    guard let nameEnd = bytes.lastIndex(where: { $0 != slash }) else { return "/" }
    guard let nameSlash = bytes[...nameEnd].lastIndex(of: slash) else { return "." }
    guard let parentEnd = bytes[...nameSlash].lastIndex(where: { $0 != slash }) else { return "/" }
    return String(decoding: bytes[...parentEnd], as: UTF8.self)
}

private func explained<Result: ~Copyable>(
    _ intent: String, as kind: (String) -> FindError = FindError.usage,
    _ body: () throws(SystemError) -> Result
) throws(FindError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw kind("cannot \(intent): \(error)")
    }
}
