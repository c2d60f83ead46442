//! Finds out, before the first object, what the target does with conditions, digests and tags.

public import S3

/// A few requests on a scratch key of our own, which is removed afterwards.
///
/// Servers differ in what they ignore, and say nothing about it: a condition that is ignored overwrites a
/// client's object, a digest that is ignored lets a damaged body pass. Each is seen by sending a request that a good
/// server has to refuse. What a probe cannot see is whether the condition is atomic.
public struct TargetProbe: Sendable {
    private enum Step: Int, CaseIterable, Sendable {
        /// What an earlier probe left behind when it was killed.
        case clearFirst
        case clearSecond
        /// The scratch object, with a condition and tags.
        case create
        /// The same without tags: Swift refuses a PUT that has some.
        case createUntagged
        /// The same without a condition too.
        case createPlain
        /// The same key again: has to be refused by the condition.
        case overwrite
        /// Another key, whose body is not what its MD5 says: has to be refused.
        case wrongDigest
        /// Are the scratch object's tags there?
        case readTags
        case writeTags
        case readTagsAgain
        /// Is the scratch object still itself? There is a server (rclone) that takes the tags for a new body.
        case checkBody
        case removeFirst
        case removeSecond
    }

    public enum Action: Sendable {
        case exchange(ExchangeOrder)
        case finished(TargetCapabilities, warnings: [String])
        /// The target takes no objects from us at all.
        case refused(Fault)
    }

    private let bucket: String
    private let key: ObjectKey
    private let secondKey: ObjectKey
    private var step = Step.clearFirst
    private var capabilities = TargetCapabilities(
        conditionalPut: false, checksContentMD5: false, etagIsMD5: false, tagging: .none)
    private var warnings: [String] = []
    private var hasSecond = false
    /// A PUT with tags was not refused for them.
    private var takesTags = false

    private static let body = Array("s3migrate probe".utf8)
    private static let tags = [ObjectTag(key: "s3migrate", value: "probe")]

    /// - Parameter token: makes the scratch keys unlike any other's, the probes of other hosts included; the same
    ///   for a run and its resumption, which removes what a killed probe has left.
    public init(bucket: String, token: String) {
        self.bucket = bucket
        self.key = ObjectKey(".s3migrate-probe-\(token)")
        self.secondKey = ObjectKey(".s3migrate-probe-\(token)-digest")
    }

    public func begin() -> Action { .exchange(order(of: step)) }

    /// Takes the answer to the order that was given last.
    public mutating func answered(_ response: Response) -> Action {
        let isGood = (200..<300).contains(response.status)
        switch step {
        case .clearFirst: return go(.clearSecond)
        case .clearSecond: return go(.create)
        case .create:
            if isGood {
                noteETag(response)
                takesTags = true
                return go(.overwrite)
            }
            return retreat(to: .createUntagged, from: response)
        case .createUntagged:
            guard isGood else { return retreat(to: .createPlain, from: response) }
            noteETag(response)
            return go(.overwrite)
        case .createPlain:
            guard isGood else { return .refused(RetryPolicy.fault(of: response)) }
            noteETag(response)
            return go(.wrongDigest)
        case .overwrite:
            capabilities.conditionalPut = response.status == 412
            return go(.wrongDigest)
        case .wrongDigest:
            hasSecond = isGood
            capabilities.checksContentMD5 = response.status == 400
            return go(.readTags)
        case .readTags:
            if hasTags(response) { capabilities.tagging = .onPut }
            return go(capabilities.tagging == .onPut ? .removeFirst : .writeTags)
        case .writeTags:
            return go(isGood ? .readTagsAgain : .removeFirst)
        case .readTagsAgain:
            return go(hasTags(response) ? .checkBody : .removeFirst)
        case .checkBody:
            let facts = try? HeadObject.answer(response, to: head)
            if facts?.sizeBytes == Int64(TargetProbe.body.count) {
                capabilities.tagging = .afterwards
            }
            return go(.removeFirst)
        case .removeFirst:
            warnIfLeft(key, response)
            return hasSecond ? go(.removeSecond) : finished
        case .removeSecond:
            warnIfLeft(secondKey, response)
            return finished
        }
    }

    private var finished: Action { .finished(capabilities, warnings: warnings) }

    /// Asks for less where the server may have refused what was asked for besides.
    private mutating func retreat(to next: Step, from response: Response) -> Action {
        let mayBeForMore = [400, 405, 411, 412, 500, 501].contains(response.status)
        return mayBeForMore ? go(next) : .refused(RetryPolicy.fault(of: response))
    }

    private mutating func noteETag(_ response: Response) {
        let etag = response.headers["etag"].map { ETag($0) }
        capabilities.etagIsMD5 = etag?.md5 == MD5.digest(of: TargetProbe.body)
    }

    private mutating func go(_ next: Step) -> Action {
        step = next
        return .exchange(order(of: next))
    }

    private func hasTags(_ response: Response) -> Bool {
        let request = GetObjectTagging.request(bucket: bucket, key: key)
        return (try? GetObjectTagging.answer(response, to: request)) == TargetProbe.tags
    }

    private mutating func warnIfLeft(_ key: ObjectKey, _ response: Response) {
        guard !(200..<300).contains(response.status), response.status != 404 else { return }
        warnings.append(
            "the probe's object \(key) could not be removed from the target (HTTP "
                + "\(response.status)): remove it by hand")
    }

    private func order(of step: Step) -> ExchangeOrder {
        switch step {
        case .create: put(key, condition: .ifAbsent, tags: TargetProbe.tags)
        case .createUntagged: put(key, condition: .ifAbsent, tags: [])
        case .createPlain: put(key, condition: .none, tags: [])
        // With the same tags: where the condition is ignored, this is the object that readTags asks about.
        case .overwrite:
            put(key, condition: .ifAbsent, tags: takesTags ? TargetProbe.tags : [])
        // Sixteen zero bytes are not the MD5 of the body.
        case .wrongDigest:
            put(secondKey, condition: .none, tags: [], md5: [UInt8](repeating: 0, count: 16))
        case .readTags, .readTagsAgain:
            ExchangeOrder(.target, GetObjectTagging.request(bucket: bucket, key: key))
        case .writeTags: putTags
        case .checkBody: ExchangeOrder(.target, head)
        case .clearFirst, .removeFirst: remove(key)
        case .clearSecond, .removeSecond: remove(secondKey)
        }
    }

    private func put(
        _ key: ObjectKey, condition: PutObject.Condition, tags: [ObjectTag],
        md5: [UInt8]? = nil
    ) -> ExchangeOrder {
        var request = PutObject.request(
            bucket: bucket, key: key, metadata: HeaderFields(), tagging: urlQuery(of: tags),
            condition: condition, contentMD5: md5, payloadHash: .unsigned)
        request.body = TargetProbe.body
        return ExchangeOrder(.target, request)
    }

    private var head: Request { HeadObject.request(bucket: bucket, key: key) }

    private var putTags: ExchangeOrder {
        ExchangeOrder(
            .target, PutObjectTagging.request(bucket: bucket, key: key, tags: TargetProbe.tags))
    }

    private func remove(_ key: ObjectKey) -> ExchangeOrder {
        ExchangeOrder(.target, DeleteObject.request(bucket: bucket, key: key))
    }
}
