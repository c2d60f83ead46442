//! What a second pass is to take: the keys whose last word is `fail`.

import Glibc
import Migration
import S3
import Testing

@testable import Engine

@Suite struct StillFailedTests {
    private let folder = TestFolder()

    /// A log folder whose migrate.log says this: `a+ b- c?` for copied, failed, skipped.
    private func log(_ name: String, _ words: String) -> String {
        let lines = words.split(separator: " ").map { word in
            let key = String(word.dropLast())
            let outcome =
                switch word.last {
                case "-": "fail"
                case "?": "skip-up"
                default: "copied"
                }
            return "\(key)\t\(outcome)\t-\t-\t-\t0\n"
        }
        return folder.folder(name, ["migrate.log": lines.joined()])
    }

    private func stillFailed(_ folders: [String]) throws(LogFolderError) -> [String] {
        var failed = try StillFailed(folders: folders)
        var keys: [String] = []
        while let key = try failed.next() { keys.append(key.description) }
        return keys
    }

    /// A run that was interrupted and never resumed has failures that migrate.log does not tell of yet.
    @Test func knowsWhatAnInterruptedRunLeftAhead() throws {
        let interrupted = log("1", "a- b+")
        folder.write(
            "f\tcopied\t-\t-\t-\t0\ne\tfail\t-\t-\t-\t0\nd\tfail\t-\t-\t-\t0\ntorn",
            to: "\(interrupted)/ahead.log")
        #expect(try stillFailed([interrupted]) == ["a", "d", "e"])
        #expect(try stillFailed([interrupted, log("2", "a+ e+")]) == ["d"])
    }

    @Test func givesTheFailedKeysOfOneLog() throws {
        #expect(try stillFailed([log("1", "a- b+ c- d? e-")]) == ["a", "c", "e"])
        #expect(try stillFailed([log("2", "a+")]) == [])
        #expect(try stillFailed([log("3", "")]) == [])
        #expect(try stillFailed([]) == [])
    }

    @Test func letsTheLaterLogHaveTheLastWord() throws {
        let first = log("1", "a- b- c- d+ e-")
        let second = log("2", "a+ b- d- f-")
        #expect(try stillFailed([first, second]) == ["b", "c", "d", "e", "f"])
        #expect(try stillFailed([second, first]) == ["a", "b", "c", "e", "f"])
        let third = log("3", "b+ c? f+")
        #expect(try stillFailed([first, second, third]) == ["d", "e"])
    }

    @Test func takesTheSameLogTwice() throws {
        let first = log("1", "a- b-")
        #expect(try stillFailed([first, first]) == ["a", "b"])
    }

    @Test func takesATornTailForTheEnd() throws {
        let path = folder.folder("1", ["migrate.log": "a\tfail\t-\t-\t-\t0\nb\tfail\t-"])
        #expect(try stillFailed([path]) == ["a"])
    }

    /// What cannot be read is said: behind it there may be failed keys.
    @Test(arguments: [
        "b\tfail\t-\n", "a\tfail\t-\t-\t-\t0\n", "b\0\tfail\t-\t-\t-\t0\n",
        "b\tfail\t-\t-\tproof-of-tomorrow\t0\n", "b\tfail\t-\t-\t-\t99999999999999999999\n",
    ])
    func saysWhatItCannotRead(line: String) {
        let text = "a\tfail\t-\t-\t-\t0\n" + line + "c\tfail\t-\t-\t-\t0\n"
        let path = folder.folder("1", ["migrate.log": text])
        let error = logError { () throws(LogFolderError) in _ = try stillFailed([path]) }
        #expect(error?.description.contains("migrate.log, line 2: ") == true)
    }

    @Test func namesTheFolderThatHasNoLog() {
        let path = folder.folder("empty")
        let error = logError { () throws(LogFolderError) in _ = try stillFailed([path]) }
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("log folders") == true)
    }
}

@Suite struct LogReportTests {
    private let folder = TestFolder()

    private func report() throws -> LogReport { try LogReport(folder: folder.path) }

    @Test func countsWhatIsGood() throws {
        folder.write(
            copied("a") + "b\tfail\t-\t-\t-\t0\n" + copied("c"), to: folder.file("migrate.log"))
        folder.write(copied("z") + copied("y"), to: folder.file("ahead.log"))
        folder.write(failedLine("b"), to: folder.file("failed.log"))
        let report = try report()
        #expect(report.isGood)
        #expect(report.text.contains("good: 3 lines, sorted, no key twice copied=2 fail=1"))
        #expect(report.text.contains("ahead.log: good: 2 lines copied=2"))
        #expect(report.text.contains("failed.log: good: 1 lines"))
    }

    @Test(arguments: [
        ("migrate.log", copied("b") + copied("a"), "line 2: the key 'a' is not above"),
        ("migrate.log", copied("a") + copied("a"), "line 2"),
        ("migrate.log", copied("a") + "b", "line 2: the line has no end"),
        ("ahead.log", copied("a") + "\n", "line 2: the line has 1 fields"),
        ("failed.log", failedLine("a") + copied("b"), "line 2: not a line of failed.log"),
        ("failed.log", failedLine("a") + "b", "line 2"),
    ])
    func namesTheFirstBadLine(name: String, text: String, words: String) throws {
        folder.write(copied("a"), to: folder.file("migrate.log"))
        folder.write(text, to: folder.file(name))
        let report = try report()
        #expect(!report.isGood)
        #expect(report.text.contains("\(name), \(words)"), "\(report.text)")
        #expect(try folder.text(name) == text, "a check changes nothing")
    }

    @Test func goesOnToTheOtherLogs() throws {
        folder.write("bad\n", to: folder.file("migrate.log"))
        folder.write("bad\n", to: folder.file("failed.log"))
        let text = try report().text
        #expect(text.contains("migrate.log, line 1") && text.contains("failed.log, line 1"))
    }

    @Test(arguments: ["", "/no/where"])
    func wantsALog(below: String) {
        let path = folder.path + below
        let error = logError { () throws(LogFolderError) in _ = try LogReport(folder: path) }
        #expect(error?.description.contains(path) == true)
    }
}
