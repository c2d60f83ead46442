//! What a GET or HEAD tells of an object besides its bytes, and what of it travels to the target.

/// An object's size, identity and metadata.
public struct ObjectFacts: Sendable {
    /// Of the whole object, also when only a range was asked for. Only a HEAD of a part tells the
    /// part's.
    public let sizeBytes: Int64
    public let etag: ETag?
    /// The raw text of `Last-Modified`: it is compared, seldom read.
    public let lastModified: String?
    /// How many tags the object has, if the keys may know it (`x-amz-tagging-count`); else 0.
    public let tagCount: Int
    /// How many metadata entries the server could not put into headers (`x-amz-missing-meta`): they
    /// cannot be carried.
    public let missingMetaCount: Int
    /// How many parts the object was made of, in the answer to a request with a `partNumber`
    /// (`x-amz-mp-parts-count`).
    public let partsCount: Int?
    /// The server encrypts the object with a key of KMS or of the customer's, so that its ETag is
    /// no MD5 (API reference, Object, ETag).
    public let isServerEncryptedWithKey: Bool
    /// All that is carried to the target, in the source's order and bytes.
    public let metadata: HeaderFields

    init(of response: Response, sizeBytes: Int64) {
        self.sizeBytes = sizeBytes
        self.etag = response.etag
        self.lastModified = response.headers["last-modified"]
        self.tagCount = response.headers.count(of: "x-amz-tagging-count")
        self.missingMetaCount = response.headers.count(of: "x-amz-missing-meta")
        let partsCount = response.headers.count(of: "x-amz-mp-parts-count")
        self.partsCount = partsCount > 0 ? partsCount : nil
        self.isServerEncryptedWithKey = response.headers.tellOfKeyedEncryption
        self.metadata = carriedMetadata(response.headers)
    }
}

/// The headers that PutObject takes and GetObject gives back. `Expires` is free text on S3.
private let carriedNames = [
    "content-type", "content-encoding", "content-language", "content-disposition", "cache-control",
    "expires", "x-amz-website-redirect-location",
]

private func carriedMetadata(_ headers: HeaderFields) -> HeaderFields {
    var metadata = HeaderFields()
    for index in 0..<headers.count {
        guard isCarried(headers, at: index) else { continue }
        let name = headers.name(at: index)
        guard headers.isNamed("content-encoding", at: index) else {
            metadata.append(name: name, value: headers.value(at: index))
            continue
        }
        let codings = withoutTransferCoding(headers.value(at: index))
        if !codings.isEmpty { metadata.append(name: name, value: codings) }
    }
    return metadata
}

private func isCarried(_ headers: HeaderFields, at index: Int) -> Bool {
    headers.name(at: index).starts(with: "x-amz-meta-".utf8)
        || carriedNames.contains { headers.isNamed($0, at: index) }
}

/// The codings less `aws-chunked`, which was how the body once travelled and which some servers
/// store with the object. A value without it stays as it is, byte for byte.
private func withoutTransferCoding(_ value: ArraySlice<UInt8>) -> [UInt8] {
    let codings = value.split(separator: UInt8(ascii: ","))
    let kept = codings.filter { coding in
        let name = coding.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        return !name.map(asciiLowered).elementsEqual("aws-chunked".utf8)
    }
    if kept.count == codings.count { return Array(value) }
    let text = Array(kept.joined(separator: [UInt8(ascii: ",")]))
    return Array(text.drop { $0 == UInt8(ascii: " ") })
}

extension HeaderFields {
    /// `aws:kms` and `aws:kms:dsse`; a customer's key (SSE-C) shows by its headers' echo.
    fileprivate var tellOfKeyedEncryption: Bool {
        let method = bytes(of: "x-amz-server-side-encryption") ?? []
        return method.starts(with: "aws:kms".utf8)
            || bytes(of: "x-amz-server-side-encryption-customer-algorithm") != nil
            || bytes(of: "x-amz-server-side-encryption-customer-key-md5") != nil
    }

    /// A count that a header tells; 0 when it is not there or no number.
    fileprivate func count(of name: String) -> Int {
        bytes(of: name).flatMap(decimalNumber).map { Int(clamping: $0) } ?? 0
    }
}
