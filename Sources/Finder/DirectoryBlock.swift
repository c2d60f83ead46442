//! The form in which the kernel gives the entries of a directory.

internal import CLinux
internal import Glibc

/// What one getdents64 call wrote: records of inode (8 bytes), offset (8), length (2), kind (1) and a name that ends
/// with a NUL (getdents(2), struct linux_dirent64). Swift's `dirent` would copy 256 bytes, or fewer than there are.
struct DirectoryBlock {
    struct Entry {
        /// Without its NUL, which follows it in memory.
        let name: UnsafeRawBufferPointer
        let kind: EntryKind
    }

    private var rest: UnsafeRawBufferPointer
    /// Where the kernel goes on behind the entries that were given; nil before the first.
    private(set) var offset: Int64?

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    /// The next entry but for `.` and `..`.
    mutating func next() -> Entry? {
        while !rest.isEmpty {
            let length = Int(rest.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
            precondition(length > 19 && length <= rest.count, "the kernel wrote half an entry")
            let record = UnsafeRawBufferPointer(rebasing: rest[..<length])
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
            offset = record.loadUnaligned(fromByteOffset: 8, as: Int64.self)
            let name = nameOf(record)
            guard !isDots(name) else { continue }
            return Entry(name: name, kind: EntryKind(directoryType: record[18]))
        }
        return nil
    }

    private func nameOf(_ record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let tail = UnsafeRawBufferPointer(rebasing: record[19...])
        let count = tail.withMemoryRebound(to: CChar.self) { text in
            text.baseAddress.map { strnlen($0, text.count) } ?? 0
        }
        return UnsafeRawBufferPointer(rebasing: tail[..<count])
    }

    private func isDots(_ name: UnsafeRawBufferPointer) -> Bool {
        name.count <= 2 && name.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}

extension EntryKind {
    /// From `d_type` (getdents(2)).
    fileprivate init(directoryType type: UInt8) {
        switch Int(type) {
        case Int(DT_REG): self = .file
        case Int(DT_DIR): self = .directory
        case Int(DT_LNK): self = .symbolicLink
        case Int(DT_BLK), Int(DT_CHR): self = .device
        case Int(DT_SOCK): self = .socket
        case Int(DT_FIFO): self = .fifo
        default: self = .unknown
        }
    }
}
