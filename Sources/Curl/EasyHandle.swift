//! One easy handle: room for one HTTP exchange after another, with nothing left over between two.

internal import CCurl

/// A `CURL *`.
///
/// It is used on one thread, the one that drives its `MultiHandle`. Where it must live in an array
/// or a class, hold it as an `EasyHandle?` in a final class, lend it with `switch easy` and `case
/// .some(let easy)`, and end it with `easy.take()?.close()`.
public struct EasyHandle: ~Copyable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// The body of a request.
    public enum Upload {
        /// No body; PUT and POST say `Content-Length: 0`.
        case none
        /// Bytes that stay where they are until the handle is removed from the multi handle.
        /// libcurl does not copy them; small ones leave in one packet with the head.
        case memory(UnsafeRawBufferPointer)
        /// So many bytes from `EasyCallbacks.provideBody`.
        case stream(sizeBytes: Int64)
    }

    let easy: EasyPointer
    let callbacks: EasyCallbacks
    private let lowSpeedTime: Duration
    /// What `prepare` was told instead, and libcurl keeps until it is told otherwise.
    private var ownLowSpeedTime: Duration?
    private var origin = EasyOrigin()
    private var isClosed = false

    /// Makes a handle and sets all that is the same for each of its exchanges.
    ///
    /// - Parameters:
    ///   - callbacks: what is called during the exchanges; held until `close`, and for this handle
    ///     only.
    ///   - slot: the number by which `MultiHandle.nextFinished` names this handle.
    ///   - settings: what may differ between programs; the rest is fixed.
    /// - Throws: what libcurl does not accept of `settings`, with the option's name.
    public init(callbacks: EasyCallbacks, slot: Int, settings: EasySettings) throws(CurlError) {
        precondition(!callbacks.isBound, "the callbacks of slot \(callbacks.slot) are in use")
        try Curl.initialize()
        guard let raw = curl_easy_init() else {
            throw CurlError(easy: CurlError.failedInit, message: "libcurl gave no easy handle")
        }
        let easy = EasyPointer(raw: raw)
        do throws(CurlError) {
            try easy.configureFixed()
            try easy.configure(settings)
            try easy.configure(callbacks)
        } catch {
            curl_easy_cleanup(raw)
            throw error
        }
        callbacks.bind(slot: slot)
        self.easy = easy
        self.callbacks = callbacks
        self.lowSpeedTime = settings.lowSpeedTime
    }

    /// Frees the handle. It must have been removed from its multi handle.
    ///
    /// Connections and their TLS state belong to the multi handle, so nothing is sent here and no
    /// callback is called; the context is released after the handle all the same.
    public consuming func close() {
        precondition(!callbacks.isAdded, "slot \(callbacks.slot) is still with a multi handle")
        curl_easy_cleanup(easy.raw)
        callbacks.isBound = false
        isClosed = true
    }

    deinit {
        assert(isClosed, "the easy handle of slot \(callbacks.slot) was dropped without close()")
    }

    /// Sets up the next exchange; nothing of the one before is left. Then `MultiHandle.add` starts
    /// it.
    ///
    /// - Parameters:
    ///   - method: PUT and POST may have a body, the others have none.
    ///   - url: the absolute URL, already percent-encoded, up to a NUL; libcurl copies it and sends
    ///     path and query as they stand.
    ///   - headers: libcurl keeps its address: it must live, unchanged, until the handle is
    ///     removed.
    ///   - upload: `.none` for GET, HEAD and DELETE.
    ///   - lowSpeedTime: instead of the settings' own, for an exchange whose answer takes its time.
    /// - Throws: `badFunctionArgument` for a URL with blanks or control bytes, which would be another
    ///   request; `outOfMemory` and the like. Other bad URLs are found out by the exchange itself.
    public mutating func prepare(
        method: Method, url: UnsafePointer<UInt8>, headers: borrowing HeaderList, upload: Upload,
        lowSpeedTime: Duration? = nil
    ) throws(CurlError) {
        precondition(!callbacks.isAdded, "slot \(callbacks.slot) is still with a multi handle")
        precondition(!isTainted, "slot \(callbacks.slot) is tainted: make a new handle")
        callbacks.beginExchange(streamSizeBytes: upload.streamSizeBytes)
        try origin.take(url: url, for: easy)
        try easy.set(.httpHeader, headers.first)
        try easy.forgetRequestKind()
        try setLowSpeedTime(lowSpeedTime)
        switch (method, upload) {
        case (.get, .none): break
        case (.head, .none): try easy.set(.noBody, true)
        case (.delete, .none): try easy.set(.customRequest, method.rawValue)
        case (.put, _), (.post, _): try easy.setBody(upload, method: method)
        default: preconditionFailure("\(method.rawValue) takes no body")
        }
    }

    private mutating func setLowSpeedTime(_ time: Duration?) throws(CurlError) {
        guard time != ownLowSpeedTime else { return }
        try easy.set(.lowSpeedTimeSeconds, (time ?? lowSpeedTime).seconds)
        ownLowSpeedTime = time
    }

    /// Whether a rewind failed (`sendFailRewind`): the handle must be closed and replaced, since
    /// libcurl 7.88 would try that rewind again with every later exchange (curl #17139, #18206).
    public var isTainted: Bool { callbacks.stream.hasFailedToRewind }
}

