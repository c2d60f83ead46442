//! The options and the information of an easy handle, each bound to the C type that it has.

internal import CCurl

/// An option together with the type of its value, so that the right shim is chosen by the compiler:
/// a variadic C function that is given the wrong type does something undefined and says nothing.
struct EasyOption<Value> {
    let id: CURLoption

    init(_ id: CURLoption) { self.id = id }

    /// The name in curl's manual, for errors.
    var name: String {
        guard let option = curl_easy_option_by_id(id) else { return "option \(id.rawValue)" }
        return "CURLOPT_\(String(cString: option.pointee.name))"
    }
}

/// A piece of information about the last exchange together with its type.
struct EasyInfo<Value> {
    let id: CURLINFO

    init(_ id: CURLINFO) { self.id = id }
}

/// A `curl_off_t`: a size in bytes or a time in microseconds.
struct Offset {}
/// A pointer that libcurl keeps as it is.
struct Pointer {}
/// A `curl_slist *` that libcurl keeps as it is.
struct List {}
/// The type of the callbacks for header, body and upload.
struct DataFunction {}

extension EasyOption<Bool> {
    static var noSignal: Self { Self(CURLOPT_NOSIGNAL) }
    static var pathAsIs: Self { Self(CURLOPT_PATH_AS_IS) }
    static var followLocation: Self { Self(CURLOPT_FOLLOWLOCATION) }
    static var dnsShuffleAddresses: Self { Self(CURLOPT_DNS_SHUFFLE_ADDRESSES) }
    static var tcpNoDelay: Self { Self(CURLOPT_TCP_NODELAY) }
    static var tcpKeepAlive: Self { Self(CURLOPT_TCP_KEEPALIVE) }
    static var disallowUsernameInURL: Self { Self(CURLOPT_DISALLOW_USERNAME_IN_URL) }
    static var contentDecoding: Self { Self(CURLOPT_HTTP_CONTENT_DECODING) }
    static var verifyPeer: Self { Self(CURLOPT_SSL_VERIFYPEER) }
    static var httpGet: Self { Self(CURLOPT_HTTPGET) }
    static var noBody: Self { Self(CURLOPT_NOBODY) }
    static var upload: Self { Self(CURLOPT_UPLOAD) }
}

extension EasyOption<Int> {
    static var httpVersion: Self { Self(CURLOPT_HTTP_VERSION) }
    static var netrc: Self { Self(CURLOPT_NETRC) }
    static var bufferSize: Self { Self(CURLOPT_BUFFERSIZE) }
    static var uploadBufferSize: Self { Self(CURLOPT_UPLOAD_BUFFERSIZE) }
    static var connectTimeoutMilliseconds: Self { Self(CURLOPT_CONNECTTIMEOUT_MS) }
    static var lowSpeedLimit: Self { Self(CURLOPT_LOW_SPEED_LIMIT) }
    static var lowSpeedTimeSeconds: Self { Self(CURLOPT_LOW_SPEED_TIME) }
    static var maxAgeConnectionSeconds: Self { Self(CURLOPT_MAXAGE_CONN) }
    static var dnsCacheTimeoutSeconds: Self { Self(CURLOPT_DNS_CACHE_TIMEOUT) }
    static var sslVersion: Self { Self(CURLOPT_SSLVERSION) }
    static var verifyHost: Self { Self(CURLOPT_SSL_VERIFYHOST) }
}

extension EasyOption<String> {
    static var url: Self { Self(CURLOPT_URL) }
    static var requestTarget: Self { Self(CURLOPT_REQUEST_TARGET) }
    static var customRequest: Self { Self(CURLOPT_CUSTOMREQUEST) }
    static var protocols: Self { Self(CURLOPT_PROTOCOLS_STR) }
    static var proxy: Self { Self(CURLOPT_PROXY) }
    static var userAgent: Self { Self(CURLOPT_USERAGENT) }
    static var caInfo: Self { Self(CURLOPT_CAINFO) }
    static var caPath: Self { Self(CURLOPT_CAPATH) }
    static var sslCertificate: Self { Self(CURLOPT_SSLCERT) }
    static var sslKey: Self { Self(CURLOPT_SSLKEY) }
    static var tls13Ciphers: Self { Self(CURLOPT_TLS13_CIPHERS) }
}

extension EasyOption<Offset> {
    static var postFieldSize: Self { Self(CURLOPT_POSTFIELDSIZE_LARGE) }
    static var inFileSize: Self { Self(CURLOPT_INFILESIZE_LARGE) }
}

extension EasyOption<Pointer> {
    static var errorBuffer: Self { Self(CURLOPT_ERRORBUFFER) }
    static var parsedURL: Self { Self(CURLOPT_CURLU) }
    static var privateData: Self { Self(CURLOPT_PRIVATE) }
    static var postFields: Self { Self(CURLOPT_POSTFIELDS) }
    static var headerData: Self { Self(CURLOPT_HEADERDATA) }
    static var writeData: Self { Self(CURLOPT_WRITEDATA) }
    static var readData: Self { Self(CURLOPT_READDATA) }
    static var seekData: Self { Self(CURLOPT_SEEKDATA) }
    static var prerequestData: Self { Self(CURLOPT_PREREQDATA) }
}

extension EasyOption<List> {
    static var httpHeader: Self { Self(CURLOPT_HTTPHEADER) }
}

