//! The lines of migrate.log and failed.log, there and back.

import S3
import Testing

@testable import Migration

@Suite struct MigrateLogLineTests {
    private func text(_ line: MigrateLogLine) -> [UInt8] {
        var text: [UInt8] = []
        line.append(to: &text)
        return text
    }

    @Test(arguments: [[], .tags] as [Losses])
    func tellsThatAnotherObjectWasReplaced(losses: Losses) {
        var outcome = Outcome(.copied, sizeBytes: 1, proof: .etag, losses: losses)
        outcome.isReplacement = true
        let written = text(MigrateLogLine(key: ObjectKey("k"), outcome: outcome))
        let mark = losses.isEmpty ? "etag,replaced" : "etag,no-tags,replaced"
        #expect(String(decoding: written, as: UTF8.self) == "k\tcopied\t1\t-\t\(mark)\t0\n")
        let line = MigrateLogLine(parsing: Array(written.dropLast()).span)
        #expect(line?.isReplacement == true && line?.losses == losses && line?.proof == .etag)
        let strange = Array("k\tcopied\t1\t-\tetag,replaced,no-tags\t0".utf8)
        #expect(MigrateLogLine(parsing: strange.span) == nil)
    }

    @Test(arguments: [
        (
            Outcome(
                .copied, sizeBytes: 12, etag: ETag("abc"), proof: .etag,
                losses: [.tags, .metadata],
                elapsed: .milliseconds(34)),
            "k\tcopied\t12\tabc\tetag,no-tags,no-meta\t34\n"
        ),
        (Outcome(.skippedSource), "k\tskip-dn\t-\t-\t-\t0\n"),
        (
            Outcome(.skippedTarget, sizeBytes: 0, etag: ETag("\"x\""), proof: .differs),
            "k\tskip-up\t0\tx\tdiffers\t0\n"
        ),
        (
            Outcome(
                .failed, losses: .metadata,
                failure: Failure(stage: .get, faultClass: .tls, attempts: 1, message: "m"),
                elapsed: .microseconds(1999)),
            "k\tfail\t-\t-\t-,no-meta\t1\n"
        ),
        (Outcome(.exist), "k\texist\t-\t-\t-\t0\n"),
    ])
    func isWrittenAsTheContractSays(outcome: Outcome, expected: String) {
        let line = MigrateLogLine(key: ObjectKey("k"), outcome: outcome)
        #expect(String(decoding: text(line), as: UTF8.self) == expected)
    }

    @Test func escapesTheKeyAsListsDo() {
        let line = MigrateLogLine(key: ObjectKey("a\tb\nc"), outcome: Outcome(.exist))
        #expect(String(decoding: text(line), as: UTF8.self) == "\\a\\tb\\nc\texist\t-\t-\t-\t0\n")
    }

    @Test func keepsTheLineWholeWhateverTheServersETagIs() {
        let outcome = Outcome(.copied, etag: ETag("a\tb\nc\0d"))
        let line = text(MigrateLogLine(key: ObjectKey("k"), outcome: outcome))
        #expect(String(decoding: line, as: UTF8.self) == "k\tcopied\t-\ta b c d\t-\t0\n")
    }

    @Test(arguments: 0..<20)
    func comesBackAsItWas(seed: UInt64) throws {
        var random = ListRandom(seed: seed)
        for _ in 0..<100 {
            let line = randomLine(&random)
            let bytes = text(line)
            #expect(bytes.last == UInt8(ascii: "\n"))
            #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            let back = try #require(migrateLine(Array(bytes.dropLast())))
            #expect(back.key == line.key)
            #expect(back.outcome == line.outcome)
            #expect(back.sizeBytes == line.sizeBytes)
            #expect(back.etag == line.etag)
            #expect(back.proof == line.proof)
            #expect(back.losses == line.losses)
            #expect(back.milliseconds == line.milliseconds)
            #expect(text(back) == bytes)
        }
    }

    private func randomLine(_ random: inout ListRandom) -> MigrateLogLine {
        let kind = Outcome.Kind.allCases.randomElement(using: &random) ?? .exist
        let failure = Failure(stage: .get, faultClass: .tls, attempts: 1, message: "m")
        let isKnown = Bool.random(using: &random)
        let outcome = Outcome(
            kind, sizeBytes: isKnown ? Int64.random(in: 0...(.max), using: &random) : nil,
            etag: isKnown ? ETag("e\(Int.random(in: 0...9, using: &random))-3") : nil,
            proof: Proof.allCases.randomElement(using: &random),
            losses: Losses(rawValue: UInt8.random(in: 0...3, using: &random)),
            failure: kind.isInFailedLog ? failure : nil,
            elapsed: .milliseconds(Int64.random(in: 0...1_000_000, using: &random)))
        return MigrateLogLine(key: ObjectKey(random.keyBytes(countMax: 40)), outcome: outcome)
    }

