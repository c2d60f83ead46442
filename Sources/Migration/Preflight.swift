//! Judges the first answer of each side, and says in plain words what to check.

public import S3

/// What a HEAD of a bucket says about the whole run, before any object is touched.
public struct Preflight: Sendable {
    public enum Verdict: Sendable, Equatable {
        case ready
        /// The run may go on; the text is for the operator.
        case warning(String)
        /// The run cannot go on; the text names the side, the URL, what the server said and what to check.
        case refused(String)
    }

    public var side: Side
    /// The endpoint's URL, as the operator gave it.
    public var url: String
    public var bucket: String
    public var region: String

    public init(side: Side, url: String, bucket: String, region: String) {
        self.side = side
        self.url = url
        self.bucket = bucket
        self.region = region
    }

    /// The prefix of this side's flags.
    var flag: String { side == .source ? "--src" : "--dest" }

    private var place: String { "\(side.rawValue): bucket '\(bucket)' at \(url)" }

    private func refused(_ what: String, check: String) -> Verdict {
        .refused("\(place): \(what)\n  check \(check)")
    }

    /// Judges a connection that failed, by the transport's own words.
    public func verdict(on fault: TransportFault) -> Verdict {
        let check =
            switch fault.kind {
            case .tls:
                "the certificate (\(flag)-ca-file names the authority that signed it), and that the "
                    + "server speaks TLS at this port: if it does not, \(flag)-url begins with http://"
            case .stalled: "that the server is up, and that no firewall drops the connection"
            case .broken, .overflow, .unsendable:
                "\(flag)-url: the host's name, its port, http or https, and that the server is up"
            }
        return refused("no answer (\(fault.message))", check: check)
    }

    /// What to say when the bucket cannot be asked for, nor an object of it.
    public func unreadable(_ key: ObjectKey) -> String {
        "\(place): HTTP 403 for the bucket, and for the object '\(KeyListLine.escaped(key))'\n"
            + "  check that the user of \(flag)-key may read the objects of this bucket"
    }

    /// Judges the answer to HeadBucket.
    ///
    /// - Parameters:
    ///   - listing: the answer to a GET of the same bucket, whose body says in words what a HEAD's status only
    ///     hints at.
    ///   - clockDifference: the server's clock less ours.
    public func verdict(
        on response: Response, listing: Response, clockDifference: Duration?
    ) -> Verdict {
        guard response.status >= 300 else { return verdict(onListing: listing) }
        return verdict(
            on: response, story: listing.status >= 300 ? S3ErrorBody(listing.body) : nil,
            clockDifference: clockDifference)
    }

    /// A web server answers any HEAD with 200; only S3 answers a listing with one. To be refused is no matter: who
    /// copies need not be allowed to list.
    private func verdict(onListing listing: Response) -> Verdict {
        let start = String(decoding: listing.body.prefix(4096), as: UTF8.self)
        guard (200..<300).contains(listing.status), !start.contains("ListBucketResult") else {
            return .ready
        }
        return refused(
            "HTTP \(listing.status) for a listing that is none",
            check: "\(flag)-url: is this an S3 endpoint?")
    }

    private func verdict(
        on response: Response, story: S3ErrorBody?, clockDifference: Duration?
    ) -> Verdict {
        let code = story?.code ?? ""
        let said =
            "HTTP \(response.status)" + (code.isEmpty ? "" : " \(code)")
            + (story.map { $0.message.isEmpty ? "" : ": \($0.message)" } ?? "")
        switch (response.status, code) {
        case (200..<300, _): return .ready
        case (_, "RequestTimeTooSkewed"):
            return refused(said, check: "this host's clock: \(skew(clockDifference))")
        case (_, "SignatureDoesNotMatch"), (_, "InvalidAccessKeyId"):
            return refused(said, check: "\(flag)-key and \(flag)-secret")
        case (_, "ExpiredToken"), (_, "InvalidToken"):
            return refused(said, check: "the session token of \(flag)-profile or the environment")
        case (_, "AuthorizationHeaderMalformed"), (301, _), (_, "PermanentRedirect"):
            return refused(said, check: regionAdvice(response, story))
        case (404, _):
            return refused(
                said,
                check: "\(flag)-bucket: the server has no bucket of this name, and the bucket "
                    + "is not made by this program")
        case (403, _):
            return .warning(
                "\(place): \(said) for HeadBucket; going on, since reading or writing objects may be "
                    + "allowed all the same")
        case (307, _), (302, _):
            return refused(said, check: "\(flag)-url: the server sends us to another address")
        case (500..., _):
            return refused(said, check: "the server: it answers, but with an error")
        default:
            return refused(said, check: "\(flag)-url: is this an S3 endpoint?")
        }
    }

    private func skew(_ difference: Duration?) -> String {
        guard let difference else { return "the server says that it is wrong" }
        let seconds = difference.components.seconds
        return "it is \(abs(seconds)) s \(seconds > 0 ? "behind" : "ahead of") the server's"
    }

    /// The region in "…; expecting 'us-east-1'", which is all that Swift and older servers say.
    private func expected(_ story: S3ErrorBody) -> String? {
        let pieces = story.message.split(separator: "'")
        guard let place = pieces.firstIndex(where: { $0.hasSuffix("expecting ") }) else {
            return nil
        }
        return pieces[(place + 1)...].first.map(String.init)
    }

    private func regionAdvice(_ response: Response, _ story: S3ErrorBody?) -> String {
        let named =
            response.headers["x-amz-bucket-region"] ?? story?.region ?? story.flatMap(expected)
        guard let named else { return "\(flag)-region (now '\(region)') and \(flag)-url" }
        return "\(flag)-region: the server names '\(named)', the run signs for '\(region)'"
    }
}
