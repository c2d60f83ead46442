//! A client for the tests: a multi handle, its slots, and callbacks that remember everything.

import Testing

@testable import Curl

/// Remembers what came and gives `upload` in pieces of `pieceSizeBytes`.
final class Recorder: EasyCallbacks {
    var headerLines: [String] = []
    var body: [UInt8] = []
    var upload: [UInt8] = []
    var uploadOffset = 0
    var rewinds: [Int64] = []
    var pieceSizeBytes = Int.max
    var acceptsHeaderLines = true
    var acceptsBody = true
    var canRewind = true
    var failsAtOffset: Int?

    override func receive(headerLine: UnsafeRawBufferPointer) -> Bool {
        headerLines.append(String(decoding: headerLine, as: UTF8.self))
        return acceptsHeaderLines
    }

    override func receive(body: UnsafeRawBufferPointer) -> Bool {
        self.body.append(contentsOf: body)
        return acceptsBody
    }

    override func provideBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if let failsAtOffset, uploadOffset >= failsAtOffset { return -1 }
        let count = min(buffer.count, upload.count - uploadOffset, pieceSizeBytes)
        buffer.copyBytes(from: upload[uploadOffset..<(uploadOffset + count)])
        uploadOffset += count
        return count
    }

    override func rewindBody(to offset: Int64) -> Bool {
        rewinds.append(offset)
        uploadOffset = Int(offset)
        return canRewind
    }

    var bodyText: String { String(decoding: body, as: UTF8.self) }
}

/// A handle with all that must live as long as its exchange: the form in which the engine holds
/// them.
final class Slot {
    let recorder = Recorder()
    var easy: EasyHandle?
    var headers = HeaderList()
    /// The body of `.memory`, at a stable address.
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 1)

    init(_ number: Int, _ settings: EasySettings) throws {
        easy = try EasyHandle(callbacks: recorder, slot: number, settings: settings)
    }

    deinit { memory.deallocate() }

    func prepare(_ request: TestRequest) throws {
        recorder.headerLines = []
        recorder.body = []
        recorder.uploadOffset = 0
        recorder.rewinds = []
        try headers.replace(request.lines)
        var url = Array(request.url.utf8) + [0]
        switch request.upload {
        case .none:
            try easy?.prepare(
                method: request.method, url: &url, headers: headers, upload: .none,
                lowSpeedTime: request.lowSpeedTime)
        case .memory(let bytes):
            memory.deallocate()
            memory = .allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
            try easy?.prepare(
                method: request.method, url: &url, headers: headers,
                upload: .memory(UnsafeRawBufferPointer(memory)))
        case .stream(let bytes):
            recorder.upload = bytes
            try easy?.prepare(
                method: request.method, url: &url, headers: headers,
                upload: .stream(sizeBytes: request.streamSizeBytes ?? Int64(bytes.count)))
        }
    }
}

struct TestRequest {
    enum Upload {
        case none
        case memory([UInt8])
        case stream([UInt8])
    }

    var method: EasyHandle.Method
    var url: String
    var lines: [[UInt8]] = []
    var upload = Upload.none
    /// When it is to differ from the size of the stream.
    var streamSizeBytes: Int64?
    var lowSpeedTime: Duration?

    init(
        _ method: EasyHandle.Method, _ url: String, _ lines: [String] = [], _ upload: Upload = .none
    ) {
        self.method = method
        self.url = url
        self.lines = lines.map { Array($0.utf8) }
        self.upload = upload
    }
}

extension HeaderList {
    mutating func replace(_ lines: [[UInt8]]) throws(CurlError) {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for line in lines {
            starts.append(bytes.count)
            bytes += line + [0]
        }
        try replace(lines: bytes, starts: starts)
    }
}

/// A multi handle with its slots; closes them in the right order.
final class Client {
    var multi: MultiHandle?
    let slots: [Slot]

    init(_ settings: EasySettings = .brisk, slotCount: Int = 1) throws {
        let multi = try MultiHandle(connectionCacheSize: 2 * slotCount)
        do {
            slots = try (0..<slotCount).map { try Slot($0, settings) }
        } catch {
            multi.close()
            throw error
        }
        self.multi = consume multi
    }

    deinit {
        multi.take()?.close()
        for slot in slots { slot.easy.take()?.close() }
    }

    var recorder: Recorder { slots[0].recorder }
    /// What the first slot's handle knows of its last exchange.
    var facts: Facts { slots[0].easy?.facts ?? Facts() }

    func add(_ slot: Int) throws {
        try slots[slot].easy?.add(to: &multi)
    }

    func remove(_ slot: Int) throws {
        try slots[slot].easy?.remove(from: &multi)
    }

    /// One exchange on the first slot, from beginning to end; the error that ended it.
    @discardableResult
    func run(_ request: TestRequest) throws -> CurlError? {
        try slots[0].prepare(request)
        try add(0)
        let finished = try finish(count: 1)
        return finished[0].error
    }

    /// Drives until so many exchanges are over, and takes their handles back.
    func finish(count: Int) throws -> [MultiHandle.Finished] {
        var all: [MultiHandle.Finished] = []
        let end = ContinuousClock.now + .seconds(20)
        while all.count < count {
            try #require(ContinuousClock.now < end, "the exchanges do not end")
            _ = try multi?.perform()
            while let finished = multi?.nextFinished() {
                try remove(finished.slot)
                all.append(finished)
            }
            if all.count < count { try multi?.poll(timeout: .milliseconds(200)) }
        }
        return all
    }
}

/// What a handle tells about an exchange, as a value that `#expect` can copy.
struct Facts {
    var responseCode = 0
    var sendCount = 0
    var newConnectionCount = 0
    var localPort: Int?
    var primaryIP: String?
    var osErrno: Int32 = 0
    var sentBodyBytes: Int64 = 0
    var receivedBodyBytes: Int64 = 0
    var requestSizeBytes = 0
    var totalTime = Duration.zero
    var errorText: String?
    var isTainted = false
}

extension EasyHandle {
    var facts: Facts {
        Facts(
            responseCode: responseCode, sendCount: sendCount,
            newConnectionCount: newConnectionCount,
            localPort: localPort, primaryIP: primaryIP, osErrno: osErrno,
            sentBodyBytes: sentBodyBytes, receivedBodyBytes: receivedBodyBytes,
            requestSizeBytes: requestSizeBytes, totalTime: totalTime, errorText: errorText,
            isTainted: isTainted)
    }

    fileprivate borrowing func add(to multi: inout MultiHandle?) throws {
        try multi?.add(self)
    }

    fileprivate borrowing func remove(from multi: inout MultiHandle?) throws {
        try multi?.remove(self)
    }
}

extension EasySettings {
    /// For servers on the loopback that answer at once.
    static var brisk: EasySettings {
        var settings = EasySettings()
        settings.connectTimeout = .seconds(5)
        settings.lowSpeedTime = .seconds(10)
        settings.userAgent = "test"
        return settings
    }
}
