//! Where a run begins: what the folder must be, and what a crash may have left in it.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct LogFolderTests {
    private let folder = TestFolder()

    private func begin(_ start: LogFolder.Start) throws(LogFolderError) -> LogFolder.Earlier {
        try LogFolder(path: folder.path).begin(start)
    }

    // MARK: - Who may use it

    @Test func isUsedByOneAtATime() throws {
        let first = try LogFolder(path: folder.path)
        let error = logError { () throws(LogFolderError) in _ = try LogFolder(path: folder.path) }
        #expect(error?.isUsage == true)
        #expect(error?.description.contains("used by another") == true)
        #expect(first.path == folder.path)
    }

    @Test func isFreeAgainAfterUse() throws {
        for _ in 0..<3 { _ = try LogFolder(path: folder.path).begin(.fresh) }
    }

    @Test func isMadeWhereItsParentIs() throws {
        _ = try LogFolder(path: folder.file("new")).begin(.fresh)
        #expect(folder.exists("new/.s3migrate.lock"))
    }

    @Test func isNotMadeWhereNothingIs() {
        let path = folder.file("no/where")
        let error = logError { () throws(LogFolderError) in _ = try LogFolder(path: path) }
        #expect(error?.isUsage == false)
        #expect(error?.description.contains(path) == true)
    }

    @Test func cannotBeAFile() {
        folder.write("", to: folder.file("file"))
        let path = folder.file("file")
        let error = logError { () throws(LogFolderError) in _ = try LogFolder(path: path) }
        #expect(error?.description.contains(path) == true)
    }

    @Test func hasATokenOfItsOwn() throws {
        let other = TestFolder()
        let token = try LogFolder(path: folder.path).token
        #expect(try LogFolder(path: folder.path + "/.").token == token)
        #expect(try LogFolder(path: other.path).token != token)
    }

    // MARK: - Where a run begins

    @Test func beginsAfreshInAnEmptyFolder() throws {
        for start in [LogFolder.Start.fresh, .resume] {
            let earlier = try begin(start)
            #expect(earlier.start == nil)
            #expect(earlier.ahead.isEmpty)
            #expect(earlier.repairs.isEmpty)
            #expect(!earlier.isContinued)
        }
    }

    @Test func refusesToBeginAfreshWhereALogIs() throws {
        folder.write(copied("a"), to: folder.file("migrate.log"))
        let error = logError { () throws(LogFolderError) in _ = try begin(.fresh) }
        #expect(error?.isUsage == true)
        for word in ["migrate.log", "--resume", "--start-after", "--log-folder"] {
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test func refusesToBeginAfreshWhereOnlyAheadIsLeft() {
        folder.write(copied("b"), to: folder.file("ahead.log"))
        #expect(logError { () throws(LogFolderError) in _ = try begin(.fresh) }?.isUsage == true)
    }

    /// A file of that name may be another program's: the guide's own tool writes a migrate.log too.
    @Test(arguments: ["no log of ours\n", "torn", copied("a") + "torn", "\0\0\0"])
    func leavesAFileThatItCannotReadAlone(text: String) throws {
        folder.write(text, to: folder.file("migrate.log"))
        #expect(logError { () throws(LogFolderError) in _ = try begin(.fresh) }?.isUsage == true)
        #expect(try folder.text("migrate.log") == text)
    }

    /// It may be another program's, of which nothing is known.
    @Test(arguments: [LogFolder.Start.resume, .after(ObjectKey("z"))])
    func refusesToContinueALogWithoutARun(start: LogFolder.Start) throws {
        folder.write(copied("a") + "torn", to: folder.file("migrate.log"))
        let error = logError { () throws(LogFolderError) in _ = try begin(start) }
        #expect(error?.description.contains("run.json") == true)
        #expect(try folder.text("migrate.log") == copied("a") + "torn")
    }

    @Test func countsWhatFailedBefore() throws {
        folder.write("{}", to: folder.file("run.json"))
        let failed = "b\tfail\t-\t-\t-\t7\n"
        folder.write(copied("a") + failed, to: folder.file("migrate.log"))
        #expect(try begin(.resume).failed == 1)
    }

    @Test func resumesAfterTheLastKey() throws {
        folder.write("{}", to: folder.file("run.json"))
        folder.write(copied("a") + copied("\\b\\nc"), to: folder.file("migrate.log"))
        let earlier = try begin(.resume)
        #expect(earlier.start == ObjectKey("b\nc"))
        #expect(earlier.isContinued)
        #expect(earlier.repairs.isEmpty)
    }

    @Test(arguments: ["b", "c"])
    func beginsAfterAKey(key: String) throws {
        folder.write("{}", to: folder.file("run.json"))
        folder.write(copied("a") + copied("b"), to: folder.file("migrate.log"))
        #expect(try begin(.after(ObjectKey(key))).start == ObjectKey(key))
    }

    @Test func refusesToBeginBelowTheLog() {
        folder.write("{}", to: folder.file("run.json"))
        folder.write(copied("a") + copied("b"), to: folder.file("migrate.log"))
        let error = logError { () throws(LogFolderError) in _ = try begin(.after(ObjectKey("aa"))) }
        #expect(error?.isUsage == true)
        #expect(error?.description.contains("'aa'") == true)
        #expect(error?.description.contains("'b'") == true)
    }

    // MARK: - What is ahead

    @Test func knowsWhatIsAheadOfTheWatermark() throws {
        folder.write("{}", to: folder.file("run.json"))
        folder.write(copied("c"), to: folder.file("migrate.log"))
        let ahead = ["z", "b", "e", "c", "d"].map(copied).joined()
        folder.write(ahead, to: folder.file("ahead.log"))
        #expect(try begin(.resume).ahead.map(\.key.description) == ["d", "e", "z"])
        let after = try begin(.after(ObjectKey("d")))
        #expect(after.ahead.map(\.key.description) == ["e", "z"])
    }

    @Test func takesTheLaterOfTwoLines() throws {
        let lines = "k\tcopied\t1\t-\tsize\t1\nk\tskip-up\t2\t-\tsame\t1\n"
        folder.write(lines, to: folder.file("ahead.log"))
        let ahead = try begin(.resume).ahead
        #expect(ahead.count == 1)
        #expect(ahead[0].outcome == .skippedTarget)
    }

    @Test func takesTheLaterOfManyLines() throws {
        let keys = (0..<40).map { "k\($0 % 4)" }
        let lines = keys.enumerated().map { "\($1)\tcopied\t\($0)\t-\tsize\t1\n" }.joined()
        folder.write(lines, to: folder.file("ahead.log"))
        #expect(try begin(.resume).ahead.map(\.sizeBytes) == [36, 37, 38, 39])
    }
}

/// After a crash a log ends before its first bad line; the rest is cut off, and said.
@Suite struct LogRepairTests {
    private let folder = TestFolder()
    private let lines = [copied("a"), copied("\\b\\tc"), copied("long key \u{1F600}")]

    private func resume() throws -> LogFolder.Earlier {
        folder.write("{}", to: folder.file("run.json"))
        return try LogFolder(path: folder.path).begin(.resume)
    }

    /// The lines that lie whole within so many bytes.
    private func whole(_ byteCount: Int) -> [String] {
        var sum = 0
        return lines.filter { line in
            sum += line.utf8.count
            return sum <= byteCount
        }
    }

    @Test func cutsATornTailWhereverItTore() throws {
        let bytes = Array(lines.joined().utf8)
        for count in 0...bytes.count {
            folder.write(Array(bytes[..<count]), to: folder.file("migrate.log"))
            folder.write(Array(bytes[..<count]), to: folder.file("ahead.log"))
            let earlier = try resume()
            let kept = whole(count)
            #expect(try folder.text("migrate.log") == kept.joined(), "\(count)")
            #expect(try folder.text("ahead.log") == kept.joined(), "\(count)")
            let isTorn = kept.joined().utf8.count < count
            #expect(earlier.repairs.count == (isTorn ? 2 : 0), "\(count)")
            let keys = ["a", "b\tc", "long key \u{1F600}"].prefix(kept.count)
            #expect(earlier.start == keys.last.map { ObjectKey($0) }, "\(count)")
        }
    }

    static let tails: [(String, String)] = [
        ("NULs", "\0\0\0\0\0\0"), ("NULs and a newline", "\0\0\0\n"),
        ("NULs within a line", "z\tcop\0\0\0\t5\tabc\tetag\t7\n"),
        ("too few fields", "z\tcopied\t5\n"), ("too many", "z\tcopied\t5\ta\tetag\t7\t8\n"),
        ("an empty line", "\n"), ("no outcome", "z\tmoved\t5\tabc\tetag\t7\n"),
        ("a bad number", "z\tcopied\tfive\tabc\tetag\t7\n"),
        ("a bad key", "\\z\\\tcopied\t5\tabc\tetag\t7\n"),
    ]

    @Test(arguments: tails, [false, true])
    func cutsATailOfAnyKind(tail: (String, String), isFollowed: Bool) throws {
        let good = lines.joined()
        let text = good + tail.1 + (isFollowed ? "\n" + copied("zz") : "")
        for name in ["migrate.log", "ahead.log"] { folder.write(text, to: folder.file(name)) }
        let earlier = try resume()
        for name in ["migrate.log", "ahead.log"] {
            #expect(try folder.text(name) == good, "\(tail.0)")
        }
        #expect(earlier.repairs.count == 2)
        let lost = text.utf8.count - good.utf8.count
        #expect(earlier.repairs[0].contains("migrate.log: cut off \(lost) bytes"))
        #expect(try folder.text("migrate.log.cut") == String(text.dropFirst(good.count)))
        #expect(try resume().repairs.isEmpty)
    }

    @Test func cutsWhereTheOrderEnds() throws {
        let text = copied("b") + copied("a") + copied("c")
        for name in ["migrate.log", "ahead.log"] { folder.write(text, to: folder.file(name)) }
        let earlier = try resume()
        #expect(try folder.text("migrate.log") == copied("b"))
        #expect(earlier.start == ObjectKey("b"))
        // ahead.log has no order.
        #expect(try folder.text("ahead.log") == text)
        #expect(earlier.ahead.map(\.key.description) == ["c"])
    }

    @Test func cutsFailedLogToo() throws {
        let bytes = Array((failedLine("a") + failedLine("b")).utf8)
        let first = failedLine("a").utf8.count
        for count in 0...bytes.count {
            folder.write(Array(bytes[..<count]), to: folder.file("failed.log"))
            _ = try resume()
            let kept = count == bytes.count ? bytes.count : count >= first ? first : 0
            let left = try readFile(path: folder.file("failed.log"))
            #expect(left == Array(bytes[..<kept]), "\(count)")
        }
    }
}

/// run.json: a resumed run is the same run.
@Suite struct LogAdoptionTests {
    private let folder = TestFolder()

    private func identity(hashCount: Int = 1) -> RunIdentity {
        RunIdentity(
            source: RunIdentity.Place(endpoint: "http://a", bucket: "from"),
            target: RunIdentity.Place(endpoint: "http://b", bucket: "to"), sourceLists: [],
            targetLists: [], hashCount: hashCount, hashValue: 0)
    }

    private func adopt(_ identity: RunIdentity, _ start: LogFolder.Start) -> LogFolderError? {
        logError { () throws(LogFolderError) in
            try LogFolder(path: folder.path).adopt(identity, start: start)
        }
    }

    @Test func remembersTheRun() throws {
        #expect(adopt(identity(), .fresh) == nil)
        let bytes = try #require(try readFile(path: folder.file("run.json")))
        #expect(RunIdentity(decoding: bytes) == identity())
        #expect(adopt(identity(), .resume) == nil)
    }

    @Test func refusesAnotherRunAndNamesTheDifference() throws {
        #expect(adopt(identity(), .fresh) == nil)
        let error = adopt(identity(hashCount: 4), .resume)
        #expect(error?.isUsage == true)
        #expect(error?.description.contains("--hash-count: then 1, now 4") == true)
        let bytes = try #require(try readFile(path: folder.file("run.json")))
        #expect(RunIdentity(decoding: bytes) == identity(), "the refused run has left its mark")
    }

    @Test func refusesWhatItCannotRead() {
        folder.write("{}", to: folder.file("run.json"))
        #expect(adopt(identity(), .resume)?.description.contains("cannot be read") == true)
    }
}