    @Test(arguments: [
        "", "k", "k\tcopied\t1\te\tetag", "k\tcopied\t1\te\tetag\t1\t", "\tcopied\t1\te\tetag\t1",
        "k\tCopied\t1\te\tetag\t1", "k\tcopied\tx\te\tetag\t1", "k\tcopied\t-1\te\tetag\t1",
        "k\tcopied\t1\te\tsure\t1", "k\tcopied\t1\te\tetag,no-legs\t1", "k\tcopied\t1\te\t\t1",
        "k\tcopied\t1\te\tetag\t-", "k\tcopied\t1\te\tetag\t", "k\tcopied\t1\te\tetag\t1.5",
        "\\k\\\tcopied\t1\te\tetag\t1", "k\tcopied\t99999999999999999999\te\tetag\t1",
    ])
    func isNotReadOutOfAnythingElse(text: String) {
        #expect(migrateLine(Array(text.utf8)) == nil)
    }
}

@Suite struct FailedLogLineTests {
    private func text(_ line: FailedLogLine) -> String {
        var text: [UInt8] = []
        line.append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private func line(_ failure: Failure) -> FailedLogLine {
        FailedLogLine(key: ObjectKey("k"), failure: failure)
    }

    @Test func isWrittenAsTheContractSays() {
        let full = Failure(
            stage: .put, faultClass: .damaged, status: 200, code: "Odd", attempts: 3,
            ourETag: ETag("abc"), message: "what happened")
        #expect(text(line(full)) == "k\tput\tdamaged\t200\tOdd\t3\tabc\twhat happened\n")
        let least = Failure(stage: .getTags, faultClass: .badAnswer, attempts: 0, message: "")
        #expect(text(line(least)) == "k\tget-tags\tbad-answer\t-\t-\t0\t-\t-\n")
    }

    @Test func keepsTheLineWholeWhateverTheServerSays() {
        let rude = Failure(
            stage: .get, faultClass: .refused, code: "A\tB", attempts: 1,
            message: "two\nlines\tand\u{1B}[31m red \u{85}")
        let written = text(line(rude))
        #expect(written.filter { $0 == "\n" }.count == 1)
        #expect(written.filter { $0 == "\t" }.count == 7)
        #expect(!written.contains("\u{1B}"))
    }

    @Test(arguments: ["x", "é", "😀"])
    func cutsLongMessages(letter: String) {
        let long = Failure(
            stage: .get, faultClass: .refused, attempts: 1,
            message: String(repeating: letter, count: 5000))
        let written = text(line(long))
        #expect(written.utf8.count < Limits.messageBytesMax + 50)
        #expect(written.hasSuffix(letter + "\n"))
    }

    @Test(arguments: 0..<10)
    func comesBackAsItWas(seed: UInt64) throws {
        var random = ListRandom(seed: seed)
        for stage in Stage.allCases {
            for faultClass in FaultClass.allCases {
                let isKnown = Bool.random(using: &random)
                let failure = Failure(
                    stage: stage, faultClass: faultClass, status: isKnown ? 503 : nil,
                    code: isKnown ? "SlowDown" : nil, attempts: .random(in: 0...20, using: &random),
                    ourETag: isKnown ? ETag("x") : nil, message: "it was so")
                let key = ObjectKey(random.keyBytes(countMax: 40))
                var bytes: [UInt8] = []
                FailedLogLine(key: key, failure: failure).append(to: &bytes)
                let back = try #require(failedLine(Array(bytes.dropLast())))
                #expect(back.key == key)
                #expect(back.failure.stage == stage)
                #expect(back.failure.faultClass == faultClass)
                #expect(back.failure.status == failure.status)
                #expect(back.failure.code == failure.code)
                #expect(back.failure.attempts == failure.attempts)
                #expect(back.failure.ourETag == failure.ourETag)
                #expect(back.failure.message == failure.message)
            }
        }
    }

    @Test(arguments: [
        "", "k\tput\tdamaged\t200\tOdd\t3\tabc", "k\tput\tdamaged\t200\tOdd\t3\tabc\tm\t",
        "k\tPUT\tdamaged\t200\tOdd\t3\tabc\tm", "k\tput\tbroken\t200\tOdd\t3\tabc\tm",
        "k\tput\tdamaged\tok\tOdd\t3\tabc\tm", "k\tput\tdamaged\t200\tOdd\t-\tabc\tm",
        "\tput\tdamaged\t200\tOdd\t3\tabc\tm", "\\q\\q\tput\tdamaged\t200\tOdd\t3\tabc\tm",
    ])
    func isNotReadOutOfAnythingElse(text: String) {
        #expect(failedLine(Array(text.utf8)) == nil)
    }
}

@Suite struct OutcomeTests {
    @Test func trapsOnAFailureWithoutAReason() async {
        await #expect(processExitsWith: .failure) { _ = Outcome(.failed) }
    }

    @Test func trapsOnASuccessThatFailed() async {
        await #expect(processExitsWith: .failure) {
            let failure = Failure(stage: .get, faultClass: .tls, attempts: 1, message: "m")
            _ = Outcome(.copied, failure: failure)
        }
    }
}

/// Spans cannot be handed to the macros of a test.
func migrateLine(_ bytes: [UInt8]) -> MigrateLogLine? { MigrateLogLine(parsing: bytes.span) }

func failedLine(_ bytes: [UInt8]) -> FailedLogLine? { FailedLogLine(parsing: bytes.span) }
