//! Header lines: what is refused, what is rewritten, and that the memory is reused soundly.

import Testing

@testable import Curl

@Suite struct HeaderListTests {
    static let removals = ["Accept:", "Expect:", "Content-Type:"]

    @Test func holdsOnlyTheRemovalsAtFirst() {
        let list = HeaderList()
        #expect(texts(list) == Self.removals)
    }

    @Test(arguments: [
        ("a: b", "a: b"), ("a:b", "a:b"), ("a: ", "a;"), ("a:", "a;"), ("a: \t\u{B}\u{C} ", "a;"),
        ("a: :", "a: :"), ("a: ;", "a: ;"), ("a;b: c", "a;b: c"), ("a: ä", "a: ä"),
    ])
    func writesALineAsLibcurlWantsIt(_ line: String, _ expected: String) throws {
        var list = HeaderList()
        try list.replace([Array(line.utf8)])
        #expect(texts(list) == [expected] + Self.removals)
    }

    @Test(arguments: [
        "a: b\r\nx: y", "a: b\n", "a\r: b", "a: b\u{0}c", "a: b\u{0}", "no colon", ": no name", "",
        "a;b: ",
    ])
    func refusesALine(_ line: String) throws {
        var list = HeaderList()
        let error = #expect(throws: CurlError.self) {
            try list.replace([Array("good: 1".utf8), Array(line.utf8)])
        }
        #expect(error?.code == CurlError.badFunctionArgument)
        #expect(texts(list) == Self.removals)
    }

    @Test func doesNotTellTheValue() {
        var list = HeaderList()
        let error = #expect(throws: CurlError.self) {
            try list.replace([Array("authorization: secret\r\n".utf8)])
        }
        #expect(error?.message.contains("\"authorization\"") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test(arguments: [0, 1, 28, 29, 30, 31, 32, 33, 500])
    func growsAndShrinks(_ lineCount: Int) throws {
        var list = HeaderList()
        for count in [lineCount, 3, lineCount * 2, 0, lineCount] {
            let lines = (0..<count).map { "x-\($0): \(String(repeating: "v", count: $0 + 1))" }
            try list.replace(lines.map { Array($0.utf8) })
            #expect(texts(list) == lines + Self.removals)
        }
    }

    /// Walks the nodes as C does; their type does not leave the module.
    private func texts(_ list: borrowing HeaderList) -> [String] {
        typealias Node = (data: UnsafePointer<CChar>?, next: UnsafeRawPointer?)
        var result: [String] = []
        var next = list.first.map { UnsafeRawPointer($0) }
        while let node = next?.load(as: Node.self) {
            result.append(node.data.map { String(cString: $0) } ?? "no text")
            next = node.next
        }
        return result
    }
}
