//! What libcurl says when something went wrong, and the two funnels for all its return codes.

internal import CCurl

/// A failure that libcurl reported.
///
/// An easy handle's codes are those of `libcurl-errors(3)`, "CURLcode"; a multi handle's those of
/// "CURLMcode". The two overlap in their numbers, hence `origin`. What to do about a failure is not
/// decided here.
public struct CurlError: Error, Hashable, Sendable {
    /// Which list of codes `code` is from.
    public enum Origin: Sendable {
        case easy
        case multi
    }

    public let origin: Origin
    /// A CURLcode or a CURLMcode; never 0.
    public let code: Int32
    /// What happened, in libcurl's words: the error buffer's text where there is one. It may name
    /// the host; it never holds a header, so no secret either.
    public let message: String

    public init(origin: Origin = .easy, code: Int32, message: String) {
        precondition(code != 0, "0 is success, not an error")
        self.origin = origin
        self.code = code
        self.message = message
    }

    /// The name of the code in curl's manual, `CURLE_COULDNT_CONNECT`; nil for one that HTTP never
    /// gives.
    public var symbol: String? {
        switch origin {
        case .easy: Self.easySymbols[code]
        case .multi: Self.multiSymbols[code]
        }
    }
}

extension CurlError: CustomStringConvertible {
    public var description: String {
        let list = origin == .easy ? "CURLE" : "CURLM"
        return "\(message) (\(symbol ?? list) \(code))"
    }
}

/// The codes of an easy handle that an HTTP client meets, by curl's names.
extension CurlError {
    public static let unsupportedProtocol: Int32 = easy(CURLE_UNSUPPORTED_PROTOCOL)
    public static let failedInit: Int32 = easy(CURLE_FAILED_INIT)
    public static let urlMalformat: Int32 = easy(CURLE_URL_MALFORMAT)
    public static let couldntResolveHost: Int32 = easy(CURLE_COULDNT_RESOLVE_HOST)
    public static let couldntConnect: Int32 = easy(CURLE_COULDNT_CONNECT)
    public static let weirdServerReply: Int32 = easy(CURLE_WEIRD_SERVER_REPLY)
    public static let partialFile: Int32 = easy(CURLE_PARTIAL_FILE)
    public static let writeError: Int32 = easy(CURLE_WRITE_ERROR)
    public static let readError: Int32 = easy(CURLE_READ_ERROR)
    public static let outOfMemory: Int32 = easy(CURLE_OUT_OF_MEMORY)
    public static let operationTimedOut: Int32 = easy(CURLE_OPERATION_TIMEDOUT)
    public static let sslConnectError: Int32 = easy(CURLE_SSL_CONNECT_ERROR)
    public static let abortedByCallback: Int32 = easy(CURLE_ABORTED_BY_CALLBACK)
    public static let badFunctionArgument: Int32 = easy(CURLE_BAD_FUNCTION_ARGUMENT)
    public static let unknownOption: Int32 = easy(CURLE_UNKNOWN_OPTION)
    public static let gotNothing: Int32 = easy(CURLE_GOT_NOTHING)
    public static let sendError: Int32 = easy(CURLE_SEND_ERROR)
    public static let recvError: Int32 = easy(CURLE_RECV_ERROR)
    public static let sslCertProblem: Int32 = easy(CURLE_SSL_CERTPROBLEM)
    public static let sslCipher: Int32 = easy(CURLE_SSL_CIPHER)
    public static let peerFailedVerification: Int32 = easy(CURLE_PEER_FAILED_VERIFICATION)
    public static let badContentEncoding: Int32 = easy(CURLE_BAD_CONTENT_ENCODING)
    public static let sendFailRewind: Int32 = easy(CURLE_SEND_FAIL_REWIND)
    public static let loginDenied: Int32 = easy(CURLE_LOGIN_DENIED)
    public static let sslCACertBadFile: Int32 = easy(CURLE_SSL_CACERT_BADFILE)
    public static let noConnectionAvailable: Int32 = easy(CURLE_NO_CONNECTION_AVAILABLE)

