//! Copies of ours that turned out damaged: what a later pass may replace.

public import S3

/// By key, the ETag of an object of ours that the target shows although it is not the source's.
public struct DamagedCopies: Sendable, Equatable {
    private var etags: [ObjectKey: ETag] = [:]

    public init() {}

    public subscript(key: ObjectKey) -> ETag? { etags.isEmpty ? nil : etags[key] }

    public var isEmpty: Bool { etags.isEmpty }

    /// Takes a line of failed.log, of the oldest log first. The newest that names an object of ours is true: a later
    /// failure may have been one to read.
    public mutating func take(_ line: FailedLogLine) {
        if let etag = line.failure.ourETag { etags[line.key] = etag }
    }

    /// Takes a line of the file that goes with a list; false when it is not one.
    public mutating func take(_ line: Span<UInt8>) -> Bool {
        let fields = LogField.bytes(line).split(
            separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard fields.count == 2, !fields[1].isEmpty, let key = LogField.key(fields[0]) else {
            return false
        }
        etags[key] = ETag(String(decoding: fields[1], as: UTF8.self))
        return true
    }

    /// Appends the line of a key, if there is something to say of it: `KEY <tab> ETAG`, escaped as in key lists.
    public func append(_ key: ObjectKey, to text: inout [UInt8]) {
        guard let etag = etags[key] else { return }
        KeyListLine.appendEscaped(key: key.bytes.span, to: &text)
        text.append(UInt8(ascii: "\t"))
        text.append(contentsOf: LogField.cleaned(etag.text).utf8)
        text.append(UInt8(ascii: "\n"))
    }
}
