//! What is wrong with a log: every problem by its name, and nothing else.

import S3
import Testing

@testable import Migration

@Suite struct LogCheckTests {
    private func problems(_ lines: [String], isOrdered: Bool = true) -> [LogCheck.Problem?] {
        var check = LogCheck(isOrdered: isOrdered)
        return lines.map { check.take(Array($0.utf8).span, isTerminated: true) }
    }

    private func problem(_ line: String) -> LogCheck.Problem? { problems([line])[0] }

    @Test func takesWhatIsRight() {
        var check = LogCheck(isOrdered: true)
        let lines = [
            "a\tcopied\t12\te\tetag,no-tags\t34", "b\texist\t-\t-\t-\t0", "b!\tfail\t-\t-\t-\t1",
            "\\c\\td\tskip-up\t0\tx\tsame\t2",
        ]
        for line in lines {
            let problem = check.take(Array(line.utf8).span, isTerminated: true)
            #expect(problem == nil)
        }
        #expect(check.lineCount == 4)
        #expect(check.lastKey == ObjectKey("c\td"))
        #expect(check.counts == [.copied: 1, .exist: 1, .failed: 1, .skippedTarget: 1])
    }

    @Test func knowsATornLine() {
        var check = LogCheck(isOrdered: true)
        let problem = check.take(Array("a\texist\t-\t-\t-\t0".utf8).span, isTerminated: false)
        #expect(problem == .torn)
        #expect(check.lineCount == 0)
        #expect(check.lastKey == nil)
    }

    @Test(
        arguments: [
            ("a\texist\t-\t-\t-\t0\0", .nul), ("\0\0\0\0", .nul), ("", .fieldCount(1)),
            ("a\texist\t-\t-\t-", .fieldCount(5)), ("a\texist\t-\t-\t-\t0\t", .fieldCount(7)),
            ("a\texists\t-\t-\t-\t0", .badField("exists")), ("a\t\t-\t-\t-\t0", .badField("")),
            ("a\texist\tx\t-\t-\t0", .badField("x")), ("a\texist\t\t-\t-\t0", .badField("")),
            ("a\texist\t-5\t-\t-\t0", .badField("-5")), ("a\texist\t-\t-\t-\t", .badField("")),
            ("a\texist\t-\t-\t-\t1s", .badField("1s")), ("a\texist\t-\t-\t-\t-", .badField("-")),
            ("a\texist\t-\t-\tsure\t0", .badField("sure")),
            ("a\texist\t-\t-\tetag,\t0", .badField("etag,")),
            ("a\texist\t99999999999999999999\t-\t-\t0", .badField("99999999999999999999")),
            ("\texist\t-\t-\t-\t0", .badKey(.empty)),
            ("\\a\\q\texist\t-\t-\t-\t0", .badKey(.badEscape(offset: 2))),
        ] as [(String, LogCheck.Problem)])
    func namesTheProblem(line: String, expected: LogCheck.Problem) {
        #expect(problem(line) == expected)
    }

    @Test func knowsAKeyThatIsTooLong() {
        let line = String(repeating: "k", count: 1025) + "\texist\t-\t-\t-\t0"
        #expect(problem(line) == .badKey(.keyTooLong))
    }

    @Test(arguments: ["b", "a", "a/z"])
    func wantsEachKeyAboveTheOneBefore(second: String) {
        let lines = ["b\texist\t-\t-\t-\t0", "\(second)\texist\t-\t-\t-\t0"]
        let order = LogCheck.Problem.order(previous: ObjectKey("b"), key: ObjectKey(second))
        #expect(problems(lines) == [nil, order])
        #expect(problems(lines, isOrdered: false) == [nil, nil])
    }

    /// The order is that of the keys, not of their escaped form.
    @Test func comparesKeysAndNotTheirForm() {
        let lines = ["a\texist\t-\t-\t-\t0", "\\b\\n\texist\t-\t-\t-\t0", "c\texist\t-\t-\t-\t0"]
        #expect(problems(lines) == [nil, nil, nil])
    }

    @Test func goesOnBehindABadLine() {
        let lines = ["a\texist\t-\t-\t-\t0", "zzz", "b\texist\t-\t-\t-\t0"]
        #expect(problems(lines) == [nil, .fieldCount(1), nil])
    }

    /// What is checked can be read: else `--check-log` would promise what no reader keeps.
    @Test(arguments: 0..<20)
    func acceptsJustWhatTheReaderDoes(seed: UInt64) {
        var random = ListRandom(seed: seed)
        let good = Array("key\tcopied\t12\tabc\tetag,no-tags\t34".utf8)
        let spice = Array("\t,-\\x0z9\0etag".utf8)
        for _ in 0..<500 {
            var line = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<line.count, using: &random)
                let byte = spice.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: line[place] = byte
                case 1: line.insert(byte, at: place)
                default: line.remove(at: place)
                }
            }
            var check = LogCheck(isOrdered: true)
            let isAccepted = check.take(line.span, isTerminated: true) == nil
            let isRead = MigrateLogLine(parsing: line.span) != nil
            #expect(isAccepted == isRead, "\(line)")
        }
    }

    @Test(arguments: [
        (LogCheck.Problem.torn, "no end"), (.nul, "NUL"), (.fieldCount(5), "5 fields, not 6"),
        (.badField("x\u{7}"), "'x '"), (.badKey(.empty), "cannot be read"),
        (.order(previous: ObjectKey("b\n"), key: ObjectKey("a")), "'a' is not above"),
        (.order(previous: ObjectKey("b\n"), key: ObjectKey("a")), "'\\b\\n'"),
    ])
    func tellsTheProblemInWords(problem: LogCheck.Problem, words: String) {
        #expect("\(problem)".contains(words))
    }
}
