//! The rules about Swift that neither the compiler nor the formatter checks.

/// A rule: what it finds wrong with a file, line by line.
struct SwiftRule: Sendable {
    struct Finding: Equatable, CustomStringConvertible {
        var line: Int
        var what: String

        var description: String { "line \(line): \(what)" }
    }

    var name: String
    var findings: @Sendable (ProjectFile) -> [Finding]

    static let all = [
        lineLength, fileLength, opening, names, leftovers, force, whitespace,
    ]

    private init(_ name: String, findings: @escaping @Sendable (ProjectFile) -> [Finding]) {
        self.name = name
        self.findings = findings
    }

    /// A rule about single lines: what is wrong with this one, or nil.
    private init(
        _ name: String, ofCode: Bool = false,
        eachLine judge: @escaping @Sendable (Substring) -> String?
    ) {
        self.init(name) { file in
            var file = file
            if ofCode { file.text = CodeText.stripped(file.text) }
            return file.lines.enumerated().compactMap { index, line in
                judge(line).map { Finding(line: index + 1, what: $0) }
            }
        }
    }
}

extension SwiftRule {
    /// Code ends at column 100. Words, which read worse when they are broken, may go to 120: comments, and the
    /// texts that operators see.
    static let lineLength = SwiftRule("line length") { file in
        var isInText = false
        return file.lines.enumerated().compactMap { index, line in
            let pieces = line.split(separator: "\"\"\"", omittingEmptySubsequences: false)
            defer { if pieces.count.isMultiple(of: 2) { isInText.toggle() } }
            guard line.utf8.count > 100 else { return nil }
            let code = CodeText.stripped(String(line))
            let isWords = isInText || code.utf8.allSatisfy { $0 == 0x20 } || line.contains("\"")
            let count = line.count
            guard count > (isWords ? 120 : 100) else { return nil }
            return Finding(line: index + 1, what: "\(count) columns")
        }
    }

    static let fileLength = SwiftRule("file length") { file in
        let count = file.lines.count
        return count > 500 ? [Finding(line: count, what: "\(count) lines")] : []
    }

    /// A file opens with its duty: `//! ` and a sentence.
    static let opening = SwiftRule("opening sentence") { file in
        let head = file.lines.prefix { $0.hasPrefix("//! ") }
        guard let last = head.last else { return [Finding(line: 1, what: "no //! sentence")] }
        let isSentence = last.hasSuffix(".") || last.hasSuffix("?")
        return isSentence ? [] : [Finding(line: head.count, what: "no end of a sentence")]
    }

    private static let bannedHumps: Set = [
        "Util", "Utils", "Utility", "Utilities", "Helper", "Helpers", "Manager", "Extras",
        "Common", "Misc",
    ]

    private static let declarations: Set<Substring> = [
        "class", "struct", "enum", "protocol", "actor", "typealias", "extension",
    ]

    /// Files and types that are called after nothing.
    static let names = SwiftRule("names") { file in
        func banned(_ name: some StringProtocol) -> Bool {
            !bannedHumps.isDisjoint(with: String(name).words.flatMap { String($0).humps })
        }
        let stem = file.name.split(separator: ".").first ?? ""
        var findings = banned(stem) ? [Finding(line: 1, what: file.name)] : []
        for (index, line) in CodeText.stripped(file.text).split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            let words = String(line).words
            for (word, name) in zip(words, words.dropFirst())
            where declarations.contains(word) && banned(name) {
                findings.append(Finding(line: index + 1, what: String(name)))
            }
        }
        return findings
    }

    private static let leftoverWords: Set<Substring> = ["FIXME", "TODO", "XXX", "HACK"]

    /// What was to be done before anybody sees it.
    static let leftovers = SwiftRule(
        "leftovers",
        eachLine: { line in
            guard line.utf8.contains(where: { "FTXH".utf8.contains($0) }) else { return nil }
            return String(line).words.first(where: leftoverWords.contains).map(String.init)
        })

    /// Whatever can be nil, fail or be of another type is asked.
    static let force = SwiftRule(
        "force", ofCode: true,
        eachLine: { line in
            guard line.utf8.contains(UInt8(ascii: "!")) else { return nil }
            let characters = Array(line)
            for (index, character) in characters.enumerated() where character == "!" {
                let before = index > 0 ? characters[index - 1] : " "
                let after = index + 1 < characters.count ? characters[index + 1] : " "
                let isPostfix = before.isLetter || before.isNumber || "_)]>?".contains(before)
                if isPostfix, after != "=" { return "\(before)!" }
            }
            return nil
        })

    static let whitespace = SwiftRule(
        "whitespace",
        eachLine: { line in
            if line.utf8.contains(UInt8(ascii: "\t")) { return "a tab" }
            return line.hasSuffix(" ") ? "a space at the end" : nil
        })
}
