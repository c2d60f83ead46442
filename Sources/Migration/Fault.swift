//! What can go wrong with an exchange, and the class that decides what is done about it.

public import S3

/// An exchange that did not bring what was wanted.
public struct Fault: Sendable {
    public var faultClass: FaultClass
    public var status: Int?
    public var code: String?
    public var message: String
    /// How long the server asks us to stay away (`Retry-After`), if it does.
    public var retryAfter: Duration?
    /// What time it is at the server.
    public var serverNow: Timestamp?
    /// It counts against nobody, and is no attempt: see `TransportFault.isForgiven`.
    public var isForgiven = false

    public init(
        _ faultClass: FaultClass, status: Int? = nil, code: String? = nil, message: String,
        retryAfter: Duration? = nil, serverNow: Timestamp? = nil
    ) {
        self.faultClass = faultClass
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.serverNow = serverNow
    }
}

/// The classes of faults: the third column of `failed.log` and the keys of `errors` in `summary.json`.
public enum FaultClass: String, Sendable, CaseIterable {
    /// No whole answer came: refused, reset, cut short, name not found.
    case transport
    /// Nothing moved for too long.
    case stalled
    /// The certificate or the TLS handshake was refused.
    case tls
    /// The server asks for fewer requests (503 SlowDown, 429).
    case throttled
    /// The server failed (5xx, 408).
    case server
    /// Our clock and the server's differ too much.
    case skew
    /// The session token is no longer good.
    case expired
    /// Somebody else wrote the same key at the same time (409).
    case conflict
    /// The target says that the body is not what its digest promises.
    case mismatch
    /// The source object changed while it was read.
    case changed
    /// The answer cannot be right: a wrong range, a missing header, no HTTP.
    case badAnswer = "bad-answer"
    /// The server will not have this request, and would not have it again (4xx).
    case refused
    /// The permission is missing (403).
    case denied
    /// The object's storage class does not let it be read (InvalidObjectState).
    case archived
    /// The object is larger than what this version copies.
    case tooLarge = "too-large"
    /// The target shows an object of ours that is not the source's.
    case damaged
    /// The whole run cannot go on: no such bucket, unknown key.
    case fatal

    // What a verification finds; no exchange fails so.

    /// The target has no such object.
    case missing
    /// The sizes differ.
    case size
    /// The ETags are two MD5s, and differ.
    case etag
    /// The bytes differ.
    case content
    case metadata
    case tags
}

/// A connection that failed, as the transport tells it.
public struct TransportFault: Error, Sendable {
    public enum Kind: Sendable {
        case broken
        case stalled
        case tls
        /// The answer had more bytes than were asked for and can be held.
        case overflow
        /// The request cannot be written as HTTP: metadata with control characters, say.
        case unsendable
    }

    public var kind: Kind
    public var message: String
    /// How often the transport had sent the request again on its own before it gave up.
    public var timesResent: Int
    /// The side was down, or our credentials for it had run out: it is tried again, as often as it takes.
    public var isForgiven = false
    /// The server did nothing of what was asked.
    public var hadNoEffect = false

    public init(_ kind: Kind, message: String, timesResent: Int = 0) {
        self.kind = kind
        self.message = message
        self.timesResent = timesResent
    }

    /// Whether it may be that nobody is there; else the fault is this exchange's own.
    public var isAbsence: Bool {
        switch kind {
        case .broken, .stalled, .tls: true
        case .overflow, .unsendable: false
        }
    }

    var faultClass: FaultClass {
        switch kind {
        case .broken: .transport
        case .stalled: .stalled
        case .tls: .tls
        case .overflow: .badAnswer
        case .unsendable: .refused
        }
    }
}
