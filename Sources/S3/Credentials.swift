//! Who asks: the keys of one side, which never print.

/// The access keys of one side.
public struct Credentials: Hashable, Sendable {
    public let accessKey: String
    public let secret: String
    /// For temporary credentials (STS); sent as `x-amz-security-token`.
    public let sessionToken: String?

    /// An empty session token counts as none.
    public init(
        accessKey: String, secret: String, sessionToken: String? = nil
    ) throws(CredentialsError) {
        guard !accessKey.isEmpty else { throw .empty("access key") }
        guard !secret.isEmpty else { throw .empty("secret key") }
        try Self.check(accessKey, "access key")
        try Self.check(secret, "secret key")
        try Self.check(sessionToken ?? "", "session token")
        self.accessKey = accessKey
        self.secret = secret
        self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A line end or a space is a slip of copy and paste, whose only sign would be a wrong
    /// signature; and the access key stands in a header.
    private static func check(_ text: String, _ name: String) throws(CredentialsError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .blank(name) }
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        "Credentials(accessKey: \(accessKey), secret: ******"
            + (sessionToken == nil ? ")" : ", sessionToken: ******)")
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror {
        Mirror(self, children: ["accessKey": accessKey, "secret": "******"])
    }
}

/// Why texts are no credentials. It names the field and never repeats its value.
public enum CredentialsError: Error, Hashable {
    case empty(String)
    case blank(String)
}

extension CredentialsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty(let field): "the \(field) is empty"
        case .blank(let field): "the \(field) holds a space, a line end or a control character"
        }
    }
}