/// What is known of the last exchange; it stays until the next `prepare`.
extension EasyHandle {
    /// The status of the last response head; 0 when there was none.
    public var responseCode: Int { easy.get(.responseCode) }

    /// How often the request began to go out. 2 and more: a reused connection was dead, libcurl has
    /// sent the request again by itself, and the server may have acted on it before.
    public var sendCount: Int { callbacks.sendCount }

    /// How many connections were opened; 0 when one was reused.
    public var newConnectionCount: Int { easy.get(.connectionCount) }

    /// Our end's port; nil without a connection.
    public var localPort: Int? {
        let port = easy.get(.localPort)
        return port == 0 ? nil : port
    }

    /// The server's address as text; nil without a connection.
    public var primaryIP: String? {
        easy.get(.primaryIP).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `errno` of the last connection that could not be made. It tells something after
    /// `couldntConnect` only: libcurl does not clear it when another connection was made.
    public var osErrno: Int32 { Int32(truncatingIfNeeded: easy.get(.osErrno)) }

    /// Bytes of the request's body that were sent.
    public var sentBodyBytes: Int64 { easy.get(.uploadSize) }

    /// Bytes of the response's body that came.
    public var receivedBodyBytes: Int64 { easy.get(.downloadSize) }

    /// Bytes of request heads that were sent; a body that left together with its head is counted
    /// in.
    public var requestSizeBytes: Int { easy.get(.requestSize) }

    /// From `add` to the end.
    public var totalTime: Duration { .microseconds(easy.get(.totalTimeMicroseconds)) }

    /// What libcurl wrote about a failure; nil when there was none.
    public var errorText: String? { callbacks.errorText }
}

extension EasyHandle.Upload {
    fileprivate var streamSizeBytes: Int64 {
        guard case .stream(let sizeBytes) = self else { return 0 }
        precondition(sizeBytes >= 0, "a body of \(sizeBytes) bytes")
        return sizeBytes
    }
}

extension EasyPointer {
    fileprivate func configure(_ callbacks: EasyCallbacks) throws(CurlError) {
        let context = UnsafeRawPointer(Unmanaged.passUnretained(callbacks).toOpaque())
        try set(.errorBuffer, callbacks.errorBuffer)
        try set(.privateData, context)
        try set(.headerFunction, receiveHeader)
        try set(.headerData, context)
        try set(.writeFunction, receiveBody)
        try set(.writeData, context)
        try set(.readFunction, provideBody)
        try set(.readData, context)
        try setSeekFunction(rewindBody)
        try set(.seekData, context)
        try setPrerequestFunction(beginSending)
        try set(.prerequestData, context)
    }

    /// Makes the request a plain GET, whatever it was.
    ///
    /// The order matters: POSTFIELDS makes a POST of any request, even with NULL. It must be NULL,
    /// since libcurl does not rewind a streamed body as long as it is not (`Curl_readrewind`).
    fileprivate func forgetRequestKind() throws(CurlError) {
        try set(.postFields, nil)
        try set(.postFieldSize, -1)
        try set(.customRequest, nil)
        try set(.httpGet, true)
    }

    fileprivate func setBody(
        _ upload: EasyHandle.Upload, method: EasyHandle.Method
    ) throws(CurlError) {
        switch upload {
        case .none:
            try setBody(UnsafeRawBufferPointer(start: nil, count: 0))
        case .memory(let bytes):
            try setBody(bytes)
        case .stream(let sizeBytes):
            try set(.upload, true)
            try set(.inFileSize, sizeBytes)
        }
        // POST with POSTFIELDS and PUT with UPLOAD are what libcurl would say; for the rest it is
        // told.
        try set(.customRequest, method.rawValue)
    }

    private func setBody(_ bytes: UnsafeRawBufferPointer) throws(CurlError) {
        // NULL would mean: ask the read callback.
        try set(.postFields, bytes.baseAddress ?? UnsafeRawPointer(noBytes.utf8Start))
        try set(.postFieldSize, Int64(bytes.count))
    }
}

/// An address for a body of no bytes.
private let noBytes: StaticString = ""
