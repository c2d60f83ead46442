//! libcurl as a whole: what must happen once in a process before any handle is made.

internal import CCurl
internal import Glibc

/// The library, as opposed to its handles.
public enum Curl {
    /// Prepares the process: OpenSSL, SIGPIPE and libcurl, in this order, once.
    ///
    /// Any thread may call it, any number of times; handles call it themselves. A failure is
    /// remembered and thrown again. It changes the process: SIGPIPE is ignored from now on, since
    /// OpenSSL writes with `write(2)` and a peer that goes away would end us; and OpenSSL no longer
    /// cleans up at exit, because its `atexit` handler would free TLS objects under threads that
    /// still use them.
    public static func initialize() throws(CurlError) {
        try initialization.get()
    }

    /// Version of libcurl and of the libraries below it, as one line for logs: `curl_version()`.
    public static var version: String {
        String(cString: curl_version())
    }

    private static let initialization: Result<Void, CurlError> = initializeOnce()

    private static func initializeOnce() -> Result<Void, CurlError> {
        guard OPENSSL_init_crypto(CCURL_OPENSSL_INIT_NO_ATEXIT, nil) == 1 else {
            return .failure(
                CurlError(
                    easy: CurlError.failedInit,
                    message: "cannot initialise OpenSSL; check its configuration (OPENSSL_CONF)"))
        }
        signal(SIGPIPE, SIG_IGN)
        return Result { () throws(CurlError) in
            try check(curl_global_init(Int(CURL_GLOBAL_DEFAULT)), "cannot initialise libcurl")
        }
    }
}
