//! A line of `failed.log`: why an object was not copied.

public import S3

/// One failed object, as `failed.log` tells it.
///
/// `KEY, STAGE, CLASS, HTTP STATUS, S3 CODE, ATTEMPTS, OUR ETAG, MESSAGE`, separated by tabs, where an unknown field is
/// `-`. The key is escaped as in key lists; the message has no control characters.
public struct FailedLogLine: Sendable {
    public var key: ObjectKey
    public var failure: Failure

    static let fieldCount = 8

    public init(key: ObjectKey, failure: Failure) {
        self.key = key
        self.failure = failure
    }

    /// Appends the line with its newline.
    public func append(to text: inout [UInt8]) {
        KeyListLine.appendEscaped(key: key.bytes.span, to: &text)
        let message = LogField.cleaned(failure.message)
        let fields = [
            failure.stage.rawValue, failure.faultClass.rawValue,
            failure.status.map { String($0) } ?? "-", LogField.cleaned(failure.code ?? "-"),
            String(failure.attempts), LogField.cleaned(failure.ourETag?.text ?? "-"),
            message.isEmpty ? "-" : message,
        ]
        for field in fields {
            text.append(UInt8(ascii: "\t"))
            text.append(contentsOf: field.utf8)
        }
        text.append(UInt8(ascii: "\n"))
    }
}

extension FailedLogLine {
    /// Reads a line without its newline; nil when it has not the form that `append` gives it.
    public init?(parsing line: Span<UInt8>) {
        let fields = LogField.bytes(line).split(
            separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard fields.count == FailedLogLine.fieldCount else { return nil }
        guard let key = LogField.key(fields[0]) else { return nil }
        let texts = fields.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        guard let stage = Stage(rawValue: texts[0]),
            let faultClass = FaultClass(rawValue: texts[1]),
            let status = LogField.optionalNumber(fields[3]),
            let attempts = Int(texts[4]), attempts >= 0
        else { return nil }
        self.key = key
        self.failure = Failure(
            stage: stage, faultClass: faultClass, status: status.map { Int($0) },
            code: texts[3] == "-" ? nil : texts[3], attempts: attempts,
            ourETag: texts[5] == "-" ? nil : ETag(texts[5]), message: texts[6])
    }
}
