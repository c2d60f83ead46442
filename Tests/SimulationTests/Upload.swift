//! An upload in parts as a simulated server keeps it, until it is completed, aborted or forgotten.

import Migration
import S3

struct Upload: Sendable {
    struct Part: Sendable {
        var number: Int
        var body: Body
        /// Without quotes.
        var etag: String
        /// What was checked and kept: the algorithm, as in the header's name, and Base64.
        var checksums: [String: String] = [:]
        var modified: Timestamp
    }

    /// Who was begun later has a higher one.
    var serial: Int
    var key: ObjectKey
    var author: Stored.Author
    var began: Timestamp
    /// What the object will have besides its bytes.
    var metadata: [Stored.Field] = []
    var tags: [ObjectTag] = []
    /// The value of `x-amz-checksum-algorithm`.
    var checksumAlgorithm: String?
    private(set) var parts: [Int: Part] = [:]

    /// The last one of a number counts.
    mutating func put(_ part: Part) { parts[part.number] = part }

    mutating func lose(_ number: Int) { parts[number] = nil }

    /// With characters that a query has to get right.
    var id: String { Upload.idPrefix + "\(serial)" }

    private static let idPrefix = "2~u.+"

    /// That of an upload which may have ended meanwhile; nil for a text that is nobody's id.
    static func serial(ofID id: String) -> Int? {
        id.hasPrefix(idPrefix) ? Int(id.dropFirst(idPrefix.count)) : nil
    }

    /// By number.
    var orderedParts: [Part] { parts.values.sorted { $0.number < $1.number } }

    var isOurs: Bool { author.isUs }

    /// What ListMultipartUploads calls whoever began it.
    var initiator: String { isOurs ? "s3migrate" : "client" }
}

extension Stored.Author {
    var isUs: Bool { self != .client }
}

extension ETagKind {
    /// The ETag of a part.
    func etag(ofPart body: Body, serial: Int) -> String {
        switch self {
        // Whoever tells no ETags of objects still has to tell those that Complete wants.
        case .md5, .multipart, .constant, .none: hexText(body.md5)
        case .disguised, .opaque: etag(of: body, serial: serial) ?? hexText(body.md5)
        }
    }

    /// The ETag of an object of parts.
    func etag(ofParts parts: [Upload.Part], serial: Int) -> String? {
        switch self {
        case .md5, .multipart, .disguised:
            let digests = parts.map { ETag($0.etag).md5 ?? $0.body.md5 }
            return ETagKind.composite(digests)
        case .opaque, .constant, .none:
            return etag(of: Body(joining: parts.map(\.body)), serial: serial)
        }
    }

    /// The MD5 of MD5s, and how many there are (S3 User Guide, "Checking object integrity").
    static func composite(_ digests: [[UInt8]]) -> String {
        hexText(MD5.digest(of: digests.flatMap(\.self))) + "-\(digests.count)"
    }
}
