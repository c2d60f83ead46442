//! One directory from the kernel, and the ways in which it can be gone.

import CLinux
import Glibc
import Linux
import Testing

@testable import Finder

struct DirectoryReaderTests {
    static func reader(
        _ folder: TestFolder, _ selection: Selection = Selection(), stop: StopFlag = StopFlag()
    ) throws -> DirectoryReader {
        DirectoryReader(
            root: try RootDirectory(folder.tree), selection: selection, stop: stop,
            tally: SharedTally())
    }

    @Test func saysWhatVanished() throws {
        let folder = try TestFolder()
        try folder.makeFile("file")
        try folder.makeDirectory("real")
        try folder.makeDirectory("real/inner")
        try #require(symlink("real", folder.tree + "/link") == 0)
        let reader = try Self.reader(folder)
        // Gone; now a file; now a link; below what is now a link: a directory when its parent was read.
        for path in ["gone/", "file/", "link/", "link/inner/"] {
            #expect(reader.contents(of: Array(path.utf8)).outcome == .vanished, "\(path)")
        }
        #expect(reader.contents(of: Array("real/inner/".utf8)).outcome == .read)
    }

    @Test func aRootThatVanishesIsNoEmptyTree() throws {
        let folder = try TestFolder()
        let reader = try Self.reader(folder)
        try #require(rmdir(folder.tree) == 0)
        let contents = reader.contents(of: [])
        #expect(contents.outcome == .unreadable(SystemError(code: ENOENT)))
    }

    @Test func saysWhatIsUnreadable() throws {
        let folder = try TestFolder()
        let path = [UInt8](repeating: UInt8(ascii: "n"), count: 300) + Array("/".utf8)
        let contents = try Self.reader(folder).contents(of: path)
        #expect(contents.outcome == .unreadable(SystemError(code: ENAMETOOLONG)))
    }

    @Test func stopsReadingWhenTheUserWants() throws {
        let folder = try TestFolder()
        try folder.makeFile("file")
        let stop = StopFlag()
        stop.raise()
        let contents = try Self.reader(folder, stop: stop).contents(of: [])
        #expect(contents.outcome == .unreadable(.interruptedByUser))
    }

    /// A signal ends a call of the kernel with what it has by then, which is no end of the directory.
    @Test func readsAllWhileSignalsCome() throws {
        let folder = try TestFolder()
        for number in 0..<3000 { try folder.makeFile("a-name-of-some-length-\(number)") }
        let reader = try Self.reader(folder)
        signal(SIGURG) { _ in }
        // The threads of tests have all signals blocked.
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let (isDone, readers) = (StopFlag(), UInt(pthread_self()))
        let sender = try Thread(name: "signals") {
            while !isDone.isRaised {
                pthread_kill(pthread_t(readers), SIGURG)
                usleep(50)
            }
        }
        let counts = (0..<10).map { _ in reader.contents(of: []).listing.entries.count }
        isDone.raise()
        sender.join()
        #expect(counts.allSatisfy { $0 == 3000 }, "\(counts)")
    }

    @Test func leavesNoDescriptorOpen() throws {
        let folder = try TestFolder()
        try folder.makeDirectory("sub")
        let reader = try Self.reader(folder)
        let before = dup(0)
        close(before)
        for _ in 0..<200 {
            for path in ["", "sub/", "gone/"] { _ = reader.contents(of: Array(path.utf8)) }
        }
        let after = dup(0)
        close(after)
        // Other tests open files at the same time, but not so many.
        #expect(after <= before + 64)
    }

    @Test func cutsLongPathsBehindSlashes() {
        let path = Array("aa/bbb/c/dddd/".utf8)
        for bytesMax in 5...20 {
            let pieces = pathPieces(path, bytesMax: bytesMax)
            #expect(Array(pieces.joined()) == path)
            #expect(pieces.allSatisfy { $0.count <= bytesMax && $0.last == UInt8(ascii: "/") })
        }
        #expect(pathPieces(path, bytesMax: 14).count == 1)
        #expect(pathPieces(path, bytesMax: 13).count == 2)
        // A name that is too long alone stays whole, for the kernel to refuse.
        #expect(pathPieces(Array("toolong/".utf8), bytesMax: 4).count == 1)
    }
}
