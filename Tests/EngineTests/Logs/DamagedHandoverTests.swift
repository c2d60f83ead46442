//! Damaged copies go from failed.log to a hidden file beside the list, and from there into the next pass.

import Migration
import S3
import Testing

@testable import Engine

@Suite struct DamagedHandoverTests {
    private let folder = TestFolder()

    @Test func goesFromTheLogsToTheNextPass() throws {
        let first = folder.folder(
            "1",
            [
                "failed.log":
                    "a\tput\tdamaged\t-\t-\t1\taa\tm\nb\tput\tdenied\t403\t-\t1\t-\tm\n"
                    + "c\tput\tdamaged\t-\t-\t1\tcc\tm\ntorn\tput\tdamaged\t-\t-\t1\ttt"
            ])
        let second = folder.folder("2", ["failed.log": "c\tput\tdamaged\t-\t-\t1\tc2\tm\n"])
        let third = folder.folder("3")
        let known = try DamagedHandover.known(in: [first, second, third])
        var lines: [UInt8] = []
        for key in ["b", "c", "torn"] { known.append(ObjectKey(key), to: &lines) }
        let list = folder.folder("list")
        try DamagedHandover.write(lines, toList: list)
        let read = try DamagedHandover.read(besideLists: [third, list])
        #expect(read[ObjectKey("c")]?.text == "c2")
        #expect(read[ObjectKey("a")] == nil, "it is not among the failed any more")
        #expect(read[ObjectKey("torn")] == nil)
    }

    @Test func writesNoFileForNothing() throws {
        let list = folder.folder("list")
        try DamagedHandover.write([], toList: list)
        #expect(try DamagedHandover.read(besideLists: [list]).isEmpty)
    }

    @Test func saysWhatItCannotRead() {
        let list = folder.folder("list", [".damaged": "a\taa\nnonsense\n"])
        let error = logError { () throws(LogFolderError) in
            _ = try DamagedHandover.read(besideLists: [list])
        }
        #expect(error?.description.contains(".damaged") == true)
    }
}
