//! What failed.log knows of our damaged copies, on its way to a later pass.

import Migration
import S3
import Testing

@Suite struct DamagedCopiesTests {
    private func line(_ key: String, _ faultClass: FaultClass, _ etag: String?) -> FailedLogLine {
        FailedLogLine(
            key: ObjectKey(key),
            failure: Failure(
                stage: .put, faultClass: faultClass, attempts: 1, ourETag: etag.map { ETag($0) },
                message: "m"))
    }

    private func copies(_ lines: FailedLogLine...) -> DamagedCopies {
        var copies = DamagedCopies()
        for line in lines { copies.take(line) }
        return copies
    }

    @Test func remembersTheLastObjectOfOurs() {
        let copies = copies(
            line("a", .damaged, "1"), line("b", .denied, nil), line("a", .damaged, "2"),
            line("c", .damaged, "3"), line("c", .transport, nil))
        #expect(copies[ObjectKey("a")]?.text == "2")
        #expect(copies[ObjectKey("b")] == nil)
        #expect(copies[ObjectKey("c")]?.text == "3", "it is still there, whatever failed since")
    }

    @Test(arguments: ["a", "tab\there", "\\back", "line\nbreak", "é"])
    func comesBackAsItWasWritten(key: String) {
        let copies = copies(line(key, .damaged, "e-2"))
        var text: [UInt8] = []
        copies.append(ObjectKey(key), to: &text)
        copies.append(ObjectKey("unknown"), to: &text)
        var back = DamagedCopies()
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let isTaken = back.take(Array(line).span)
            #expect(isTaken)
        }
        #expect(back == copies)
    }

    @Test(arguments: ["", "a", "a\t", "\te", "a\te\tf", "\\q\te"])
    func takesNothingElse(line: String) {
        var copies = DamagedCopies()
        let isTaken = copies.take(Array(line.utf8).span)
        #expect(!isTaken && copies.isEmpty)
    }
}
