//! The directory that is listed, and the way to any directory below it.

internal import CLinux
internal import Glibc
internal import Linux
internal import Synchronization

/// The root of the tree. Everything below is opened relative to it, so that renaming the root or mounting something
/// over it meanwhile changes nothing.
final class RootDirectory: Sendable {
    private let descriptor: Descriptor
    /// What `OpenDirectory` has for directories in the root's mount.
    private let endOffset: Int64?
    /// Until the first time that it is denied.
    private let keepsAccessTimes = Atomic(true)
    /// Absolute and without symbolic links.
    let path: String

    /// Opens the directory; a symbolic link to it is followed, the only one that is.
    init(_ path: String) throws(SystemError) {
        descriptor = try openDirectory(path)
        endOffset = knownEndOffset(of: descriptor)
        self.path = try absolutePath(path)
    }

    /// Opens a directory by its path from the root: empty for the root, else with a slash at the end.
    ///
    /// No descriptor is kept for a level of the tree, however deep it is: each directory is opened from the root, in
    /// one call unless its path is longer than the kernel takes. A symbolic link anywhere on the way was put there
    /// after its directory was read; it is not followed but an error that means "vanished".
    func open(_ path: [UInt8]) throws(SystemError) -> OpenDirectory {
        guard path.count > Limits.pathPieceBytesMax else {
            return try openAtOnce(path.isEmpty ? [UInt8(ascii: ".")] : path[...])
        }
        let pieces = pathPieces(path)
        var directory = try open(pieces[0], in: descriptor, isLast: pieces.count == 1)
        for index in pieces.indices.dropFirst() {
            let isLast = index == pieces.count - 1
            directory = try open(pieces[index], in: directory, isLast: isLast)
        }
        return OpenDirectory(descriptor: directory, endOffset: nil)
    }

    /// Opens a directory whose path one call takes, and finds out whether it lies where the root lies.
    private func openAtOnce(_ path: ArraySlice<UInt8>) throws(SystemError) -> OpenDirectory {
        guard let endOffset else {
            return OpenDirectory(
                descriptor: try open(path, in: descriptor, isLast: true), endOffset: nil)
        }
        do throws(SystemError) {
            return OpenDirectory(
                descriptor: try openGuarded(
                    path, in: descriptor.number, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV),
                endOffset: endOffset)
        } catch  where [EXDEV, ENOSYS, EPERM].contains(error.code) {
            // Another file system is mounted on the way, or the kernel cannot tell.
            return OpenDirectory(
                descriptor: try open(path, in: descriptor, isLast: true), endOffset: nil)
        }
    }

    /// Which directory this is, under whatever path.
    func identity() throws(SystemError) -> FileIdentity {
        FileIdentity(try descriptor.status())
    }

    private func open(
        _ piece: ArraySlice<UInt8>, in directory: borrowing Descriptor, isLast: Bool
    ) throws(SystemError) -> Descriptor {
        let number = directory.number
        do throws(SystemError) {
            return try isLast
                ? openGuarded(piece, in: number, RESOLVE_NO_SYMLINKS)
                : openGuarded(piece, in: number, RESOLVE_NO_SYMLINKS, flags | linux_path_only)
        } catch  where [ENOSYS, EPERM].contains(error.code) {
            // Before Linux 5.6, and in containers that know no newer call: only the last name is guarded.
            let flags = isLast ? flags : flags | linux_path_only
            return Descriptor(try check { withName(piece) { openat(number, $0, flags) } })
        }
    }

    /// Opens for reading, without a new access time where that is allowed: listing a tree should not make its file
    /// system write, which takes longer than to read. Only the owner of a directory may ask for it (open(2)).
    private func openGuarded(
        _ piece: ArraySlice<UInt8>, in directory: Int32, _ resolve: Int32
    ) throws(SystemError) -> Descriptor {
        guard keepsAccessTimes.load(ordering: .relaxed) else {
            return try openGuarded(piece, in: directory, resolve, flags)
        }
        do throws(SystemError) {
            return try openGuarded(piece, in: directory, resolve, flags | linux_no_access_time)
        } catch  where error.code == EPERM {
            keepsAccessTimes.store(false, ordering: .relaxed)
            return try openGuarded(piece, in: directory, resolve, flags)
        }
    }

    private func openGuarded(
        _ piece: ArraySlice<UInt8>, in directory: Int32, _ resolve: Int32, _ flags: Int32
    ) throws(SystemError) -> Descriptor {
        Descriptor(
            try check {
                withName(piece) {
                    linux_openat2(directory, $0, UInt64(flags), UInt64(resolve))
                }
            })
    }
}

private let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW

/// Runs `body` with the bytes and a NUL behind them.
private func withName(
    _ bytes: ArraySlice<UInt8>, _ body: (UnsafePointer<CChar>) -> Int32
) -> Int32 {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { name in
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(name).copyMemory(from: $0) }
        name.initializeElement(at: bytes.count, to: 0)
        return name.baseAddress.map { body(UnsafePointer($0)) } ?? -1
    }
}

/// A file's place in the world: two paths with the same are one file (inode(7)).
struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t

    init(_ status: stat) {
        device = status.st_dev
        inode = status.st_ino
    }
}

func openDirectory(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(try check { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
}

private func absolutePath(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError(code: errno) }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// Cuts a path that ends with a slash behind slashes, so that each piece is short enough for one call.
func pathPieces(
    _ path: [UInt8], bytesMax: Int = Limits.pathPieceBytesMax
) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = path[...]
    while rest.count > bytesMax {
        // Without a slash one name alone is too long: the kernel shall say so.
        guard let slash = rest.prefix(bytesMax).lastIndex(of: UInt8(ascii: "/")) else { break }
        pieces.append(rest[...slash])
        rest = rest[(slash + 1)...]
    }
    return rest.isEmpty ? pieces : pieces + [rest]
}
