//! A request ready for the wire: the signer's output, the transport's input.

/// A signed request as the bytes that libcurl takes. One value is reused for many requests, so that
/// signing allocates nothing.
///
/// `Host` is not among the headers: libcurl writes it from the URL, and the endpoint's form of the
/// host makes it the one that was signed.
public struct SignedRequest: Sendable {
    public internal(set) var method: Request.Method = .get
    /// The absolute URL, closed by a NUL. Its path and query are, byte for byte, the signed ones.
    public internal(set) var url: [UInt8] = []
    /// The headers back to back, each `name: value` and a NUL. One with an empty value is `name;`,
    /// which is how libcurl is told to send it (CURLOPT_HTTPHEADER).
    public internal(set) var headerLines: [UInt8] = []
    /// Where each header begins in `headerLines`.
    public internal(set) var headerLineStarts: [Int] = []

    public init() {}

    mutating func removeAll() {
        url.removeAll(keepingCapacity: true)
        headerLines.removeAll(keepingCapacity: true)
        headerLineStarts.removeAll(keepingCapacity: true)
    }

    mutating func appendHeader(name: some Sequence<UInt8>, value: some Collection<UInt8>) {
        headerLineStarts.append(headerLines.count)
        headerLines.append(contentsOf: name)
        headerLines.append(UInt8(ascii: ":"))
        if !value.isEmpty {
            headerLines.append(UInt8(ascii: " "))
            headerLines.append(contentsOf: value)
        }
        headerLines.append(0)
    }
}

extension SignedRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Method and URL; the headers hold a signature and perhaps a session token, which never print.
    public var description: String {
        "\(method.rawValue) \(String(decoding: url.dropLast(), as: UTF8.self))"
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}
