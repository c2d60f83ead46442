//! Reads a directory from the kernel: getdents64, and stat where the selection needs it.

internal import CLinux
internal import Glibc
internal import Linux
internal import Synchronization

/// A thread's reader of directories; it keeps the buffer that the kernel writes to.
final class DirectoryReader: DirectoryReading {
    private let root: RootDirectory
    private let selection: Selection
    private let stop: StopFlag
    private let tally: SharedTally
    private let block: UnsafeMutableRawBufferPointer
    /// Here between two directories.
    private var builder: DirectoryListing.Builder?

    init(root: RootDirectory, selection: Selection, stop: StopFlag, tally: SharedTally) {
        self.root = root
        self.selection = selection
        self.stop = stop
        self.tally = tally
        block = .allocate(byteCount: Limits.directoryBlockBytes, alignment: 8)
    }

    deinit {
        block.deallocate()
    }

    func contents(of path: [UInt8]) -> DirectoryContents {
        var reading = Reading(listing: builder.take() ?? newBuilder)
        let outcome: DirectoryContents.Outcome
        do throws(SystemError) {
            let directory = try root.open(path)
            try read(directory, into: &reading)
            outcome = .read
        } catch {
            // The root is what was asked for: without it there is nothing to list.
            outcome = error.meansVanished && !path.isEmpty ? .vanished : .unreadable(error)
        }
        let listing = reading.listing.takeSorted()
        builder = reading.listing
        return DirectoryContents(
            outcome: outcome, listing: listing, isEmpty: reading.isEmpty,
            attributes: reading.attributes, left: reading.left)
    }

    private var newBuilder: DirectoryListing.Builder {
        DirectoryListing.Builder(keepsAttributes: selection.wantsAttributes)
    }

    private func read(
        _ directory: borrowing OpenDirectory, into reading: inout Reading
    ) throws(SystemError) {
        let number = directory.descriptor.number
        while true {
            let byteCount = try check { linux_getdents64(number, block.baseAddress, block.count) }
            guard byteCount > 0 else { break }
            guard !stop.isRaised else { throw .interruptedByUser }
            var entries = DirectoryBlock(UnsafeRawBufferPointer(rebasing: block[..<byteCount]))
            let filesBefore = reading.files
            while let entry = entries.next() { add(entry, of: number, to: &reading) }
            tally.found.add(reading.files - filesBefore, ordering: .relaxed)
            if entries.offset == directory.endOffset { break }
        }
        if reading.isEmpty && selection.wantsMarkers {
            reading.attributes = try FileAttributes(directory.descriptor.status())
        }
    }

    private func add(_ entry: DirectoryBlock.Entry, of directory: Int32, to reading: inout Reading)
    {
        reading.isEmpty = false
        var kind = entry.kind
        var attributes: FileAttributes?
        if selection.needsAttributes(of: kind) {
            do throws(SystemError) {
                let known = try FileAttributes(of: entry.name, in: directory)
                (kind, attributes) = (known.kind, known)
            } catch {
                return reading.leaveOut(entry, error)
            }
        }
        add(entry, kind: kind, attributes: attributes, to: &reading)
    }

    private func add(
        _ entry: DirectoryBlock.Entry, kind: EntryKind, attributes: FileAttributes?,
        to reading: inout Reading
    ) {
        switch kind {
        case .directory:
            reading.listing.append(name: entry.name, isDirectory: true)
        case .file:
            guard attributes.map(selection.admits) ?? true else {
                return reading.left.filteredOut += 1
            }
            reading.files += 1
            reading.listing.append(name: entry.name, isDirectory: false, attributes: attributes)
        default:
            reading.left.count(kind)
        }
    }
}

/// What is known of a directory while it is read.
private struct Reading {
    var listing: DirectoryListing.Builder
    var isEmpty = true
    var files = 0
    var attributes: FileAttributes?
    var left = LeftOut()

    mutating func leaveOut(_ entry: DirectoryBlock.Entry, _ error: SystemError) {
        if error.meansVanished {
            left.vanished += 1
        } else {
            left.unreadable.append(LeftOut.Unreadable(name: Array(entry.name), error: error))
        }
    }
}

extension EntryKind {
    /// From `st_mode` (inode(7)).
    fileprivate init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        case S_IFBLK, S_IFCHR: self = .device
        case S_IFSOCK: self = .socket
        case S_IFIFO: self = .fifo
        default: self = .unknown
        }
    }
}

extension FileAttributes {
    /// `name` must be followed by a NUL.
    fileprivate init(of name: UnsafeRawBufferPointer, in directory: Int32) throws(SystemError) {
        var status = stat()
        try check {
            name.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { fstatat(directory, $0, &status, AT_SYMLINK_NOFOLLOW) } ?? -1
            }
        }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        self.init(
            kind: EntryKind(mode: status.st_mode), sizeBytes: Int64(status.st_size),
            modifiedSeconds: Int64(status.st_mtim.tv_sec),
            changedSeconds: Int64(max(status.st_mtim.tv_sec, status.st_ctim.tv_sec)))
    }
}

extension SystemError {
    static let interruptedByUser = SystemError(code: ECANCELED)

    /// What was there a moment ago is gone, or something else has taken its name.
    var meansVanished: Bool { [ENOENT, ENOTDIR, ELOOP].contains(code) }
}
