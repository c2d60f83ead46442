//! One slot's way to one side: an easy handle, and what its exchange needs.

internal import Curl
internal import Glibc
internal import Migration
public import S3

/// How a side is reached: what the operator said of it.
public struct SideSettings: Sendable {
    public var endpoint: Endpoint
    public var bucket: String
    public var region: String
    public var credentials: Credentials
    /// Where they can be read again; nil for those that were given once and for all.
    public var renewal: CredentialsRenewal?
    public var tls: TLSChoices

    public init(
        endpoint: Endpoint, bucket: String, region: String, credentials: Credentials,
        tls: TLSChoices = TLSChoices()
    ) {
        self.endpoint = endpoint
        self.bucket = bucket
        self.region = region
        self.credentials = credentials
        self.tls = tls
    }
}

/// Whom to trust, and who we are, over https.
public struct TLSChoices: Sendable {
    public var caFile: String?
    public var clientCertificate: String?
    public var clientKey: String?
    /// Takes any certificate; for tests of a cluster, never for data.
    public var isInsecure: Bool

    public init(
        caFile: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil,
        isInsecure: Bool = false
    ) {
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
        self.isInsecure = isInsecure
    }
}

/// An easy handle of libcurl with its headers and callbacks. A handle that libcurl has spoiled (its read position
/// can stick after a failed rewind) is replaced by a new one.
final class Channel {
    let exchange: Exchange
    private let slot: Int
    private let settings: EasySettings
    private var easy: EasyHandle?
    private var headers = HeaderList()
    private var signed = SignedRequest()

    init(slot: Int, body: ObjectBuffer, settings: EasySettings) {
        self.exchange = Exchange(body: body)
        self.slot = slot
        self.settings = settings
    }

    /// Signs the order's request and hands it to libcurl.
    func start(
        _ order: ExchangeOrder, signer: inout Signer, at time: Timestamp,
        on multi: inout MultiHandle
    ) throws(CurlError) {
        exchange.begin(order)
        signer.sign(order.request, at: time, into: &signed)
        try headers.replace(lines: signed.headerLines, starts: signed.headerLineStarts)
        if easy == nil {
            easy = try EasyHandle(callbacks: exchange, slot: slot, settings: settings)
        }
        try prepare(order)
        try withEasy { easy throws(CurlError) in try multi.add(easy) }
    }

    private func prepare(_ order: ExchangeOrder) throws(CurlError) {
        let patience = order.patience > settings.lowSpeedTime ? order.patience : nil
        try exchange.withUpload { upload throws(CurlError) in
            guard let method = EasyHandle.Method(rawValue: order.request.method.rawValue) else {
                preconditionFailure("libcurl's methods are S3's")
            }
            try signed.url.withUnsafeBufferPointer { url throws(CurlError) in
                guard let url = url.baseAddress else { preconditionFailure("a URL of nothing") }
                try easy?.prepare(
                    method: method, url: url, headers: headers, upload: upload,
                    lowSpeedTime: patience)
            }
        }
    }

    /// Takes the handle back from libcurl, whether its exchange has ended or not; says how often the request was
    /// sent again.
    func stop(on multi: inout MultiHandle) throws(CurlError) -> Int {
        let timesResent = max((easy?.sendCount ?? 0) - 1, 0)
        try withEasy { easy throws(CurlError) in try multi.remove(easy) }
        if easy?.isTainted ?? false { close() }
        return timesResent
    }

    func close() {
        easy.take()?.close()
    }

    /// What libcurl's error means for a transfer; with the system's reason where no connection came about.
    func fault(_ error: CurlError) -> TransportFault {
        let number = easy?.osErrno ?? 0
        guard error.code == CurlError.couldntConnect, number != 0 else {
            return TransportFault(error)
        }
        let reason = String(cString: strerror(number))
        return TransportFault(.broken, message: "\(error.message): \(reason)")
    }

    private func withEasy(
        _ body: (borrowing EasyHandle) throws(CurlError) -> Void
    ) throws(CurlError) {
        switch easy {
        case let easy?: try body(easy)
        case nil: preconditionFailure("an exchange without a handle")
        }
    }
}
