//! How keys are written in the file of `--from`, and what can be wrong with one.

internal import Glibc
internal import Migration
internal import S3

/// The form of a file of keys.
public enum KeyForm: Sendable {
    /// A key a line, its bytes as they are.
    case lines
    /// A NUL behind every key, as `find -print0` writes them.
    case nulSeparated
    /// The list format: perhaps escaped, perhaps with columns.
    case listed

    var separator: UInt8 { self == .nulSeparated ? 0 : UInt8(ascii: "\n") }

    /// Finds the key in a record, and what stands behind it, from the first tab on. An escaped key is unescaped
    /// where it stands.
    func parse(
        _ bytes: inout [UInt8], _ record: Range<Int>
    ) throws(ListLineError) -> (key: Range<Int>, columns: Range<Int>) {
        guard !record.isEmpty else { throw .empty }
        guard record.count <= KeyListLine.byteCountMax else { throw .lineTooLong }
        if self != .nulSeparated {
            guard bytes[record.upperBound - 1] != UInt8(ascii: "\r") else { throw .carriageReturn }
            guard bytes.first(0, in: record) == nil else { throw .nul }
        }
        guard self == .listed else {
            return (try checked(record), record.upperBound..<record.upperBound)
        }
        let keyEnd = bytes.first(UInt8(ascii: "\t"), in: record) ?? record.upperBound
        let columns = keyEnd..<record.upperBound
        _ = try KeyListLine.checkColumns(bytes.span.extracting(columns))
        let key = record.lowerBound..<keyEnd
        guard bytes[key.lowerBound] == UInt8(ascii: "\\") else {
            return (try checked(key), columns)
        }
        var span = bytes.mutableSpan
        let count = try KeyListLine.unescape(&span, in: key)
        return (key.lowerBound..<key.lowerBound + count, columns)
    }

    private func checked(_ key: Range<Int>) throws(ListLineError) -> Range<Int> {
        guard !key.isEmpty else { throw .empty }
        guard key.count <= ObjectKey.byteCountMax else { throw .keyTooLong }
        return key
    }

    /// What to do about a bad record, beside what the error says itself: it does not know of our options.
    func advice(on error: ListLineError) -> String {
        switch (self, error) {
        case (.lines, .nul), (.listed, .nul):
            "; where a NUL ends each key, say --null"
        case (.lines, .carriageReturn):
            " and read with --escaped, or the keys are ended by NULs and read with --null"
        case (.listed, .badEscape), (.listed, .plainBackslash), (.listed, .badColumn):
            "; where the names are literal, leave --escaped away"
        default: ""
        }
    }

    /// Where a record stands, in words.
    func place(_ number: Int, in file: String) -> String {
        "\(file), \(self == .nulSeparated ? "key" : "line") \(number)"
    }
}

extension [UInt8] {
    /// Where `byte` stands first in the range.
    fileprivate func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memchr(base + range.lowerBound, Int32(byte), range.count)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
