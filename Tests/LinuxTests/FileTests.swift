//! Files on a real disk: errors that tell what was wrong, and files that are whole or not there.

import Glibc
import Linux
import Testing

struct FileTests {
    @Test(
        arguments: [
            (nil, "No such file or directory"),
            ("cannot open x", "cannot open x: No such file or directory"),
        ] as [(String?, String)])
    func errorsTellWhatWasToBeDone(what: String?, text: String) {
        let error = #expect(throws: SystemError.self) {
            try check(what) { open("/nowhere/at all", O_RDONLY) }
        }
        #expect(error == SystemError(what, code: ENOENT))
        #expect(error?.description == text)
    }

    @Test func asksAgainWhenASignalCameBetween() throws {
        var calls = 0
        let result = try check {
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : 7
        }
        #expect(result == 7)
        #expect(calls == 3)
    }

    @Test func aDescriptorClosesItself() throws {
        let number = try Self.openedAndDropped()
        #expect(fcntl(number, F_GETFD) == -1)
        #expect(errno == EBADF)
    }

    /// So high that no test beside this one is given it meanwhile.
    static func openedAndDropped() throws -> Int32 {
        let descriptor = Descriptor(try check { fcntl(0, F_DUPFD, 900) })
        return descriptor.number
    }

    @Test func aFullDiskIsAnError() throws {
        let full = Descriptor(try check { open("/dev/full", O_WRONLY) })
        let error = #expect(throws: SystemError.self) { try full.write([1], "cannot write") }
        #expect(error == SystemError("cannot write", code: ENOSPC))
    }

    @Test(arguments: [0, 1, 65_536, 65_537, 300_000])
    func readsWhatItHasWritten(byteCount: Int) throws {
        let folder = try TestFolder()
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for isDurable in [false, true] {
            try replaceFile(path: folder.path + "/file", with: bytes, isDurable: isDurable)
            #expect(try readFile(path: folder.path + "/file") == bytes)
        }
        #expect(access(folder.path + "/file.new", F_OK) != 0)
    }

    @Test func tellsNoFileFromOneThatCannotBeRead() throws {
        let folder = try TestFolder()
        #expect(try readFile(path: folder.path + "/file") == nil)
        let error = #expect(throws: SystemError.self) { try readFile(path: folder.path) }
        #expect(error == SystemError("cannot read \(folder.path)", code: EISDIR))
    }

    @Test func keepsTheOldFileWhereTheNewOneCannotBe() throws {
        let folder = try TestFolder()
        let path = folder.path + "/folder"
        try check { mkdir(path, 0o755) }
        let error = #expect(throws: SystemError.self) {
            try replaceFile(path: path, with: [1], isDurable: false)
        }
        #expect(error?.what == "cannot rename \(path).new to \(path)")
        #expect(error?.code == EISDIR)
        unlink(path + ".new")
        rmdir(path)
    }
}

/// An empty folder, removed at the end with its one file.
private final class TestFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/s3migrate-linux-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        unlink(path + "/file")
        rmdir(path)
    }
}
