//! Signs requests by AWS Signature Version 4, for the service "s3", with the bucket in the path.

/// Signs the requests of one side.
///
/// All headers of a request are signed, and `host`, `x-amz-date`, `x-amz-content-sha256` and (if
/// there is one) `x-amz-security-token`. The path is percent-encoded once and not normalised: `//`,
/// `.` and `..` stay, so the transport must send it as it is (`CURLOPT_PATH_AS_IS`).
///
/// A value keeps buffers and the day's signing key from one signature to the next. A copy begins
/// with buffers of its own, so that every thread may have one.
public struct Signer: Sendable {
    private let identity: SigningIdentity
    private var desk = SigningDesk()

    public init(endpoint: Endpoint, credentials: Credentials, region: String) {
        self.identity = SigningIdentity(
            endpoint: endpoint, credentials: credentials, region: region)
    }

    /// Signs `request` as of `time`, which must be within 15 minutes of the server's clock, and
    /// writes it over `signed`.
    public mutating func sign(
        _ request: Request, at time: Timestamp, into signed: inout SignedRequest
    ) {
        if !isKnownUniquelyReferenced(&desk) { desk = SigningDesk() }
        desk.signature.sign(request, at: time, as: identity, into: &signed)
    }
}

extension Signer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        "Signer(\(identity.endpoint), \(identity.credentials), region: \(identity.region))"
    }

    public var debugDescription: String { description }

    /// The signing key is as secret as the secret.
    public var customMirror: Mirror { Mirror(self, children: ["signer": description]) }
}

/// Who signs, for where, with the texts that every signature needs as bytes.
struct SigningIdentity: Sendable {
    let endpoint: Endpoint
    let credentials: Credentials
    let region: String

    /// `https://host:port`, where every URL begins.
    let urlStart: [UInt8]
    let authority: [UInt8]
    let accessKey: [UInt8]
    /// Empty when there is none.
    let sessionToken: [UInt8]

    init(endpoint: Endpoint, credentials: Credentials, region: String) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.region = region
        self.urlStart = Array(endpoint.description.utf8)
        self.authority = Array(endpoint.authority.utf8)
        self.accessKey = Array(credentials.accessKey.utf8)
        self.sessionToken = Array((credentials.sessionToken ?? "").utf8)
    }
}

/// The place of a signer's buffers: a reference, so that `Signer` can be copied although a digest's
/// state cannot. Only a signer that is its sole owner touches it, which is what makes it sendable.
private final class SigningDesk: @unchecked Sendable {
    var signature = SignatureV4()
}
