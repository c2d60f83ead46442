//! What can befall an exchange on its way: every class of fault that the field knows.

import Migration
import S3

/// Something that goes wrong with one exchange.
enum Mishap: CaseIterable, Sendable {
    /// The connection breaks before the server has read the request.
    case refused
    /// The server acts, its answer is lost.
    case answerLost
    /// The connection breaks, and the server acts on what it has read a little later.
    case actsLate
    /// The transport sends the request again on its own, after the server had acted on the first.
    case resent
    /// 503 SlowDown, with or without Retry-After.
    case slowDown
    /// 429.
    case tooMany
    /// 500, and nothing was done.
    case failed
    /// 500, and it was done.
    case failedAfterActing
    /// 200, and the body tells of an error.
    case falseSuccess
    /// Another write of the same key is said to be under way.
    case conflict
    /// The answer ends before its body does.
    case shortBody
    /// A bit of the answer's body is turned over.
    case flippedDownload
    /// A bit of the request's body is turned over.
    case flippedUpload
    /// The answer is of another range, or of an object of another size.
    case wrongRange
    /// The server's clock jumps, for good.
    case clockJump
    /// A HEAD says 404 although there is an object.
    case blindHead
    /// The server has forgotten the upload, as old ones are forgotten.
    case uploadExpires
    /// The server has lost a part that it had taken, and finds out at Complete.
    case partVanishes
    /// 200, and the body tells of an error, but it was done (Complete).
    case falseError
    /// A 404 that is no S3 server's.
    case foreignNotFound
    /// The credentials are refused: the whole run cannot go on.
    case fatal

    /// Whether a single one may end an object's transfer.
    var isFinal: Bool { self == .foreignNotFound || self == .fatal }

    func fits(_ order: ExchangeOrder, _ scenario: Scenario, seen: Stored?) -> Bool {
        let operation = order.request.operation
        let isPut = operation == "PutObject"
        let isPart = operation == "UploadPart"
        let isComplete = operation == "CompleteMultipartUpload"
        let isGet = operation == "GetObject"
        let isHead = order.request.method == .head
        return switch self {
        case .actsLate: order.mayActLate(scenario)
        case .conflict: isPut || isComplete
        case .flippedUpload: (isPut || isPart) && order.uploadsBytes
        case .falseSuccess: isPut || isComplete || operation.hasSuffix("Tagging")
        case .uploadExpires: order.request.uploadID != nil && order.request.method != .delete
        case .partVanishes, .falseError: isComplete
        case .shortBody, .wrongRange: isGet
        case .flippedDownload: isGet && scenario.sourceIsPlain && seen != nil
        case .blindHead: isHead && order.side == .source
        case .foreignNotFound: isGet
        case .fatal: !isHead
        case .refused, .answerLost, .resent, .slowDown, .tooMany, .failed, .failedAfterActing,
            .clockJump:
            true
        }
    }

    /// The answer that comes in the place of the server's; nil when that is what comes.
    func refusal(_ random: inout SeededRandom) -> Response? {
        switch self {
        case .slowDown:
            var response = Response.refusal(503, "SlowDown")
            if random.isTrue(0.5) { response.headers.append("retry-after", "\(random.int(0...4))") }
            return response
        case .tooMany: return .refusal(429, "TooManyRequests")
        case .failed, .failedAfterActing: return .refusal(500, "InternalError")
        case .falseSuccess, .falseError: return .refusal(200, "InternalError")
        case .conflict: return .refusal(409, "ConditionalRequestConflict")
        case .blindHead: return Response(status: 404)
        case .foreignNotFound: return Response(status: 404, body: Array("<html>no</html>".utf8))
        case .fatal: return .refusal(403, "InvalidAccessKeyId")
        default: return nil
        }
    }

    /// Whether the server does what it was asked to.
    var isActedOn: Bool {
        switch self {
        case .answerLost, .actsLate, .resent, .failedAfterActing, .shortBody, .flippedDownload,
            .flippedUpload, .wrongRange, .uploadExpires, .partVanishes, .falseError:
            true
        default: false
        }
    }
}

/// How often what goes wrong in one world: some worlds know only lost answers, others only throttling.
struct FaultWeights: Sendable {
    var rate: Double
    var weights: [(Mishap, weight: Int)]

    static let none = FaultWeights(rate: 0, weights: [])

    init(rate: Double, weights: [(Mishap, weight: Int)]) {
        self.rate = rate
        self.weights = weights
    }

    init(_ random: inout SeededRandom) {
        rate = random.pick([0, 0.05, 0.15, 0.3, 0.5])
        let isFew = random.isTrue(0.5)
        weights = Mishap.allCases.map { mishap in
            let isRare = mishap.isFinal || mishap == .clockJump
            let isOn = random.isTrue(isFew ? 0.2 : 0.7)
            let weight = random.int(1...20)
            return (mishap, isOn ? (isRare ? 1 : weight) : 0)
        }
    }

    func draw(
        for order: ExchangeOrder, _ scenario: Scenario, seen: Stored?,
        _ random: inout SeededRandom
    ) -> Mishap? {
        guard random.isTrue(rate) else { return nil }
        return random.pick(weighted: weights.filter { $0.0.fits(order, scenario, seen: seen) })
    }
}

extension ExchangeOrder {
    /// Whether the upload has at least one byte.
    fileprivate var uploadsBytes: Bool {
        if case .object(let byteCount) = upload { return byteCount > 0 }
        return false
    }

    /// A write that comes behind our back must not be able to take anything's place.
    fileprivate func mayActLate(_ scenario: Scenario) -> Bool {
        switch request.operation {
        case "PutObject": scenario.target.honoursIfNoneMatch
        case "CompleteMultipartUpload": scenario.target.multipart.honoursIfNoneMatch
        case "CreateMultipartUpload", "UploadPart": true
        default: false
        }
    }
}

extension Served {
    /// The same answer, of a range or a size that is not the object's.
    func withWrongRange(_ random: inout SeededRandom) -> Served {
        guard let value = response.headers["content-range"], let object,
            let range = value.split(separator: " ").last?.split(separator: "/").first,
            let size = seen?.body.byteCount
        else { return self }
        var wrong = self
        wrong.response.headers = response.headers.without("content-range")
        let count = object.byteCount
        let texts = [
            "bytes \(range)/\(size + 7)", "bytes 1-\(count)/\(size + 1)", "bytes \(range)/*",
            "bytes=\(range)/\(size)",
        ]
        wrong.response.headers.append("content-range", random.pick(texts))
        return wrong
    }
}
