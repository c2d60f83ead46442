//! Keeps secrets out of what servers say about our requests.

public import S3

/// Takes out of messages what nobody should read in a log: there are servers that quote a request's headers, or
/// the string that they expected to be signed.
public struct Redaction: Sendable {
    private var secrets: [String] = []

    public init(_ credentials: [Credentials]) {
        for each in credentials { add(each) }
    }

    public mutating func add(_ credentials: Credentials) {
        // A short text would be found everywhere, and hides nothing.
        secrets += [credentials.secret, credentials.sessionToken ?? ""].filter {
            $0.utf8.count >= 8 && !secrets.contains($0)
        }
    }

    /// The text with every secret replaced by stars.
    public func applied(to text: String) -> String {
        secrets.reduce(text) { text, secret in
            var rest = Substring(text)
            var clean = ""
            while let range = rest.firstRange(of: secret) {
                clean += rest[..<range.lowerBound] + "******"
                rest = rest[range.upperBound...]
            }
            return clean + rest
        }
    }

    public func applied(to failure: Failure) -> Failure {
        var failure = failure
        failure.message = applied(to: failure.message)
        failure.code = failure.code.map { applied(to: $0) }
        return failure
    }
}