    private static let easySymbols: [Int32: String] = [
        unsupportedProtocol: "CURLE_UNSUPPORTED_PROTOCOL",
        failedInit: "CURLE_FAILED_INIT",
        urlMalformat: "CURLE_URL_MALFORMAT",
        couldntResolveHost: "CURLE_COULDNT_RESOLVE_HOST",
        couldntConnect: "CURLE_COULDNT_CONNECT",
        weirdServerReply: "CURLE_WEIRD_SERVER_REPLY",
        partialFile: "CURLE_PARTIAL_FILE",
        writeError: "CURLE_WRITE_ERROR",
        readError: "CURLE_READ_ERROR",
        outOfMemory: "CURLE_OUT_OF_MEMORY",
        operationTimedOut: "CURLE_OPERATION_TIMEDOUT",
        sslConnectError: "CURLE_SSL_CONNECT_ERROR",
        abortedByCallback: "CURLE_ABORTED_BY_CALLBACK",
        badFunctionArgument: "CURLE_BAD_FUNCTION_ARGUMENT",
        unknownOption: "CURLE_UNKNOWN_OPTION",
        gotNothing: "CURLE_GOT_NOTHING",
        sendError: "CURLE_SEND_ERROR",
        recvError: "CURLE_RECV_ERROR",
        sslCertProblem: "CURLE_SSL_CERTPROBLEM",
        sslCipher: "CURLE_SSL_CIPHER",
        peerFailedVerification: "CURLE_PEER_FAILED_VERIFICATION",
        badContentEncoding: "CURLE_BAD_CONTENT_ENCODING",
        sendFailRewind: "CURLE_SEND_FAIL_REWIND",
        loginDenied: "CURLE_LOGIN_DENIED",
        sslCACertBadFile: "CURLE_SSL_CACERT_BADFILE",
        noConnectionAvailable: "CURLE_NO_CONNECTION_AVAILABLE",
    ]

    private static let multiSymbols: [Int32: String] = [
        CURLM_BAD_HANDLE.rawValue: "CURLM_BAD_HANDLE",
        CURLM_BAD_EASY_HANDLE.rawValue: "CURLM_BAD_EASY_HANDLE",
        CURLM_OUT_OF_MEMORY.rawValue: "CURLM_OUT_OF_MEMORY",
        CURLM_INTERNAL_ERROR.rawValue: "CURLM_INTERNAL_ERROR",
        CURLM_UNKNOWN_OPTION.rawValue: "CURLM_UNKNOWN_OPTION",
        CURLM_ADDED_ALREADY.rawValue: "CURLM_ADDED_ALREADY",
        CURLM_RECURSIVE_API_CALL.rawValue: "CURLM_RECURSIVE_API_CALL",
        CURLM_WAKEUP_FAILURE.rawValue: "CURLM_WAKEUP_FAILURE",
        CURLM_BAD_FUNCTION_ARGUMENT.rawValue: "CURLM_BAD_FUNCTION_ARGUMENT",
        CURLM_ABORTED_BY_CALLBACK.rawValue: "CURLM_ABORTED_BY_CALLBACK",
        CURLM_UNRECOVERABLE_POLL.rawValue: "CURLM_UNRECOVERABLE_POLL",
    ]

    private static func easy(_ code: CURLcode) -> Int32 { Int32(code.rawValue) }
}

extension CurlError {
    init(easy code: Int32, message: String) {
        self.init(origin: .easy, code: code, message: message)
    }
}

/// The one funnel for the results of easy handles. `what` says what could not be done: "cannot set
/// …".
func check(_ code: CURLcode, _ what: @autoclosure () -> String) throws(CurlError) {
    guard code != CURLE_OK else { return }
    let message = "\(what()): \(String(cString: curl_easy_strerror(code)))"
    throw CurlError(origin: .easy, code: Int32(code.rawValue), message: message)
}

/// The one funnel for the results of multi handles. `what` says what could not be done.
func check(_ code: CURLMcode, _ what: @autoclosure () -> String) throws(CurlError) {
    guard code != CURLM_OK else { return }
    let message = "\(what()): \(String(cString: curl_multi_strerror(code)))"
    throw CurlError(origin: .multi, code: code.rawValue, message: message)
}
