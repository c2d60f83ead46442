//! One HTTP exchange while it runs: libcurl's callbacks end here, and only record.

internal import Curl
internal import Migration
internal import S3

/// What one slot's exchange sends and receives. It is used again for exchange after exchange; its address is what
/// libcurl's callbacks know.
final class Exchange: EasyCallbacks {
    private let body: ObjectBuffer
    private(set) var response = Response(status: 0)
    private(set) var objectBytes: Int64 = 0
    private(set) var overflowed = false

    private var sink = ExchangeOrder.Sink.response
    private var upload = ExchangeOrder.Upload.request
    private var requestBody: [UInt8] = []
    private var uploadOffset: Int64 = 0
    private var headerBytes = 0
    /// Bytes of the answer that is no object, cut or not.
    private var storyBytes = 0

    init(body: ObjectBuffer) {
        self.body = body
    }

    /// Forgets the last exchange and takes the next.
    func begin(_ order: ExchangeOrder) {
        response = Response(status: 0)
        objectBytes = 0
        overflowed = false
        sink = order.sink
        upload = order.upload
        requestBody = order.request.body
        uploadOffset = 0
        headerBytes = 0
        storyBytes = 0
    }

    var result: ExchangeResult {
        ExchangeResult(response: response, objectBytes: objectBytes, overflowed: overflowed)
    }

    // MARK: - Receiving

    override func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Limits.responseHeaderBytesMax else { return false }
        if line.starts(with: "HTTP/".utf8) {
            // Also the real answer after a 1xx, or the second one after a resent request.
            response = Response(status: Exchange.status(of: line))
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return beginBody(line) }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        let value = UnsafeRawBufferPointer(rebasing: Exchange.trimmed(line[(colon + 1)...]))
        response.headers.append(name: name.bytes, value: value.bytes)
        return true
    }

    private static func status(of line: UnsafeRawBufferPointer) -> Int {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return 0 }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return line[(space + 1)...].prefix(3).prefix(while: digits.contains).reduce(0) {
            status, digit in
            status * 10 + Int(digit - UInt8(ascii: "0"))
        }
    }

    private static func trimmed(
        _ value: Slice<UnsafeRawBufferPointer>
    ) -> Slice<UnsafeRawBufferPointer> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var (start, end) = (value.startIndex, value.endIndex)
        while start < end, isBlank(value[start]) { start += 1 }
        while start < end, isBlank(value[end - 1]) { end -= 1 }
        return value[start..<end]
    }

    /// At the end of the head: does the body fit where it is to go? If not, not a byte of it is read.
    private func beginBody(_ line: UnsafeRawBufferPointer) -> Bool {
        guard response.status >= 200, case .object(_, let capacity) = objectSink else {
            return true
        }
        guard let length = response.contentLength else { return true }
        overflowed = length > capacity
        return !overflowed
    }

    /// Where an object's bytes go; anything but success is a story about it.
    private var objectSink: ExchangeOrder.Sink {
        (200..<300).contains(response.status) ? sink : .response
    }

    override func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        switch objectSink {
        case .response:
            let room = Limits.smallBodyBytesMax - response.body.count
            response.body.append(contentsOf: bytes.prefix(room))
            // A server that does not know the question may answer it with an object of any size.
            overflowed = (200..<300).contains(response.status) && bytes.count > room
            storyBytes += bytes.count
            return !overflowed && storyBytes <= Limits.endlessBodyBytes
        case .object(let offset, let capacity):
            overflowed = objectBytes + Int64(bytes.count) > capacity
            guard !overflowed else { return false }
            body.store(bytes, at: offset + objectBytes)
            objectBytes += Int64(bytes.count)
            return true
        }
    }

    // MARK: - Sending

    /// Runs `use` with what libcurl is to be told about the request's body.
    ///
    /// A body of one block goes out with the head in one packet, and costs a third less than one that libcurl asks
    /// for piece by piece. What `use` is given stays valid until the next `begin` or the loss of the blocks.
    func withUpload<Result, Failure: Error>(
        _ use: (EasyHandle.Upload) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch upload {
        case .request where requestBody.isEmpty:
            return try use(.none)
        case .object(let byteCount) where byteCount <= Limits.blockBytes:
            return try use(
                .memory(UnsafeRawBufferPointer(start: body.firstBlock, count: Int(byteCount))))
        case .object(let byteCount):
            return try use(.stream(sizeBytes: byteCount))
        case .request:
            return try use(.stream(sizeBytes: Int64(requestBody.count)))
        }
    }

    override func provideBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count: Int
        switch upload {
        case .object: count = body.load(into: buffer, from: uploadOffset)
        case .request:
            let rest = requestBody[Int(uploadOffset)...].prefix(buffer.count)
            buffer.copyBytes(from: rest)
            count = rest.count
        }
        uploadOffset += Int64(count)
        return count
    }

    override func rewindBody(to offset: Int64) -> Bool {
        uploadOffset = offset
        return true
    }
}
