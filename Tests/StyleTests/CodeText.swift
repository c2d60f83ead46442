//! Swift without its comments and texts, for rules about what the code does.

/// Blanks out comments and string literals; every line keeps its number.
///
/// It knows what our own code uses: `//`, `"…"` and `"""`. What is interpolated into a text counts as text.
struct CodeText {
    private var bytes: [UInt8]
    private var index = 0

    static func stripped(_ text: String) -> String {
        var code = CodeText(bytes: Array(text.utf8))
        code.strip()
        return String(decoding: code.bytes, as: UTF8.self)
    }

    private mutating func strip() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "/") where starts(with: "//"): blankLine()
            case UInt8(ascii: "\"") where starts(with: "\"\"\""): blankBlock()
            case UInt8(ascii: "\""): blankLiteral()
            default: index += 1
            }
        }
    }

    private func starts(with word: String) -> Bool {
        bytes[index...].starts(with: word.utf8)
    }

    private mutating func blankOne() {
        guard index < bytes.count else { return }
        if bytes[index] != UInt8(ascii: "\n") { bytes[index] = UInt8(ascii: " ") }
        index += 1
    }

    private mutating func blankLine() {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { blankOne() }
    }

    private mutating func blankBlock() {
        for _ in 0..<3 { blankOne() }
        while index < bytes.count, !starts(with: "\"\"\"") { blankOne() }
        for _ in 0..<3 { blankOne() }
    }

    /// A literal ends at a quote that is neither escaped nor interpolated, or with its line.
    private mutating func blankLiteral() {
        blankOne()
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            if starts(with: "\\(") {
                blankInterpolation()
            } else if bytes[index] == UInt8(ascii: "\\") {
                for _ in 0..<2 { blankOne() }
            } else if bytes[index] == UInt8(ascii: "\"") {
                return blankOne()
            } else {
                blankOne()
            }
        }
    }

    private mutating func blankInterpolation() {
        for _ in 0..<2 { blankOne() }
        var depth = 1
        while depth > 0, index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            switch bytes[index] {
            case UInt8(ascii: "\""): blankLiteral()
            case UInt8(ascii: "("):
                depth += 1
                blankOne()
            case UInt8(ascii: ")"):
                depth -= 1
                blankOne()
            default: blankOne()
            }
        }
    }
}

extension String {
    /// The words of a text: letters, digits and underscores.
    var words: [Substring] {
        split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
    }

    /// The parts of a name in camel case: `KeyListUtils` has `Key`, `List` and `Utils`.
    var humps: [String] {
        reduce(into: []) { humps, letter in
            if letter.isUppercase || humps.isEmpty {
                humps.append(String(letter))
            } else {
                humps[humps.count - 1].append(letter)
            }
        }
    }
}
