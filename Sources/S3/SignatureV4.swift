//! The steps of a signature, in the order of AWS's paper, over buffers that are used again.

/// The work of one signature ("Create a signed AWS API request", AWS Signature Version 4), with the
/// buffers that its steps fill. Nothing here is a `String`: some ten thousand requests a second
/// pass.
struct SignatureV4: ~Copyable {
    private var fields = HeaderFields()
    private var order: [Int] = []
    private var canonical: [UInt8] = []
    private var signedNames: [UInt8] = []
    private var text: [UInt8] = []
    private var payloadHash: [UInt8] = []
    private var digest = DigestContext(.sha256)
    private var code = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// The time's text is kept for its second, the key and its scope for their day.
    private var time: Timestamp?
    private var amzDate: [UInt8] = []
    private var scope: [UInt8] = []
    private var key = HMACKey([])

    mutating func sign(
        _ request: Request, at time: Timestamp, as identity: SigningIdentity,
        into signed: inout SignedRequest
    ) {
        signed.removeAll()
        signed.method = request.method
        setTime(time, as: identity)
        collectFields(of: request, as: identity)
        canonicalRequest(request, as: identity, into: &signed)
        stringToSign()
        signature()
        appendAuthorization(as: identity, to: &signed)
    }

    private mutating func setTime(_ time: Timestamp, as identity: SigningIdentity) {
        guard time != self.time else { return }
        let dayBefore = amzDate.prefix(dayByteCount)
        let amzDate = Array(time.amzDate.utf8)
        if amzDate.prefix(dayByteCount) != dayBefore {
            let day = Array(amzDate.prefix(dayByteCount))
            scope = day + "/\(identity.region)/s3/aws4_request".utf8
            key = HMACKey(signingKey(day: day, identity))
        }
        self.time = time
        self.amzDate = amzDate
    }

    /// All that is signed: the request's own headers and those of the signature.
    private mutating func collectFields(of request: Request, as identity: SigningIdentity) {
        fields.removeAll()
        fields.append(contentsOf: request.headers)
        fields.append(name: "host".utf8, value: identity.authority)
        fields.append(name: "x-amz-date".utf8, value: amzDate)
        setPayloadHash(request.payloadHash)
        fields.append(name: "x-amz-content-sha256".utf8, value: payloadHash)
        if !identity.sessionToken.isEmpty {
            fields.append(name: "x-amz-security-token".utf8, value: identity.sessionToken)
        }
        fields.sort(into: &order)
    }

    private mutating func setPayloadHash(_ hash: Request.PayloadHash) {
        payloadHash.removeAll(keepingCapacity: true)
        switch hash {
        case .empty: payloadHash.append(contentsOf: emptySHA256.utf8)
        case .unsigned: payloadHash.append(contentsOf: "UNSIGNED-PAYLOAD".utf8)
        case .sha256(let bytes):
            precondition(bytes.count == SHA256.byteCount, "a payload's SHA-256 has 32 bytes")
            appendHex(bytes, to: &payloadHash)
        }
    }

    /// Step 1: method, path, query, headers, their names and the payload's hash, a line each. Path
    /// and query are taken from the URL, so that what is signed is what is sent.
    private mutating func canonicalRequest(
        _ request: Request, as identity: SigningIdentity, into signed: inout SignedRequest
    ) {
        canonical.removeAll(keepingCapacity: true)
        canonical.append(contentsOf: request.method.rawValue.utf8)
        canonical.append(newline)
        signed.url.append(contentsOf: identity.urlStart)
        appendPath(of: request, to: &signed.url)
        canonical.append(contentsOf: signed.url[identity.urlStart.count...])
        canonical.append(newline)
        if !request.query.isEmpty {
            let queryStart = signed.url.count + 1
            appendQuery(of: request, to: &signed.url)
            canonical.append(contentsOf: signed.url[queryStart...])
        }
        signed.url.append(0)
        canonical.append(newline)
        canonicalHeaders(into: &signed)
        canonical.append(newline)
        canonical.append(contentsOf: signedNames)
        canonical.append(newline)
        canonical.append(contentsOf: payloadHash)
    }

    /// The header lines in the order of their names. Fields of one name become one line, here and
    /// on the wire, since servers differ in what they make of several.
    private mutating func canonicalHeaders(into signed: inout SignedRequest) {
        signedNames.removeAll(keepingCapacity: true)
        var place = 0
        while place < order.count {
            var end = place + 1
            while end < order.count, fields.hasSameName(order[place], order[end]) { end += 1 }
            appendField(place..<end, to: &signed)
            place = end
        }
    }

    private mutating func appendField(_ places: Range<Int>, to signed: inout SignedRequest) {
        let name = fields.name(at: order[places.lowerBound])
        if !signedNames.isEmpty { signedNames.append(UInt8(ascii: ";")) }
        signedNames.append(contentsOf: name)
        canonical.append(contentsOf: name)
        canonical.append(UInt8(ascii: ":"))
        if places.count == 1 {
            finishField(trimmed(fields.value(at: order[places.lowerBound])), name, to: &signed)
            return
        }
        text.removeAll(keepingCapacity: true)
        for place in places {
            if place > places.lowerBound { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: trimmed(fields.value(at: order[place])))
        }
        finishField(text[...], name, to: &signed)
    }

