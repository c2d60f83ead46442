//! Where libcurl calls us: the context of a handle's callbacks, and the C functions that find it.

internal import CCurl

/// What an exchange does with the bytes that come, and where the bytes that go come from.
///
/// A class, since C holds its address. A subclass records and returns: it never calls libcurl and
/// never throws, because C is on the stack. All calls come from within `MultiHandle.perform`, on
/// its thread, and never after the handle was removed from the multi handle. One object serves one
/// `EasyHandle`.
open class EasyCallbacks {
    var slot = 0
    /// Whether a handle has this as its context.
    var isBound = false
    /// Whether the handle is with a multi handle, where nobody may change or free it.
    var isAdded = false
    /// How often libcurl has begun to send the present request.
    var sendCount = 0
    var stream = UploadStream()
    /// Where libcurl writes what went wrong. It lives as long as the context, so longer than the
    /// handle.
    let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    public init() {
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        errorBuffer.deallocate()
    }

    /// One line of a response's head with its CRLF: status lines (1xx ones too), fields, the empty
    /// line at the end, and trailers after a chunked body. False ends the exchange with
    /// `writeError`.
    open func receive(headerLine: UnsafeRawBufferPointer) -> Bool { true }

    /// The next bytes of the response's body, at most `receiveBufferSizeBytes`. False ends the
    /// exchange with `writeError`.
    open func receive(body: UnsafeRawBufferPointer) -> Bool { true }

    /// Fills `buffer` from its start with the next bytes of a streamed upload and returns how many;
    /// the buffer never reaches beyond the announced size. -1 ends the exchange with
    /// `abortedByCallback`, and so does 0, since the server would wait for the rest.
    open func provideBody(into buffer: UnsafeMutableRawBufferPointer) -> Int { -1 }

    /// Lets the next `provideBody` begin at `offset`, in bytes: libcurl sends the request again,
    /// for a reused connection was dead. False ends the exchange with `sendFailRewind`, and the
    /// handle can no longer be used.
    open func rewindBody(to offset: Int64) -> Bool { false }
}

/// How far a streamed upload is. libcurl itself stops neither at the announced size nor before it:
/// a byte too many would be the begin of the next request, one too few makes the server wait for
/// ever.
struct UploadStream {
    var sizeBytes: Int64 = 0
    var sentBytes: Int64 = 0
    /// libcurl 7.88 keeps a failed rewind in the handle for ever, even through a reset (curl
    /// #17139).
    var hasFailedToRewind = false
}

extension EasyCallbacks {
    static func from(_ context: UnsafeMutableRawPointer?) -> EasyCallbacks? {
        context.map { Unmanaged<EasyCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }

    /// What the error buffer holds; nil when libcurl wrote nothing.
    var errorText: String? {
        errorBuffer[0] == 0 ? nil : String(cString: errorBuffer)
    }

    /// Begins to serve a new handle; what is known of an old one is forgotten.
    func bind(slot: Int) {
        isBound = true
        self.slot = slot
        beginExchange(streamSizeBytes: 0)
    }

    func beginExchange(streamSizeBytes: Int64) {
        errorBuffer[0] = 0
        sendCount = 0
        stream = UploadStream(sizeBytes: streamSizeBytes)
    }

    func provideStream(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let wanted = min(stream.sizeBytes - stream.sentBytes, Int64(buffer.count))
        guard wanted > 0 else { return 0 }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(wanted)))
        let given = provideBody(into: room)
        guard given > 0 else { return Int(CURL_READFUNC_ABORT) }
        precondition(given <= wanted, "provideBody gave \(given) bytes for a buffer of \(wanted)")
        stream.sentBytes += Int64(given)
        return given
    }

    func rewindStream(to offset: Int64) -> Bool {
        guard (0...stream.sizeBytes).contains(offset), rewindBody(to: offset) else {
            stream.hasFailedToRewind = true
            return false
        }
        stream.sentBytes = offset
        return true
    }

    /// libcurl is about to send the head. It rewinds only what it knows to have sent: what it read
    /// and could not send would be lost, so a second attempt starts from 0 here.
    func beginSending() -> Bool {
        sendCount += 1
        return stream.sentBytes == 0 || rewindStream(to: 0)
    }
}

@c(ccurl_receive_header)
func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    guard let callbacks = EasyCallbacks.from(context) else { return -1 }
    return callbacks.receive(headerLine: line) ? line.count : -1
}

@c(ccurl_receive_body)
func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
    guard let callbacks = EasyCallbacks.from(context) else { return -1 }
    return callbacks.receive(body: body) ? body.count : -1
}

@c(ccurl_provide_body)
func provideBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    return EasyCallbacks.from(context)?.provideStream(into: buffer) ?? Int(CURL_READFUNC_ABORT)
}

@c(ccurl_rewind_body)
func rewindBody(
    _ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32
) -> Int32 {
    precondition(origin == 0, "libcurl seeks from the start only (CURLOPT_SEEKFUNCTION(3))")
    let isRewound = EasyCallbacks.from(context)?.rewindStream(to: Int64(offset)) ?? false
    return isRewound ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

@c(ccurl_begin_sending)
func beginSending(
    _ context: UnsafeMutableRawPointer?, _ primaryIP: UnsafeMutablePointer<CChar>?,
    _ localIP: UnsafeMutablePointer<CChar>?, _ primaryPort: Int32, _ localPort: Int32
) -> Int32 {
    let mayGo = EasyCallbacks.from(context)?.beginSending() ?? false
    return mayGo ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
