//! Where a side's S3 service is: scheme, host and port, as they are signed and sent.

/// The address of an S3 service, `http[s]://host[:port]`; buckets stand in the path ("path style").
///
/// The host is kept in the one form that libcurl would write into the `Host` field, because that
/// field is signed: in lower case, IPv6 addresses as RFC 5952 writes them, a scheme's own port left
/// out.
public struct Endpoint: Hashable, Sendable {
    public enum Scheme: String, Sendable {
        case http
        case https

        var defaultPort: Int { self == .https ? 443 : 80 }
    }

    public let scheme: Scheme
    /// A name or an IPv4 address, or an IPv6 address without its brackets.
    public let host: String
    public let port: Int

    /// Parses `http[s]://host[:port][/]` (RFC 3986, section 3).
    public init(_ text: String) throws(EndpointError) {
        guard let mark = text.firstRange(of: "://") else { throw .schemeMissing }
        self.scheme = try Self.scheme(text[..<mark.lowerBound])
        let authority = try Self.authority(text[mark.upperBound...])
        let (host, port) = try Self.hostAndPort(authority)
        self.host = try endpointHost(host)
        self.port = try port.map(Self.port) ?? scheme.defaultPort
    }

    public var isSecure: Bool { scheme == .https }

    /// What stands in the `Host` field (RFC 9110, section 7.2).
    public var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? host : "\(host):\(port)"
    }

    private static func scheme(_ text: Substring) throws(EndpointError) -> Scheme {
        guard let scheme = Scheme(rawValue: text.lowercased()) else {
            throw .schemeUnknown(shownText(text, countMax: 20))
        }
        return scheme
    }

    /// What stands between `://` and the end, which may be one slash.
    private static func authority(_ rest: Substring) throws(EndpointError) -> Substring {
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else { throw .userInfo }
        switch rest[end...] {
        case "", "/": return authority
        case let tail where tail.contains("#"): throw .fragment
        case let tail where tail.contains("?"): throw .query
        default: throw .path
        }
    }

    private static func hostAndPort(
        _ authority: Substring
    ) throws(EndpointError) -> (host: Substring, port: Substring?) {
        let search = authority.lastIndex(of: "]") ?? authority.startIndex
        guard let colon = authority[search...].firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    private static func port(_ digits: Substring) throws(EndpointError) -> Int {
        guard digits.utf8.allSatisfy(isDigit), digits.utf8.count <= 5 else { throw .port }
        guard let port = Int(digits), (1...65535).contains(port) else { throw .port }
        return port
    }
}

extension Endpoint: CustomStringConvertible {
    /// The address without a slash at its end.
    public var description: String { "\(scheme.rawValue)://\(authority)" }
}

/// Why a text is no endpoint. What could hold a secret (user info, port, path, query) is never
/// repeated.
public enum EndpointError: Error, Hashable {
    case schemeMissing
    case schemeUnknown(String)
    case userInfo
    case query
    case fragment
    case path
    case hostEmpty
    case host(String)
    case port
}

extension EndpointError: CustomStringConvertible {
    public var description: String {
        "\(reason); the form is https://host, http://host:port or http://[IPv6]:port"
    }

    private var reason: String {
        switch self {
        case .schemeMissing: "the URL does not begin with http:// or https://"
        case .schemeUnknown(let scheme): "the URL's scheme is \"\(scheme)\", not http or https"
        case .userInfo:
            "the URL holds a user or password: give the keys by their own options"
        case .query: "the URL holds a query (\"?\")"
        case .fragment: "the URL holds a fragment (\"#\")"
        case .path: "the URL holds a path: the bucket is given by its own option"
        case .hostEmpty: "the URL has no host"
        case .host(let reason): "the URL's host is wrong: \(reason)"
        case .port: "the URL's port is not a number from 1 to 65535"
        }
    }
}
