//! How directories are opened, and what is known of their ends.

import CLinux
import Glibc
import Linux
import Testing

@testable import Finder

struct RootDirectoryTests {
    /// The offset behind each block of a directory, read until nothing comes.
    static func offsets(of directory: borrowing OpenDirectory) throws -> [Int64] {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { room.deallocate() }
        var offsets: [Int64] = []
        while true {
            let number = directory.descriptor.number
            let byteCount = linux_getdents64(number, room.baseAddress, room.count)
            try #require(byteCount >= 0)
            if byteCount == 0 { return offsets }
            var block = DirectoryBlock(UnsafeRawBufferPointer(rebasing: room[..<byteCount]))
            while block.next() != nil {}
            offsets.append(try #require(block.offset))
        }
    }

    /// What is believed of ext4, as the kernel at hand has it.
    @Test(arguments: [0, 1, 10, 100, 1000])
    func nothingFollowsTheEndOffset(files: Int) throws {
        let folder = try TestFolder()
        for number in 0..<files { try folder.makeFile("a-name-of-some-length-\(number)") }
        let directory = try RootDirectory(folder.tree).open([])
        guard let end = directory.endOffset else { return }
        let offsets = try Self.offsets(of: directory)
        #expect(offsets.last == end)
        #expect(!offsets.dropLast().contains(end))
    }

    @Test func nothingIsKnownOfTheEndInOtherFileSystems() throws {
        let root = try RootDirectory("/")
        for path in ["proc/", "proc/sys/", "sys/"] {
            #expect(try root.open(Array(path.utf8)).endOffset == nil, "\(path)")
        }
        #expect(try RootDirectory("/proc").open([]).endOffset == nil)
    }

    @Test func nothingIsKnownOfTheEndBehindALongPath() throws {
        let folder = try TestFolder()
        let name = String(repeating: "n", count: 200)
        var path: [UInt8] = []
        var parent = open(folder.tree, O_RDONLY)
        while path.count <= Limits.pathPieceBytesMax {
            try #require(mkdirat(parent, name, 0o755) == 0)
            let child = openat(parent, name, O_RDONLY)
            close(parent)
            parent = child
            path += Array("\(name)/".utf8)
        }
        close(parent)
        let root = try RootDirectory(folder.tree)
        #expect(try root.open(path).endOffset == nil)
        #expect(try root.open(path).descriptor.status().st_mode & S_IFMT == S_IFDIR)
    }

    /// Where files are mounted without access times this says nothing.
    @Test func leavesAccessTimesAlone() throws {
        let folder = try TestFolder()
        try folder.makeDirectory("sub")
        try folder.makeFile("sub/file")
        let longAgo = timespec(tv_sec: 1_000_000, tv_nsec: 0)
        let path = "\(folder.tree)/sub"
        let times = [longAgo, timespec(tv_sec: 2_000_000, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
        let reader = try DirectoryReaderTests.reader(folder)
        #expect(reader.contents(of: Array("sub/".utf8)).listing.entries.count == 1)
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_atim.tv_sec == longAgo.tv_sec)
    }
}
