//! The header lines of a request as libcurl wants them, without an allocation for each request.

internal import CCurl
internal import Glibc

/// A `curl_slist` whose nodes and bytes are reused.
///
/// Besides the caller's lines it holds those that keep libcurl from adding its own: `Accept`,
/// `Expect` and the form's `Content-Type`. A line of the caller wins over them. `Host`,
/// `Content-Length` and `User-Agent` are libcurl's unless the caller gives them.
public struct HeaderList: ~Copyable {
    /// "Name:" means to libcurl: do not send it.
    private static let removals: [StaticString] = ["Accept:", "Expect:", "Content-Type:"]

    private var bytes: UnsafeMutableBufferPointer<UInt8>
    private var nodes: UnsafeMutableBufferPointer<curl_slist>

    public init() {
        bytes = .allocate(capacity: 2048)
        nodes = .allocate(capacity: 32)
        bytes.initialize(repeating: 0)
        nodes.initialize(repeating: curl_slist())
        link(0)
    }

    deinit {
        bytes.deallocate()
        nodes.deallocate()
    }

    /// What libcurl is given: it stays the same until `replace`.
    var first: UnsafePointer<curl_slist>? { UnsafePointer(nodes.baseAddress) }

    /// Takes these lines in place of all others. Not while an exchange uses the list.
    ///
    /// - Parameters:
    ///   - lines: `name: value` and a NUL, one behind the other; any bytes but NUL, CR and LF. A
    ///     value may be empty.
    ///   - starts: where each line begins in `lines`.
    /// - Throws: `badFunctionArgument` for a line with CR, LF, NUL or without a name: it would be
    ///   another request than was signed. The list then holds none of the lines.
    public mutating func replace(lines: [UInt8], starts: [Int]) throws(CurlError) {
        precondition(starts.isEmpty || starts[0] == 0, "the first line must begin at 0")
        precondition(lines.last ?? 0 == 0, "the last line must end with a NUL")
        reserve(byteCount: lines.count, lineCount: starts.count)
        _ = bytes.update(fromContentsOf: lines)
        do throws(CurlError) {
            for index in starts.indices {
                let end = index + 1 < starts.count ? starts[index + 1] : lines.count
                try takeLine(index, starts[index]..<end)
            }
        } catch {
            link(0)
            throw error
        }
        link(starts.count)
    }

    /// Points a node at the line in `range`, which includes its NUL.
    private mutating func takeLine(_ index: Int, _ range: Range<Int>) throws(CurlError) {
        let line = UnsafeMutableBufferPointer(rebasing: bytes[range])
        precondition(line.last == 0, "header line \(index) does not end with a NUL")
        let (colon, hasValue) = try Self.parse(
            UnsafeBufferPointer(rebasing: line[..<(line.count - 1)]))
        if !hasValue {
            // "name:" would remove the field; "name;" is how libcurl is told to send it empty.
            line[colon] = UInt8(ascii: ";")
            line[colon + 1] = 0
        }
        nodes[index].data = UnsafeMutableRawPointer(line.baseAddress)?
            .assumingMemoryBound(to: CChar.self)
    }

    /// Where the colon is, and whether anything but blanks follows.
    private static func parse(
        _ line: UnsafeBufferPointer<UInt8>
    ) throws(CurlError) -> (colon: Int, hasValue: Bool) {
        for byte: UInt8 in [0, 0x0A, 0x0D] where place(of: byte, in: line) != nil {
            throw badLine(line, "has a byte \(byte) in it")
        }
        guard let colon = place(of: UInt8(ascii: ":"), in: line), colon > 0 else {
            throw badLine(line, "has no name")
        }
        let hasValue = line[(colon + 1)...].contains { $0 != 0x20 && !(0x09...0x0C).contains($0) }
        // libcurl drops "a;b;" without a word.
        if !hasValue, line[..<colon].contains(UInt8(ascii: ";")) {
            throw badLine(line, "is empty and has a semicolon in its name")
        }
        return (colon, hasValue)
    }

    private static func place(of byte: UInt8, in line: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let start = line.baseAddress else { return nil }
        return memchr(start, Int32(byte), line.count).map {
            UnsafeRawPointer($0) - UnsafeRawPointer(start)
        }
    }

    /// The value may be a secret, so only the name is told.
    private static func badLine(
        _ line: UnsafeBufferPointer<UInt8>, _ fault: String
    ) -> CurlError {
        let name = String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
        return CurlError(
            easy: CurlError.badFunctionArgument,
            message: "header line \(name.debugDescription) \(fault): it cannot be sent")
    }

    /// Chains the first `lineCount` nodes and the removals behind them.
    private mutating func link(_ lineCount: Int) {
        for (offset, removal) in Self.removals.enumerated() {
            let text = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(removal.utf8Start))
            nodes[lineCount + offset].data = text.assumingMemoryBound(to: CChar.self)
        }
        let last = lineCount + Self.removals.count - 1
        guard let base = nodes.baseAddress else { return }
        for index in 0..<last { nodes[index].next = base + index + 1 }
        nodes[last].next = nil
    }

    /// The old content is not kept.
    private mutating func reserve(byteCount: Int, lineCount: Int) {
        if byteCount > bytes.count {
            bytes.deallocate()
            bytes = .allocate(capacity: byteCount * 2)
            bytes.initialize(repeating: 0)
        }
        if lineCount + Self.removals.count > nodes.count {
            nodes.deallocate()
            nodes = .allocate(capacity: lineCount * 2 + Self.removals.count)
            nodes.initialize(repeating: curl_slist())
        }
    }
}
