//! Reads `migrate.log` (or `verify.log`) and `ahead.log` back, line by line: is the form right, are the keys in order?

public import S3

/// Judges the lines of a log one after the other. It is what `--resume` trusts after a crash and what
/// `--check-log` proves, so it is quick: a log can have a hundred million lines.
public struct LogCheck: Sendable {
    /// What is wrong with a line.
    public enum Problem: Sendable, Equatable {
        case torn
        case nul
        case fieldCount(Int)
        case badField(String)
        case badKey(ListLineError)
        /// The key is not above the one before it.
        case order(previous: ObjectKey, key: ObjectKey)
    }

    private let isOrdered: Bool
    private let kind: RunKind
    private var lastProof = [UInt8(ascii: "-")]
    public private(set) var lineCount = 0
    public private(set) var lastKey: ObjectKey?
    public private(set) var counts: [Outcome.Kind: Int] = [:]

    /// - Parameters:
    ///   - isOrdered: true for `migrate.log` and `verify.log`, false for `ahead.log`.
    ///   - kind: what the run was for; the log has no other words.
    public init(isOrdered: Bool, kind: RunKind = .copy) {
        self.isOrdered = isOrdered
        self.kind = kind
    }

    /// Takes the next line, without its newline; nil when it is right.
    public mutating func take(_ line: Span<UInt8>, isTerminated: Bool) -> Problem? {
        guard isTerminated else { return .torn }
        var tabs: [Int] = []
        tabs.reserveCapacity(MigrateLogLine.fieldCount)
        for index in line.indices {
            if line[index] == 0 { return .nul }
            if line[index] == UInt8(ascii: "\t") { tabs.append(index) }
        }
        guard tabs.count == MigrateLogLine.fieldCount - 1 else {
            return .fieldCount(tabs.count + 1)
        }
        let key: ObjectKey
        do throws(ListLineError) {
            key = try KeyListLine.unescape(line.extracting(..<tabs[0]))
        } catch {
            return .badKey(error)
        }
        if isOrdered, let previous = lastKey, !(previous < key) {
            return .order(previous: previous, key: key)
        }
        let word = LogCheck.text(line, tabs[0] + 1..<tabs[1])
        guard let outcome = Outcome.Kind(rawValue: word), kind.knows(outcome) else {
            return .badField(word)
        }
        if let bad = badField(line, tabs) { return .badField(LogCheck.text(line, bad)) }
        counts[outcome, default: 0] += 1
        lineCount += 1
        lastKey = key
        return nil
    }

    /// The place of the first field behind the outcome that `MigrateLogLine` would not read.
    private mutating func badField(_ line: Span<UInt8>, _ tabs: [Int]) -> Range<Int>? {
        let size = tabs[1] + 1..<tabs[2]
        let isUnknown = size.count == 1 && line[size.lowerBound] == UInt8(ascii: "-")
        guard isUnknown || LogCheck.isNumber(line, size) else { return size }
        guard isProof(line, tabs[3] + 1..<tabs[4]) else { return tabs[3] + 1..<tabs[4] }
        let milliseconds = tabs[4] + 1..<line.count
        return LogCheck.isNumber(line, milliseconds) ? nil : milliseconds
    }

    private static func isNumber(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var value: Int64 = 0
        for index in range {
            let digit = line[index] &- UInt8(ascii: "0")
            let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            guard digit < 10, !isTooLarge, tenfold <= .max - Int64(digit) else { return false }
            value = tenfold + Int64(digit)
        }
        return !range.isEmpty
    }

    /// Most lines have the proof of the line before, which is known to be good.
    private mutating func isProof(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let isKnown =
            range.count == lastProof.count
            && range.allSatisfy { line[$0] == lastProof[$0 - range.lowerBound] }
        if isKnown { return true }
        let field = range.map { line[$0] }
        guard MigrateLogLine.marks(field) != nil else { return false }
        lastProof = field
        return true
    }

    private static func text(_ line: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { line[$0] }, as: UTF8.self)
    }
}

extension LogCheck.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .torn: "the line has no end"
        case .nul: "the line has a NUL byte"
        case .fieldCount(let count):
            "the line has \(count) fields, not \(MigrateLogLine.fieldCount)"
        case .badField(let text): "the field '\(LogField.cleaned(text))' is not what it should be"
        case .badKey(let error): "the key cannot be read: \(error)"
        case .order(let previous, let key):
            "the key '\(KeyListLine.escaped(key))' is not above the one before it, "
                + "'\(KeyListLine.escaped(previous))'"
        }
    }
}
