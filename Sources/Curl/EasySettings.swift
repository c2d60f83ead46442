//! What is the same for every exchange of a handle: limits, times and TLS, set once.

internal import CCurl

/// The settings of an easy handle that an operator or the engine may choose.
///
/// What nobody may choose stands in `EasyPointer.configureFixed`.
public struct EasySettings: Sendable {
    /// How much is read from the socket at once, `CURLOPT_BUFFERSIZE`. libcurl holds as much memory
    /// while an exchange runs. The default of libcurl, 16 KiB, costs a fifth of the rate of large
    /// bodies.
    public var receiveBufferSizeBytes = 256 * 1024
    /// The same for uploads, `CURLOPT_UPLOAD_BUFFERSIZE`; libcurl takes at most 2 MiB.
    public var uploadBufferSizeBytes = 512 * 1024
    /// For name, TCP and TLS together, `CURLOPT_CONNECTTIMEOUT_MS`.
    public var connectTimeout: Duration = .seconds(10)
    /// Below so many bytes a second, up and down together, for `lowSpeedTime`, an exchange fails
    /// with `operationTimedOut`. Waiting for an answer counts: a server that thinks longer than
    /// `lowSpeedTime` is given up. 0 switches it off.
    public var lowSpeedLimitBytes = 1024
    /// See `lowSpeedLimitBytes`; libcurl counts whole seconds, so it is rounded up. The speed is
    /// the mean of the last five seconds, so after a burst it takes some five seconds longer.
    public var lowSpeedTime: Duration = .seconds(60)
    /// A connection that was idle for longer is not used again, `CURLOPT_MAXAGE_CONN`. Gateways
    /// drop idle connections without a word, and a PUT on a dropped one is sent twice.
    public var connectionIdleMax: Duration = .seconds(30)
    /// How long a name's addresses are kept. 0, since shuffled addresses spread the load over the
    /// gateways of a cluster only if each new connection draws anew; connections live long.
    public var dnsCacheTime: Duration = .zero
    public var userAgent = "s3migrate"
    public var tls = TLSSettings()

    public init() {}
}

/// Whom to trust, and as whom to appear. It means nothing for `http`.
public struct TLSSettings: Sendable {
    /// PEM file with the authorities to trust; nil for the system's.
    public var caFile: String?
    /// Directory of hashed authorities (`openssl rehash`) to trust as well; nil for none.
    public var caPath: String?
    /// Whether the certificate must come from a trusted authority.
    public var verifyPeer = true
    /// Whether the certificate must name the host of the URL.
    public var verifyHost = true
    /// PEM file with our own certificate; nil for none.
    public var clientCert: String?
    /// PEM file with its key, not encrypted; nil when it is in `clientCert`.
    public var clientKey: String?
    /// TLS 1.3 ciphers in the order of preference. AES-128 first saves 7% of the CPU of large
    /// bodies.
    public var tls13Ciphers =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

    public init() {}
}

extension EasyPointer {
    /// Sets what holds for every exchange, whoever asks.
    func configureFixed() throws(CurlError) {
        // One connection for each exchange: over TLS libcurl would else put all on one, with
        // HTTP/2.
        try set(.httpVersion, CURL_HTTP_VERSION_1_1)
        // Keys hold `//`, `/./` and `/../`, and the signature covers them.
        try set(.pathAsIs, true)
        // A redirect changes host and signature: it is an answer, not a thing to follow.
        try set(.followLocation, false)
        try set(.protocols, "http,https")
        // Bytes arrive as they are stored, whatever Content-Encoding says.
        try set(.contentDecoding, false)
        // Nothing of the user's environment decides where data goes: no proxy, no .netrc, no user
        // in URLs.
        try set(.proxy, "")
        try set(.netrc, Int(CURL_NETRC_IGNORED.rawValue))
        try set(.disallowUsernameInURL, true)
        // Signals and threads do not go together (libcurl-thread(3)).
        try set(.noSignal, true)
        try set(.dnsShuffleAddresses, true)
        try set(.tcpNoDelay, true)
        try set(.tcpKeepAlive, true)
    }

    func configure(_ settings: EasySettings) throws(CurlError) {
        try set(.bufferSize, settings.receiveBufferSizeBytes)
        try set(.uploadBufferSize, settings.uploadBufferSizeBytes)
        // 0 would mean libcurl's default of 300 seconds.
        try set(.connectTimeoutMilliseconds, max(1, settings.connectTimeout.milliseconds))
        try set(.lowSpeedLimit, settings.lowSpeedLimitBytes)
        try set(.lowSpeedTimeSeconds, settings.lowSpeedTime.seconds)
        try set(.maxAgeConnectionSeconds, max(1, settings.connectionIdleMax.seconds))
        try set(.dnsCacheTimeoutSeconds, settings.dnsCacheTime.seconds)
        try set(.userAgent, settings.userAgent)
        try configure(settings.tls)
    }

    private func configure(_ tls: TLSSettings) throws(CurlError) {
        try set(.sslVersion, CURL_SSLVERSION_TLSv1_2)
        try set(.verifyPeer, tls.verifyPeer)
        try set(.verifyHost, tls.verifyHost ? 2 : 0)
        if let caFile = tls.caFile { try set(.caInfo, caFile) }
        // Set even to nothing: with Debian's default directory libcurl keeps no parsed authorities,
        // and each connection would read all of them, for 30 ms of CPU instead of 2.
        try set(.caPath, tls.caPath)
        try set(.sslCertificate, tls.clientCert)
        try set(.sslKey, tls.clientKey)
        try set(.tls13Ciphers, tls.tls13Ciphers)
    }
}

extension Duration {
    /// Rounded up, so that a wait that is not over never becomes one of 0; held within a C `int`.
    var milliseconds: Int { wholes(ofAttoseconds: 1_000_000_000_000_000) }

    /// Rounded up, held within a C `int`.
    var seconds: Int { wholes(ofAttoseconds: 1_000_000_000_000_000_000) }

    private func wholes(ofAttoseconds unit: Int64) -> Int {
        let (seconds, attoseconds) = components
        guard self > .zero else { return 0 }
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        let perSecond = 1_000_000_000_000_000_000 / unit
        return Int(seconds * perSecond + (attoseconds + unit - 1) / unit)
    }
}
