//! An object as a simulated store holds it.

import Migration
import S3

/// One write of an object. A later write of the same key is another one, with another serial number.
struct Stored: Sendable {
    enum Author: Hashable, Sendable {
        case client
        /// We, in this transfer.
        case transfer(Int)
        case probe
    }

    var serial: Int
    var author: Author
    var body: Body
    /// As it stands in the header, without quotes; nil for a server that tells none.
    var etag: String?
    var modified: Timestamp
    /// When it was written, by the true clock.
    var since = Instant(elapsed: .zero)
    /// The sizes of the parts that it was uploaded in; none for an object of one PUT.
    var partSizes: [Int64] = []
    /// Names in lower case; the names of what S3 keeps, as they were sent.
    var metadata: [Field] = []
    var tags: [ObjectTag] = []

    /// Whether the ETag has the form of an MD5, be it one or not.
    var hasDigest: Bool { etag.map { ETag($0).md5 != nil } ?? false }

    /// Whether the ETag tells of a byte that was damaged on its way to us; of a part it says nothing.
    func isVerifiable(_ scenario: Scenario) -> Bool {
        hasDigest && body.byteCount <= scenario.wholeObjectBytesMax
    }

    struct Field: Hashable, Sendable {
        var name: String
        var value: String
    }
}

/// How a server makes ETags.
enum ETagKind: CaseIterable, Sendable {
    /// The MD5 of the body.
    case md5
    /// As of an object that was uploaded in parts; in one, where nobody says more.
    case multipart
    /// 32 hexadecimal digits that are no MD5 of anything (SSE-KMS).
    case disguised
    /// Anything else.
    case opaque
    /// The same for ever, whatever the object holds.
    case constant
    case none

    func etag(of body: Body, serial: Int) -> String? {
        switch self {
        case .md5: hexText(body.md5)
        case .multipart: ETagKind.composite([body.md5])
        case .disguised: hexText(MD5.digest(of: Array("\(serial)".utf8)))
        case .opaque: "v\(serial)"
        case .constant: "constant"
        case .none: nil
        }
    }
}