    /// Adds the value of a field, or the values of its fields.
    private mutating func finishField(
        _ value: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>, to signed: inout SignedRequest
    ) {
        appendCollapsed(value, to: &canonical)
        canonical.append(newline)
        if !name.elementsEqual("host".utf8) { signed.appendHeader(name: name, value: value) }
    }

    /// Step 2: algorithm, time, scope and the canonical request's hash, a line each.
    private mutating func stringToSign() {
        digest.restart()
        digest.update(canonical)
        digest.finish(into: &code)
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: "AWS4-HMAC-SHA256\n".utf8)
        text.append(contentsOf: amzDate)
        text.append(newline)
        text.append(contentsOf: scope)
        text.append(newline)
        appendHex(code, to: &text)
    }

    /// Step 3: the key of a day, region and service. Who has it can sign for that day.
    private func signingKey(day: [UInt8], _ identity: SigningIdentity) -> [UInt8] {
        let secret = Array("AWS4\(identity.credentials.secret)".utf8)
        let dateKey = HMACSHA256.code(of: day, key: secret)
        let regionKey = HMACSHA256.code(of: Array(identity.region.utf8), key: dateKey)
        let serviceKey = HMACSHA256.code(of: Array("s3".utf8), key: regionKey)
        return HMACSHA256.code(of: Array("aws4_request".utf8), key: serviceKey)
    }

    /// Step 4.
    private mutating func signature() {
        key.authenticate(text, into: &code)
    }

    /// Step 5: the signature becomes a header.
    private mutating func appendAuthorization(
        as identity: SigningIdentity, to signed: inout SignedRequest
    ) {
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: "AWS4-HMAC-SHA256 Credential=".utf8)
        text.append(contentsOf: identity.accessKey)
        text.append(UInt8(ascii: "/"))
        text.append(contentsOf: scope)
        text.append(contentsOf: ", SignedHeaders=".utf8)
        text.append(contentsOf: signedNames)
        text.append(contentsOf: ", Signature=".utf8)
        appendHex(code, to: &text)
        signed.appendHeader(name: "authorization".utf8, value: text)
    }
}

/// The SHA-256 of no bytes.
private let emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
private let newline = UInt8(ascii: "\n")
/// The length of `20260101`.
private let dayByteCount = 8

/// `/bucket` or `/bucket/key`.
private func appendPath(of request: Request, to url: inout [UInt8]) {
    url.append(UInt8(ascii: "/"))
    appendPercentEncoded(request.bucket.utf8, to: &url)
    guard let key = request.key else { return }
    // "/bucket/" is the bucket: a DELETE without a key would ask for the deletion of the bucket.
    precondition(!key.bytes.isEmpty, "an object's request has a key")
    url.append(UInt8(ascii: "/"))
    appendPercentEncoded(key.bytes, keepsSlash: true, to: &url)
}

/// `?name=value&…`, sorted by the encoded names, then values. A name without a value keeps its `=`.
private func appendQuery(of request: Request, to url: inout [UInt8]) {
    let pairs = request.query.map { (percentEncoded($0.name), percentEncoded($0.value)) }
        .sorted { left, right in
            left.0 == right.0
                ? left.1.lexicographicallyPrecedes(right.1)
                : left.0.lexicographicallyPrecedes(right.0)
        }
    var separator = UInt8(ascii: "?")
    for (name, value) in pairs {
        url.append(separator)
        url.append(contentsOf: name)
        url.append(UInt8(ascii: "="))
        url.append(contentsOf: value)
        separator = UInt8(ascii: "&")
    }
}

private func percentEncoded(_ text: String) -> [UInt8] {
    var encoded: [UInt8] = []
    appendPercentEncoded(text.utf8, to: &encoded)
    return encoded
}

/// The value without the blanks around it, which no server sees (RFC 9110, section 5.5).
private func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let first = value.firstIndex(where: { !isBlank($0) }),
        let last = value.lastIndex(where: { !isBlank($0) })
    else { return [] }
    return value[first...last]
}

/// A run of blanks counts as one space in the signature, although it is sent as it is. Servers
/// agree on spaces; a lone tab is one to AWS's SDKs and rclone, and a tab to Ceph, which then
/// refuses the signature.
private func appendCollapsed(_ value: ArraySlice<UInt8>, to text: inout [UInt8]) {
    guard value.contains(where: isBlank) else { return text.append(contentsOf: value) }
    var isAfterBlank = false
    for byte in value {
        let isBlank = isBlank(byte)
        if !(isBlank && isAfterBlank) { text.append(isBlank ? UInt8(ascii: " ") : byte) }
        isAfterBlank = isBlank
    }
}

@inline(__always)
private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}
