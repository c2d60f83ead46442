//! Credentials that end before the run does: where they can be read again.

public import S3

/// Where credentials can be read again while the run goes on.
public struct CredentialsRenewal: Sendable {
    /// For messages: `the profile 'x'`.
    public var name: String
    public var read: @Sendable () throws(CredentialsProblem) -> Credentials

    public init(
        name: String, read: @escaping @Sendable () throws(CredentialsProblem) -> Credentials
    ) {
        self.name = name
        self.read = read
    }
}

/// Why credentials cannot be had.
public struct CredentialsProblem: Error, Sendable {
    public var message: String

    public init(_ message: String) {
        self.message = message
    }
}