extension EasyOption<DataFunction> {
    static var headerFunction: Self { Self(CURLOPT_HEADERFUNCTION) }
    static var writeFunction: Self { Self(CURLOPT_WRITEFUNCTION) }
    static var readFunction: Self { Self(CURLOPT_READFUNCTION) }
}

extension EasyInfo<Int> {
    static var responseCode: Self { Self(CURLINFO_RESPONSE_CODE) }
    static var localPort: Self { Self(CURLINFO_LOCAL_PORT) }
    static var osErrno: Self { Self(CURLINFO_OS_ERRNO) }
    static var connectionCount: Self { Self(CURLINFO_NUM_CONNECTS) }
    static var requestSize: Self { Self(CURLINFO_REQUEST_SIZE) }
}

extension EasyInfo<Offset> {
    static var uploadSize: Self { Self(CURLINFO_SIZE_UPLOAD_T) }
    static var downloadSize: Self { Self(CURLINFO_SIZE_DOWNLOAD_T) }
    static var totalTimeMicroseconds: Self { Self(CURLINFO_TOTAL_TIME_T) }
}

extension EasyInfo<String> {
    static var primaryIP: Self { Self(CURLINFO_PRIMARY_IP) }
}

extension EasyInfo<Pointer> {
    static var privateData: Self { Self(CURLINFO_PRIVATE) }
}

/// A `CURL *` that knows the types of its options. It owns nothing.
struct EasyPointer {
    let raw: UnsafeMutableRawPointer

    func set(_ option: EasyOption<Bool>, _ isOn: Bool) throws(CurlError) {
        try check(ccurl_easy_setopt_long(raw, option.id, isOn ? 1 : 0), "cannot set \(option.name)")
    }

    func set(_ option: EasyOption<Int>, _ value: Int) throws(CurlError) {
        try check(ccurl_easy_setopt_long(raw, option.id, value), "cannot set \(option.name)")
    }

    func set(_ option: EasyOption<Offset>, _ value: Int64) throws(CurlError) {
        let code = ccurl_easy_setopt_offset(raw, option.id, curl_off_t(value))
        try check(code, "cannot set \(option.name)")
    }

    /// libcurl copies the text; nil restores the default.
    func set(_ option: EasyOption<String>, _ value: String?) throws(CurlError) {
        try check(ccurl_easy_setopt_string(raw, option.id, value), "cannot set \(option.name)")
    }

    /// libcurl copies the bytes up to the NUL.
    func set(_ option: EasyOption<String>, bytes: UnsafePointer<UInt8>) throws(CurlError) {
        let text = UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
        try check(ccurl_easy_setopt_string(raw, option.id, text), "cannot set \(option.name)")
    }

    func set(_ option: EasyOption<Pointer>, _ value: UnsafeRawPointer?) throws(CurlError) {
        try check(ccurl_easy_setopt_pointer(raw, option.id, value), "cannot set \(option.name)")
    }

    func set(
        _ option: EasyOption<List>, _ value: UnsafePointer<curl_slist>?
    ) throws(CurlError) {
        try check(ccurl_easy_setopt_list(raw, option.id, value), "cannot set \(option.name)")
    }

    func set(
        _ option: EasyOption<DataFunction>, _ value: curl_write_callback
    ) throws(CurlError) {
        let code = ccurl_easy_setopt_data_function(raw, option.id, value)
        try check(code, "cannot set \(option.name)")
    }

    func setSeekFunction(_ value: curl_seek_callback) throws(CurlError) {
        let code = ccurl_easy_setopt_seek_function(raw, CURLOPT_SEEKFUNCTION, value)
        try check(code, "cannot set CURLOPT_SEEKFUNCTION")
    }

    func setPrerequestFunction(_ value: curl_prereq_callback) throws(CurlError) {
        let code = ccurl_easy_setopt_prereq_function(raw, CURLOPT_PREREQFUNCTION, value)
        try check(code, "cannot set CURLOPT_PREREQFUNCTION")
    }

    // Information fails only for an id that libcurl does not know: a fault of this file.

    func get(_ info: EasyInfo<Int>) -> Int {
        var value = 0
        let code = ccurl_easy_getinfo_long(raw, info.id, &value)
        precondition(code == CURLE_OK, "libcurl has no information \(info.id.rawValue)")
        return value
    }

    func get(_ info: EasyInfo<Offset>) -> Int64 {
        var value: curl_off_t = 0
        let code = ccurl_easy_getinfo_offset(raw, info.id, &value)
        precondition(code == CURLE_OK, "libcurl has no information \(info.id.rawValue)")
        return Int64(value)
    }

    func get(_ info: EasyInfo<String>) -> String? {
        var value: UnsafePointer<CChar>?
        let code = ccurl_easy_getinfo_string(raw, info.id, &value)
        precondition(code == CURLE_OK, "libcurl has no information \(info.id.rawValue)")
        return value.map { String(cString: $0) }
    }

    func get(_ info: EasyInfo<Pointer>) -> UnsafeMutableRawPointer? {
        var value: UnsafeMutableRawPointer?
        let code = ccurl_easy_getinfo_pointer(raw, info.id, &value)
        precondition(code == CURLE_OK, "libcurl has no information \(info.id.rawValue)")
        return value
    }
}
