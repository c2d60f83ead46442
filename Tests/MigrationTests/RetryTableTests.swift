//! The table of fault classes in README.md says what the policy does.

import Glibc
import Testing

@testable import Migration

@Suite struct RetryTableTests {
    /// The cells of the row of each class; a row may be of several.
    private static let rows: [String: [String]] = {
        let table = readme.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("| class | what it is |") }.prefix { $0.hasPrefix("|") }
        var rows: [String: [String]] = [:]
        for line in table.dropFirst(2) {
            let cells = line.split(separator: "|").map { String($0).trimmed }
            for (index, word) in cells[0].split(separator: "`").enumerated() where index % 2 == 0 {
                rows[String(word)] = cells
            }
        }
        return rows
    }()

    private static var readme: String {
        let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(path)/README.md", "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private func verdict(_ faultClass: FaultClass, attempt: Int) -> RetryPolicy.Verdict {
        var random = SeededRandom(seed: 1)
        return RetryPolicy(retriesMax: 10).verdict(
            for: Fault(faultClass, message: ""), attempt: attempt, random: &random)
    }

    @Test(arguments: FaultClass.allCases)
    func saysWhatThePolicyDoes(faultClass: FaultClass) throws {
        let cells = try #require(Self.rows[faultClass.rawValue], "no row in README.md")
        let triesAgain = cells[2]
        switch (verdict(faultClass, attempt: 1), verdict(faultClass, attempt: 6)) {
        case (.stopRun, _): #expect(triesAgain.hasPrefix("the run"))
        case (.giveUp, _): #expect(triesAgain == "never")
        case (.again, .giveUp):
            #expect(triesAgain.hasPrefix(faultClass == .damaged ? "2 times" : "5 times"))
        default: #expect(triesAgain == "`--retries` times")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
