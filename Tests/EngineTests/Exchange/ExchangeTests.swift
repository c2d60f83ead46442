//! What libcurl's callbacks make of an answer's bytes, and give of a request's.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

/// An exchange of a slot that holds some blocks.
private final class Slot {
    let buffer = ObjectBuffer()
    let exchange: Exchange

    init(blocks: Int = 1) {
        exchange = Exchange(body: buffer)
        buffer.blocks = (0..<blocks).map { _ in
            .allocate(byteCount: Limits.blockBytes, alignment: 4096)
        }
    }

    deinit {
        for block in buffer.blocks { block.deallocate() }
    }

    func begin(_ sink: ExchangeOrder.Sink) {
        let request = Request(.get, operation: "GetObject", bucket: "b")
        exchange.begin(ExchangeOrder(.source, request, sink: sink))
    }

    /// Gives the lines of a head, each with its CRLF; false where the exchange is ended.
    @discardableResult
    func head(_ lines: String...) -> Bool {
        (lines + [""]).allSatisfy { line in
            Array((line + "\r\n").utf8).withUnsafeBytes { exchange.receive(headerLine: $0) }
        }
    }

    @discardableResult
    func body(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { exchange.receive(body: $0) }
    }

    /// What stands in the buffer.
    func held(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let done = bytes.withUnsafeMutableBytes {
                let rest = UnsafeMutableRawBufferPointer(rebasing: $0[offset...])
                return buffer.load(into: rest, from: Int64(offset))
            }
            offset += done
        }
        return bytes
    }
}

private func pattern(_ count: Int) -> [UInt8] {
    let line = (0..<251).map { UInt8($0) }
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += line }
    return Array(bytes[..<count])
}

@Suite struct ExchangeTests {
    private let slot = Slot(blocks: 3)
    private let mib = Limits.blockBytes

    private var response: Response { slot.exchange.result.response }

    // MARK: - The head

