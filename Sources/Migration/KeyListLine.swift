//! A line of a key list: how an object's key is written in files, and read from them.

public import S3

/// One object of a key list: `KEY`, `KEY <tab> SIZE` or `KEY <tab> SIZE <tab> MTIME <tab> ETAG`.
///
/// The key is literal bytes, unless the line begins with a backslash. Then, as in the checksum files of coreutils,
/// `\\`, `\t`, `\n`, `\r` and `\xHH` stand for the bytes behind that first backslash. A later column may be
/// missing or `-`.
public struct KeyListLine: Hashable, Sendable {
    public var key: ObjectKey
    public var sizeBytes: Int64?
    /// The modification time as the list has it; this program gives it no meaning.
    public var modified: String?
    public var etag: ETag?

    public init(
        key: ObjectKey, sizeBytes: Int64? = nil, modified: String? = nil, etag: ETag? = nil
    ) {
        self.key = key
        self.sizeBytes = sizeBytes
        self.modified = modified
        self.etag = etag
    }
}

// MARK: - Writing

extension KeyListLine {
    /// Appends the line and its newline.
    public func append(to bytes: inout [UInt8]) {
        Self.append(
            key: key.bytes.span, sizeBytes: sizeBytes, modified: modified, etag: etag, to: &bytes)
    }

    /// Appends a line and its newline; columns that are not known at the end are left out, before it they are `-`.
    ///
    /// A text that would break the line (a tab, a control byte) is written as `-`: a time or an ETag is a help,
    /// and no reason to lose the key.
    public static func append(
        key: Span<UInt8>, sizeBytes: Int64? = nil, modified: String? = nil, etag: ETag? = nil,
        to bytes: inout [UInt8]
    ) {
        appendEscaped(key: key, to: &bytes)
        let columns = [sizeBytes.map { String($0) }, modified, etag?.text]
        let known = columns.lastIndex { $0 != nil }.map { columns[...$0] } ?? []
        for column in known {
            bytes.append(tab)
            bytes.append(contentsOf: columnText(column).utf8)
        }
        bytes.append(newline)
    }

    /// Appends a line and its newline out of a key and the rest of a line as it is written, from the first tab on.
    public static func append(
        key: Span<UInt8>, columns: Span<UInt8>, to bytes: inout [UInt8]
    ) {
        appendEscaped(key: key, to: &bytes)
        bytes.append(columns)
        bytes.append(newline)
    }

    /// Appends the key alone, as `cut -f1` would print it: in lists, logs and messages.
    ///
    /// A NUL, which no key can hold, comes out as `\x00`, which no reader takes: it is seen, not lost.
    public static func appendEscaped(key: Span<UInt8>, to bytes: inout [UInt8]) {
        guard needsEscape(key) else { return bytes.append(key) }
        bytes.append(backslash)
        var start = 0
        while start < key.count {
            let invalid = firstInvalid(in: key, from: start)
            for index in start..<invalid.lowerBound { appendEscape(of: key[index], to: &bytes) }
            for index in invalid { appendHex(of: key[index], to: &bytes) }
            start = invalid.upperBound
        }
    }

    /// The key as `cut -f1` would print it, for messages.
    public static func escaped(_ key: ObjectKey) -> String {
        var bytes: [UInt8] = []
        appendEscaped(key: key.bytes.span, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the key cannot stand in a line as it is. Where no piece of a key needs it, the key does not.
    public static func needsEscape(_ key: Span<UInt8>) -> Bool {
        guard key.count > 0, key[0] != backslash else { return key.count > 0 }
        guard !isPrintableASCII(key) else { return false }
        return key.indices.contains { isLineBreaking(key[$0]) }
            || !firstInvalid(in: key, from: 0).isEmpty
    }

    /// Whether no byte is a control byte or beyond ASCII; eight at a time, since most keys are such.
    private static func isPrintableASCII(_ key: Span<UInt8>) -> Bool {
        let bytes = unsafe key.bytes
        let high: UInt64 = 0x8080_8080_8080_8080
        var seen: UInt64 = 0
        var index = 0
        while index + 8 <= bytes.byteCount {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A byte below 0x20 borrows into its high bit; one with the high bit set is seen as it is.
            seen |= word | (word &- 0x2020_2020_2020_2020)
            index += 8
        }
        guard seen & high == 0 else { return false }
        while index < key.count, key[index] >= 0x20, key[index] < 0x80 { index += 1 }
        return index == key.count
    }

    private static func isLineBreaking(_ byte: UInt8) -> Bool {
        byte == tab || byte == newline || byte == carriageReturn || byte == 0
    }

    /// The first bytes from `start` on that are no UTF-8; empty and at the end when all are.
    private static func firstInvalid(in key: Span<UInt8>, from start: Int) -> Range<Int> {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: key.extracting(start...))
            return key.count..<key.count
        } catch {
            return start + error.byteOffsets.lowerBound..<start + error.byteOffsets.upperBound
        }
    }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case backslash: bytes += [backslash, backslash]
        case tab: bytes += [backslash, UInt8(ascii: "t")]
        case newline: bytes += [backslash, UInt8(ascii: "n")]
        case carriageReturn: bytes += [backslash, UInt8(ascii: "r")]
        case 0: appendHex(of: byte, to: &bytes)
        default: bytes.append(byte)
        }
    }

    private static func appendHex(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes += [backslash, UInt8(ascii: "x"), hexDigit(byte >> 4), hexDigit(byte & 15)]
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func columnText(_ text: String?) -> String {
        guard let text, !text.isEmpty, !text.utf8.contains(where: { $0 < 0x20 }) else { return "-" }
        return text
    }
}

// MARK: - Bytes

extension KeyListLine {
    /// What a line may have at most, without its newline: an escaped key, and columns of reasonable length.
    public static var byteCountMax: Int { 8192 }

    /// What the columns may have at most, with the tab before them: so much that any key fits before them however it is
    /// escaped. Else a line could be read that cannot be written, as a merge on the disk has to.
    static var columnsByteCountMax: Int { byteCountMax - (1 + 4 * ObjectKey.byteCountMax) }

    static var tab: UInt8 { UInt8(ascii: "\t") }
    static var newline: UInt8 { UInt8(ascii: "\n") }
    static var carriageReturn: UInt8 { UInt8(ascii: "\r") }
    static var backslash: UInt8 { UInt8(ascii: "\\") }
}
