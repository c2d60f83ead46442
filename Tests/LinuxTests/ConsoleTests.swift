//! What the operator sees of messages and progress, byte by byte.

import Glibc
import Testing

@testable import Linux

struct ConsoleTests {
    /// What a console writes to a pipe.
    static func written(
        isTerminal: Bool = false, isQuiet: Bool = false, _ body: (Console) -> Void
    ) throws -> String {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let output = Descriptor(ends[0])
        let input = Descriptor(ends[1])
        body(
            Console(
                program: "program", descriptor: input.number, isTerminal: isTerminal,
                isQuiet: isQuiet))
        // Less than a pipe holds, so one call gives it all.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check { read(output.number, &bytes, bytes.count) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test(arguments: [false, true])
    func saysProblemsAlwaysAndTheRestUnlessQuiet(isQuiet: Bool) throws {
        let text = try Self.written(isQuiet: isQuiet) { console in
            console.show(progress: "half")
            console.tell("summary")
            console.endProgress()
            console.say("problem")
        }
        #expect(text == (isQuiet ? "" : "half\nsummary\n") + "program: problem\n")
    }

    @Test func rewritesOneLineOfATerminalBelowTheMessages() throws {
        let text = try Self.written(isTerminal: true) { console in
            console.show(progress: "10")
            console.show(progress: "9")
            console.say("problem")
            console.endProgress()
            console.endProgress()
            console.tell("summary")
        }
        let erased = "\r\u{1B}[2K"
        #expect(text == "\(erased)10\(erased)9\(erased)program: problem\n9\nsummary\n")
    }

    @Test func goesOnWhenNobodyListens() throws {
        let console = Console(program: "p", descriptor: -1, isTerminal: true, isQuiet: false)
        console.say("problem")
    }

    @Test(arguments: [(true, 1), (false, 10)])
    func isToldOfProgressMoreOftenOnATerminal(isTerminal: Bool, seconds: Int) {
        let console = Console(
            program: "p", descriptor: -1, isTerminal: isTerminal, isQuiet: false)
        #expect(console.progressInterval == .seconds(seconds))
    }
}