    @Test func readsAHead() {
        slot.begin(.response)
        #expect(slot.head("HTTP/1.1 404 Not Found", "Content-Length:  12 \t", "X-A: b:c", "Empty:"))
        #expect(response.status == 404)
        #expect(response.headers["content-length"] == "12")
        #expect(response.headers["x-a"] == "b:c")
        #expect(response.headers["empty"] == "")
        #expect(response.headers.count == 3)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK", 200), ("HTTP/1.0 206", 206), ("HTTP/1.1 503 Slow Down", 503),
        ("HTTP/1.1", 0), ("HTTP/1.1 ", 0),
    ])
    func readsAStatusLine(line: String, status: Int) {
        slot.begin(.response)
        slot.head(line)
        #expect(response.status == status)
    }

    /// After a 1xx, and after a request that libcurl sent again, the last head is the answer's.
    @Test func forgetsTheHeadsBeforeTheLast() {
        slot.begin(.object(offset: 0, capacity: 5))
        #expect(slot.head("HTTP/1.1 100 Continue", "X-Old: 1"))
        #expect(slot.head("HTTP/1.1 103 Early Hints", "Content-Length: 999999"))
        #expect(slot.head("HTTP/1.1 200 OK", "Content-Length: 5"))
        #expect(response.status == 200)
        #expect(response.headers["x-old"] == nil)
        #expect(response.headers.count == 1)
    }

    @Test func endsAtAHeadWithoutEnd() {
        slot.begin(.response)
        let line = "X-Filler: " + String(repeating: "x", count: 1000)
        let taken = (0..<1000).prefix { _ in
            Array((line + "\r\n").utf8).withUnsafeBytes {
                slot.exchange.receive(headerLine: $0)
            }
        }
        #expect(taken.count < 300)
        #expect(!slot.exchange.result.overflowed)
    }

    // MARK: - The body

    @Test func keepsAnObjectInTheBuffer() {
        let bytes = pattern(2 * mib + 100)
        slot.begin(.object(offset: 0, capacity: Int64(bytes.count)))
        slot.head("HTTP/1.1 206 Partial", "Content-Length: \(bytes.count)")
        var offset = 0
        // Pieces that fit no block's border.
        while offset < bytes.count {
            let end = min(offset + 16_383, bytes.count)
            #expect(slot.body(Array(bytes[offset..<end])))
            offset = end
        }
        #expect(slot.exchange.result.objectBytes == Int64(bytes.count))
        #expect(response.body.isEmpty)
        #expect(slot.held(bytes.count) == bytes)
        #expect(
            slot.buffer.digest(.md5, byteCount: Int64(bytes.count)) == .md5(MD5.digest(of: bytes)))
    }

    @Test func putsThePartBehindWhatIsThere() {
        let bytes = pattern(mib + 50)
        slot.begin(.object(offset: 0, capacity: Int64(mib)))
        slot.head("HTTP/1.1 206 P")
        slot.body(Array(bytes[..<mib]))
        slot.begin(.object(offset: Int64(mib), capacity: 50))
        slot.head("HTTP/1.1 206 P")
        slot.body(Array(bytes[mib...]))
        #expect(slot.exchange.result.objectBytes == 50)
        #expect(slot.held(mib + 50) == bytes)
    }

    /// A body that cannot fit is refused by its head, before a byte is read.
    @Test func endsAtALengthBeyondTheRoom() {
        slot.begin(.object(offset: 0, capacity: 5))
        #expect(!slot.head("HTTP/1.1 200 OK", "Content-Length: 6"))
        #expect(slot.exchange.result.overflowed)
        #expect(slot.exchange.result.response.status == 200)
        slot.begin(.object(offset: 0, capacity: 5))
        #expect(slot.head("HTTP/1.1 200 OK", "Content-Length: 5"))
        #expect(!slot.exchange.result.overflowed)
    }

    @Test func endsAtABodyBeyondTheRoom() {
        slot.begin(.object(offset: 0, capacity: 5))
        #expect(slot.head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"))
        #expect(slot.body([1, 2, 3]))
        #expect(!slot.body([4, 5, 6]))
        #expect(slot.exchange.result.overflowed)
        #expect(slot.exchange.result.objectBytes == 3)
    }

    /// The story of an error goes to the response, whatever the order wanted, and is bounded.
    @Test func keepsAnErrorOutOfTheBuffer() {
        slot.begin(.object(offset: 0, capacity: 5))
        #expect(slot.head("HTTP/1.1 503 Busy", "Content-Length: 100000000"))
        #expect(slot.body(Array("<Error/>".utf8)))
        #expect(response.body == Array("<Error/>".utf8))
        #expect(slot.exchange.result.objectBytes == 0)
        for _ in 0..<3 { #expect(slot.body(pattern(mib))) }
        #expect(response.body.count == Limits.smallBodyBytesMax)
    }

    @Test func endsAtAnErrorWithoutEnd() {
        let slot = Slot()
        slot.begin(.response)
        slot.head("HTTP/1.1 500 Internal Error")
        let piece = [UInt8](repeating: 0x20, count: 1 << 20)
        for _ in 0..<(Limits.endlessBodyBytes >> 20) { #expect(slot.body(piece)) }
        #expect(slot.exchange.response.body.count == Limits.smallBodyBytesMax)
        #expect(!slot.body([0x20]))
        slot.begin(.response)
        slot.head("HTTP/1.1 500 Internal Error")
        #expect(slot.body(piece))
    }

    /// A server that does not know tags answers the question for them with the object.
    @Test func endsAtAnAnswerThatIsAnObject() {
        slot.begin(.response)
        #expect(slot.head("HTTP/1.1 200 OK", "Content-Length: 100000000"))
        #expect(slot.body(pattern(mib)))
        #expect(!slot.body(pattern(mib)))
        #expect(slot.exchange.result.overflowed)
        #expect(response.body.count == Limits.smallBodyBytesMax)
    }

    @Test func forgetsTheExchangeBefore() {
        slot.begin(.object(offset: 0, capacity: 2))
        slot.head("HTTP/1.1 200 OK", "Content-Length: 9")
        slot.begin(.response)
        slot.head("HTTP/1.1 204 No Content")
        let result = slot.exchange.result
        #expect(!result.overflowed && result.objectBytes == 0 && result.response.headers.count == 0)
    }

    // MARK: - Sending

    private func provided(_ piece: Int, _ total: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < total {
            var block = [UInt8](repeating: 0, count: min(piece, total - bytes.count))
            let count = block.withUnsafeMutableBytes { slot.exchange.provideBody(into: $0) }
            bytes += block[..<count]
        }
        return bytes
    }

    @Test func sendsTheObjectInPiecesAndAgainFromAnyPlace() {
        let bytes = pattern(2 * mib + 7)
        bytes.withUnsafeBytes { slot.buffer.store($0, at: 0) }
        let request = Request(.put, operation: "PutObject", bucket: "b")
        slot.exchange.begin(
            ExchangeOrder(.target, request, upload: .object(byteCount: Int64(bytes.count))))
        #expect(provided(300_000, bytes.count) == bytes)
        #expect(slot.exchange.rewindBody(to: Int64(mib - 3)))
        #expect(provided(10, 20) == Array(bytes[mib - 3..<mib + 17]))
    }

    @Test func sendsTheRequestsOwnBody() {
        var request = Request(.put, operation: "PutObjectTagging", bucket: "b")
        request.body = pattern(1000)
        slot.exchange.begin(ExchangeOrder(.target, request))
        #expect(provided(300, 1000) == request.body)
        #expect(slot.exchange.rewindBody(to: 0))
        #expect(provided(1000, 1000) == request.body)
    }

    @Test(arguments: [(0, "memory"), (5, "memory"), (1 << 20, "memory"), ((1 << 20) + 1, "stream")])
    func sendsWhatFitsABlockInOnePiece(byteCount: Int, form: String) {
        let request = Request(.put, operation: "PutObject", bucket: "b")
        slot.exchange.begin(
            ExchangeOrder(.target, request, upload: .object(byteCount: Int64(byteCount))))
        let seen = slot.exchange.withUpload { "\($0)" }
        #expect(seen.hasPrefix(form), "\(seen)")
        #expect(seen.contains("\(byteCount)"), "\(seen)")
    }
}
