//! Where a handle's requests go: the part of their URLs that stays, taken apart once.

internal import CCurl
internal import Glibc

/// What libcurl knows of a handle's URLs.
///
/// It takes a URL apart and puts it together again for each exchange, byte by byte. So it is given the origin as it
/// wants it, a `CURLU *`, and the rest as the request's target, which it only copies.
struct EasyOrigin: ~Copyable {
    /// `https://host:port/`.
    private var text: [UInt8] = []
    /// The same, taken apart; nil for what libcurl does not take. It must outlive the easy handle.
    private var parts: OpaquePointer?

    deinit { curl_url_cleanup(parts) }

    /// - Parameter url: percent-encoded, up to a NUL; libcurl copies it.
    /// - Throws: `badFunctionArgument` for a URL with blanks or control bytes, which would be another request. Other
    ///   bad URLs are found out by the exchange itself.
    mutating func take(url: UnsafePointer<UInt8>, for easy: EasyPointer) throws(CurlError) {
        let bytes = UnsafeBufferPointer(start: url, count: strlen(url))
        if bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            throw CurlError(
                easy: CurlError.badFunctionArgument,
                message: "a URL with a blank or a control byte in it cannot be sent")
        }
        let pathStart = Self.pathStart(of: bytes)
        let origin = bytes[..<(pathStart.map { $0 + 1 } ?? bytes.count)]
        if !text.elementsEqual(origin) { try change(to: Array(origin), for: easy) }
        if let pathStart {
            try easy.set(.requestTarget, bytes: url + pathStart)
        } else {
            try easy.set(.requestTarget, nil)
        }
    }

    private mutating func change(
        to origin: [UInt8], for easy: EasyPointer
    ) throws(CurlError) {
        let old = parts
        parts = Self.parts(of: origin)
        try easy.set(.parsedURL, parts.map { UnsafeRawPointer($0) })
        curl_url_cleanup(old)
        // Set for what could not be taken apart; else it is forgotten, and libcurl makes it anew from the parts.
        try easy.set(.url, parts == nil ? String(decoding: origin, as: UTF8.self) : nil)
        text = origin
    }

    /// As libcurl itself would do it, with the settings of `EasyPointer.configureFixed`.
    private static func parts(of origin: [UInt8]) -> OpaquePointer? {
        guard let parts = curl_url() else { return nil }
        let flags = CURLU_GUESS_SCHEME | CURLU_DISALLOW_USER | CURLU_PATH_AS_IS
        let code = curl_url_set(
            parts, CURLUPART_URL, String(decoding: origin, as: UTF8.self), UInt32(flags))
        guard code == CURLUE_OK else {
            curl_url_cleanup(parts)
            return nil
        }
        return parts
    }

    /// The place of the slash behind the authority; nil for a URL without a path (RFC 3986, section 3).
    private static func pathStart(of url: UnsafeBufferPointer<UInt8>) -> Int? {
        var slashCount = 0
        for (index, byte) in url.enumerated() {
            switch byte {
            case UInt8(ascii: "?"), UInt8(ascii: "#"): return nil
            case UInt8(ascii: "/"): slashCount += 1
            default: break
            }
            if slashCount == 3 { return index }
        }
        return nil
    }
}
