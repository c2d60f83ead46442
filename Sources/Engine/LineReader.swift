//! Reads a file line by line in constant memory, and knows where each line begins.

internal import CLinux
internal import Glibc
internal import Linux

/// The lines of a log. A line may be as long as the buffer grows to; ours are a few kilobytes at most.
struct LineReader: ~Copyable {
    private let file: Descriptor
    private let path: String
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// Where in the file the line begins that `next` gave last.
    private(set) var lineOffset: Int64 = 0
    private var nextOffset: Int64 = 0

    init(path: String) throws(SystemError) {
        self.path = path
        file = Descriptor(
            try check("cannot open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
        buffer = [UInt8](repeating: 0, count: 256 << 10)
    }

    /// Gives the next line, without its newline, to `body`; nil at the end of the file.
    mutating func next<Result>(
        _ body: (_ line: Span<UInt8>, _ isTerminated: Bool) -> Result
    ) throws(SystemError) -> Result? {
        while true {
            if let newline = firstNewline() {
                return hand(newline - start, isTerminated: true, body)
            }
            if isAtEnd {
                return end > start ? hand(end - start, isTerminated: false, body) : nil
            }
            try refill()
        }
    }

    private func firstNewline() -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard end > start, let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(UInt8(ascii: "\n")), end - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func hand<Result>(
        _ count: Int, isTerminated: Bool, _ body: (Span<UInt8>, Bool) -> Result
    ) -> Result {
        lineOffset = nextOffset
        let result = body(buffer.span.extracting(start..<start + count), isTerminated)
        start += count + (isTerminated ? 1 : 0)
        nextOffset += Int64(count + (isTerminated ? 1 : 0))
        return result
    }

    private mutating func refill() throws(SystemError) {
        buffer.replaceSubrange(0..<end - start, with: buffer[start..<end])
        end -= start
        start = 0
        if end == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        let (number, path) = (file.number, path)
        let count = try check("cannot read \(path)") {
            buffer.withUnsafeMutableBytes { bytes in
                read(number, bytes.baseAddress.map { $0 + end }, bytes.count - end)
            }
        }
        isAtEnd = count == 0
        end += count
    }
}
