//! A line of `migrate.log`: the last station of an object's way.

public import S3

/// One handled object, as `migrate.log` and `ahead.log` tell it.
///
/// `KEY <tab> OUTCOME <tab> BYTES <tab> ETAG <tab> PROOF <tab> MILLISECONDS`, where an unknown field is `-`. The key
/// is escaped as in key lists. PROOF may be followed by `,no-tags` and `,no-meta` for what the copy lacks, and by
/// `,replaced` where another object was there before (`--overwrite`).
public struct MigrateLogLine: Sendable {
    public var key: ObjectKey
    public var outcome: Outcome.Kind
    public var sizeBytes: Int64?
    public var etag: String?
    public var proof: Proof?
    public var losses: Losses
    public var isReplacement = false
    public var milliseconds: Int64

    static let fieldCount = 6
    private static let replacedWord = "replaced"

    public init(key: ObjectKey, outcome: Outcome) {
        self.key = key
        self.outcome = outcome.kind
        self.sizeBytes = outcome.sizeBytes
        self.etag = outcome.etag?.text
        self.proof = outcome.proof
        self.losses = outcome.losses
        self.isReplacement = outcome.isReplacement
        self.milliseconds = outcome.elapsed.milliseconds
    }

    /// Appends the line with its newline.
    public func append(to text: inout [UInt8]) {
        KeyListLine.appendEscaped(key: key.bytes.span, to: &text)
        appendField(outcome.rawValue, to: &text)
        appendField(sizeBytes.map { String($0) } ?? "-", to: &text)
        appendField(LogField.cleaned(etag ?? "-"), to: &text)
        appendField(proofField, to: &text)
        appendField(String(milliseconds), to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    private var proofField: String {
        var field = proof?.rawValue ?? "-"
        for (loss, word) in Losses.words where losses.contains(loss) { field += "," + word }
        return isReplacement ? field + "," + MigrateLogLine.replacedWord : field
    }

    private func appendField(_ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\t"))
        text.append(contentsOf: value.utf8)
    }
}

extension MigrateLogLine {
    /// Reads a line without its newline; nil when it has not the form that `append` gives it.
    public init?(parsing line: Span<UInt8>) {
        let fields = LogField.bytes(line).split(
            separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard fields.count == MigrateLogLine.fieldCount, !fields[3].contains(0) else { return nil }
        guard let key = LogField.key(fields[0]) else { return nil }
        guard let outcome = Outcome.Kind(rawValue: String(decoding: fields[1], as: UTF8.self)),
            let size = LogField.optionalNumber(fields[2]),
            let marks = MigrateLogLine.marks(fields[4]),
            let milliseconds = LogField.number(fields[5])
        else { return nil }
        self.key = key
        self.outcome = outcome
        self.sizeBytes = size
        let etag = String(decoding: fields[3], as: UTF8.self)
        self.etag = etag == "-" ? nil : etag
        self.proof = marks.proof
        self.losses = marks.losses
        self.isReplacement = marks.isReplacement
        self.milliseconds = milliseconds
    }

    /// What the proof column says; nil when it is not one.
    static func marks(
        _ field: some Collection<UInt8>
    ) -> (proof: Proof?, losses: Losses, isReplacement: Bool)? {
        let words = String(decoding: field, as: UTF8.self).split(
            separator: ",", omittingEmptySubsequences: false)
        guard let first = words.first else { return nil }
        let proof = Proof(rawValue: String(first))
        guard proof != nil || first == "-" else { return nil }
        var losses: Losses = []
        let isReplacement = words.count > 1 && words.last.map { $0 == replacedWord } ?? false
        for word in words.dropFirst().dropLast(isReplacement ? 1 : 0) {
            guard let known = Losses.words.first(where: { $0.1 == word }) else { return nil }
            losses.insert(known.0)
        }
        return (proof, losses, isReplacement)
    }
}

/// What the fields of all logs have in common.
enum LogField {
    static func bytes(_ line: Span<UInt8>) -> [UInt8] {
        line.indices.map { line[$0] }
    }

    /// The key of a log line, out of the escaped form; nil when it is not one.
    static func key(_ field: some Collection<UInt8>) -> ObjectKey? {
        guard let key = try? KeyListLine.unescape(Array(field).span) else { return nil }
        return key
    }

    /// `-` is an unknown number; the outer nil is for what is no number at all.
    static func optionalNumber(_ field: some Collection<UInt8>) -> Int64?? {
        if field.elementsEqual("-".utf8) { return .some(nil) }
        guard let number = number(field) else { return nil }
        return .some(number)
    }

    /// A number of digits and nothing else.
    static func number(_ field: some Collection<UInt8>) -> Int64? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard field.allSatisfy(digits.contains) else { return nil }
        return Int64(String(decoding: field, as: UTF8.self))
    }

    /// Text from a server as one field: no control characters, bounded.
    static func cleaned(_ text: String) -> String {
        let isClean = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        if isClean, text.utf8.count <= Limits.messageBytesMax { return text }
        var cleaned = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            cleaned.unicodeScalars.append(isControl ? " " : scalar)
            if cleaned.utf8.count >= Limits.messageBytesMax { break }
        }
        return cleaned
    }
}
