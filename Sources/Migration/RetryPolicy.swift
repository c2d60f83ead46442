//! The one place that decides what a fault is, whether it is tried again, and after how long.

public import S3

/// What is tried again, how often, and how long we wait before.
///
/// | class | tried again | waits |
/// | --- | --- | --- |
/// | transport, stalled, tls, server, bad-answer | `retries` times | 0.1 s, doubled each time, at most 20 s |
/// | throttled | `retries` times | 0.5 s, doubled, at most 20 s; `Retry-After` if it is longer |
/// | conflict, mismatch, skew | `retries` times | as transport |
/// | changed | 5 times | as transport |
/// | damaged | 2 times, where the target can be held to replace just our copy | as transport |
/// | refused, denied, archived, too-large | never | |
/// | missing, size, etag, content, metadata, tags | never: they were looked at twice | |
/// | expired, fatal | never: the run stops | |
///
/// A wait is drawn evenly between nothing and the figure ("full jitter"), so that the workers of all hosts do
/// not come back at the same moment.
public struct RetryPolicy: Sendable {
    public enum Verdict: Sendable, Equatable {
        case again(after: Duration)
        case giveUp
        case stopRun
    }

    /// How many times one exchange is tried again.
    public var retriesMax: Int

    public init(retriesMax: Int = Limits.retriesDefault) {
        self.retriesMax = retriesMax
    }

    /// What to do about a fault.
    ///
    /// - Parameter attempt: how many times in a row this step of the object has failed, this time included.
    public func verdict(
        for fault: Fault, attempt: Int, random: inout SeededRandom
    ) -> Verdict {
        precondition(attempt > 0, "a fault is at least the first of its kind")
        switch fault.faultClass {
        case .fatal, .expired: return .stopRun
        case .refused, .denied, .archived, .tooLarge: return .giveUp
        case .damaged where attempt > Limits.damagesMax: return .giveUp
        case .missing, .size, .etag, .content, .metadata, .tags: return .giveUp
        case .changed where attempt > Limits.restartsMax: return .giveUp
        case _ where attempt > retriesMax: return .giveUp
        default: break
        }
        let drawn = jittered(delay(of: fault.faultClass, attempt: attempt), random: &random)
        return .again(after: max(drawn, min(fault.retryAfter ?? .zero, Limits.retryAfterMax)))
    }

    /// The longest wait before the next attempt: doubled from attempt to attempt.
    func delay(of faultClass: FaultClass, attempt: Int) -> Duration {
        let first = faultClass == .throttled ? Limits.throttleDelayMin : Limits.retryDelayMin
        let doublings = min(attempt - 1, 20)
        return min(first * (1 << doublings), Limits.retryDelayMax)
    }

    /// How long to wait before an exchange whose fault counts against nobody.
    func forgivenDelay(random: inout SeededRandom) -> Duration {
        jittered(Limits.forgivenDelayMax, random: &random)
    }

    private func jittered(
        _ delay: Duration, random: inout SeededRandom
    ) -> Duration {
        .milliseconds(Int64.random(in: 0...delay.milliseconds, using: &random))
    }
}

extension RetryPolicy {
    /// Whether an answer comes from somebody before the server who did not reach it, a load balancer say: its like
    /// from S3 has a code or at least a request id.
    public static func isAbsence(_ response: Response) -> Bool {
        [502, 503, 504].contains(response.status) && response.requestID == nil
            && S3ErrorBody(response.body).code == nil
    }

    /// Whether an answer asks for fewer requests.
    public static func isThrottling(_ response: Response) -> Bool {
        response.status >= 400 && fault(of: response).faultClass == .throttled
    }

    /// What is wrong with an answer.
    public static func fault(of response: Response) -> Fault {
        let body = S3ErrorBody(response.body)
        let wait = response.headers["retry-after"].flatMap { Int64($0) }.map { max(0, $0) }
        return Fault(
            faultClass(status: response.status, code: body.code), status: response.status,
            code: body.code, message: body.message,
            retryAfter: wait.map { .seconds($0) },
            serverNow: body.serverTime ?? response.date)
    }

    /// What is wrong with an answer that is no error by its status, yet not what was asked for.
    public static func fault(_ error: S3Error) -> Fault {
        Fault(
            error.code.map { faultClass(status: 500, code: $0) } ?? .badAnswer,
            status: error.status, code: error.code, message: error.message)
    }

    /// The class of an error answer: by its S3 code where it is a known one, else by its HTTP status.
    public static func faultClass(status: Int, code: String?) -> FaultClass {
        if let code, let known = classByCode[code] { return known }
        switch status {
        case 200..<300: return .badAnswer
        case 300..<400: return .fatal
        case 403: return .denied
        case 408: return .server
        case 409: return .conflict
        case 429, 503: return .throttled
        case 501, 505: return .refused
        case 500...: return .server
        default: return .refused
        }
    }

    /// S3 API reference, "Error responses", and what Ceph, Swift and others send besides.
    private static let classByCode: [String: FaultClass] = [
        "SlowDown": .throttled, "ServiceUnavailable": .throttled, "Throttling": .throttled,
        "ThrottlingException": .throttled, "TooManyRequests": .throttled,
        "RequestLimitExceeded": .throttled, "BandwidthLimitExceeded": .throttled,
        "InternalError": .server, "RequestTimeout": .server, "UnknownError": .server,
        "IncompleteBody": .transport,
        "RequestTimeTooSkewed": .skew,
        "ExpiredToken": .expired, "TokenRefreshRequired": .expired,
        "ConditionalRequestConflict": .conflict, "OperationAborted": .conflict,
        "BadDigest": .mismatch, "XAmzContentSHA256Mismatch": .mismatch,
        "InvalidObjectState": .archived,
        "EntityTooLarge": .refused, "NotImplemented": .refused, "MethodNotAllowed": .refused,
        "AccessDenied": .denied, "SignatureDoesNotMatch": .denied,
        "NoSuchBucket": .fatal, "InvalidAccessKeyId": .fatal, "InvalidToken": .fatal,
        "AllAccessDisabled": .fatal, "AccountProblem": .fatal, "PermanentRedirect": .fatal,
        "TemporaryRedirect": .fatal, "AuthorizationHeaderMalformed": .fatal,
        "QuotaExceeded": .fatal, "InsufficientCapacity": .fatal,
    ]
}
