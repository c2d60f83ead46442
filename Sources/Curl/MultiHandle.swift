//! The multi handle: many exchanges at once on one thread, and the connections that outlive them.

internal import CCurl
internal import Synchronization

/// A `CURLM *`: add handles, then `perform`, `nextFinished` until nil, `poll`, and again.
///
/// All of it happens on one thread; only `waker` is for others. The order at the end: remove each
/// easy handle, close this, close the easy handles.
public struct MultiHandle: ~Copyable {
    /// An exchange that is over. Its handle is to be removed before it is prepared anew.
    public struct Finished: Sendable {
        /// The handle's slot.
        public let slot: Int
        /// nil when a whole response came, whatever its status.
        public let error: CurlError?
    }

    private let raw: UnsafeMutableRawPointer
    private var addedCount = 0
    private var isClosed = false
    /// Ends a `poll` from another thread.
    public let waker: MultiWaker

    /// - Parameter connectionCacheSize: how many idle and busy connections are kept; at least twice
    ///   the number of exchanges at once, or connections to two endpoints displace each other.
    /// - Throws: `failedInit`, or CURLM_WAKEUP_FAILURE when there are no file descriptors left.
    public init(connectionCacheSize: Int) throws(CurlError) {
        try Curl.initialize()
        guard let raw = curl_multi_init() else {
            throw CurlError(easy: CurlError.failedInit, message: "libcurl gave no multi handle")
        }
        do throws(CurlError) {
            try Self.configure(raw, connectionCacheSize: connectionCacheSize)
        } catch {
            curl_multi_cleanup(raw)
            throw error
        }
        self.raw = raw
        waker = MultiWaker(raw)
    }

    private static func configure(
        _ raw: UnsafeMutableRawPointer, connectionCacheSize: Int
    ) throws(CurlError) {
        try check(
            ccurl_multi_setopt_long(raw, CURLMOPT_MAXCONNECTS, connectionCacheSize),
            "cannot set CURLMOPT_MAXCONNECTS to \(connectionCacheSize)")
        // Without descriptors libcurl makes a handle that cannot be woken, and says so only here.
        try check(
            curl_multi_wakeup(raw),
            "a multi handle cannot be woken; raise the limit of open files (ulimit -n)")
    }

    /// Closes the connections, which for TLS sends a last message. No easy handle may still be
    /// added.
    public consuming func close() {
        precondition(addedCount == 0, "\(addedCount) easy handles are still with the multi handle")
        waker.invalidate()
        curl_multi_cleanup(raw)
        isClosed = true
    }

    deinit {
        // Cleaning up here would close connections on whatever thread lets go last.
        assert(isClosed, "a multi handle was dropped without close()")
    }

    /// Starts the exchange that `prepare` set up; the next `perform` begins with it.
    public mutating func add(_ easy: borrowing EasyHandle) throws(CurlError) {
        precondition(!easy.callbacks.isAdded, "slot \(easy.callbacks.slot) was added already")
        let code = curl_multi_add_handle(raw, easy.easy.raw)
        try check(code, "cannot add slot \(easy.callbacks.slot)")
        easy.callbacks.isAdded = true
        addedCount += 1
    }

    /// Takes a handle back, finished or not. What is not finished ends here, and its connection
    /// with it.
    public mutating func remove(_ easy: borrowing EasyHandle) throws(CurlError) {
        precondition(easy.callbacks.isAdded, "slot \(easy.callbacks.slot) was not added")
        let code = curl_multi_remove_handle(raw, easy.easy.raw)
        try check(code, "cannot remove slot \(easy.callbacks.slot)")
        easy.callbacks.isAdded = false
        addedCount -= 1
    }

    /// Does all that can be done without waiting; callbacks are called from within.
    ///
    /// - Returns: how many exchanges are not finished.
    public mutating func perform() throws(CurlError) -> Int {
        var runningCount: Int32 = 0
        try check(curl_multi_perform(raw, &runningCount), "cannot drive the exchanges")
        return Int(runningCount)
    }

    /// The next exchange that is over, each once; nil when there is no more for now.
    public mutating func nextFinished() -> Finished? {
        var waitingCount: Int32 = 0
        while let message = curl_multi_info_read(raw, &waitingCount)?.pointee {
            guard message.msg == CURLMSG_DONE, let easy = message.easy_handle else { continue }
            let context = EasyPointer(raw: easy).get(.privateData)
            guard let callbacks = EasyCallbacks.from(context) else { continue }
            let error = Self.error(message.data.result, callbacks)
            return Finished(slot: callbacks.slot, error: error)
        }
        return nil
    }

    private static func error(_ code: CURLcode, _ callbacks: EasyCallbacks) -> CurlError? {
        guard code != CURLE_OK else { return nil }
        let text = callbacks.errorText ?? String(cString: curl_easy_strerror(code))
        return CurlError(easy: Int32(code.rawValue), message: text)
    }

    /// Waits until a socket is ready, one of libcurl's own times has come, `waker` was used, or
    /// `timeout` is over (rounded up to milliseconds).
    public mutating func poll(timeout: Duration) throws(CurlError) {
        let code = curl_multi_poll(raw, nil, 0, Int32(timeout.milliseconds), nil)
        try check(code, "cannot wait for the exchanges")
    }
}

/// Ends the `poll` that its multi handle is in, or else the next one. For any thread, at any time:
/// after the multi handle was closed it does nothing.
public final class MultiWaker: Sendable {
    /// The address of the `CURLM`; nil when it is closed. The lock is held for the call, so that
    /// the handle is not freed under it. As a number, since a pointer may not cross threads.
    private let address: Mutex<UInt?>

    fileprivate init(_ raw: UnsafeMutableRawPointer) {
        address = Mutex(UInt(bitPattern: raw))
    }

    public func wake() {
        address.withLock { address in
            guard let address, let raw = UnsafeMutableRawPointer(bitPattern: address) else {
                return
            }
            // It fails only where there is nothing to wake, which `MultiHandle.init` has ruled out.
            let code = curl_multi_wakeup(raw)
            assert(code == CURLM_OK, "curl_multi_wakeup: \(code.rawValue)")
        }
    }

    fileprivate func invalidate() {
        address.withLock { $0 = nil }
    }
}
