//! Finds out, before the first object, what the target does with conditions, digests, tags and parts.

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
        /// The same key over another tag than its own: has to be refused. Then over its own, which has to be taken; and
        /// both again without quotes, where quotes are never right (Ceph).
        case replaceForeign
        case replaceOwn
        case replaceForeignUnquoted
        case replaceOwnUnquoted
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
        /// The rest is about uploads in parts; its own probe ends this one.
        case multipart
    }

    public enum Action: Sendable {
        case exchange(ExchangeOrder)
        case finished(TargetCapabilities, warnings: [String])
        /// The target takes no objects from us at all.
        case refused(Fault)
    }

    private let first: ScratchObject
    private let second: ScratchObject
    private var multipart: MultipartProbe
    private var step = Step.clearFirst
    private var capabilities = TargetCapabilities(
        conditionalPut: false, checksContentMD5: false, etagIsMD5: false, tagging: .none,
        takesMultipart: false, conditionalComplete: false, partDigest: nil, partETagIsMD5: false,
        multipartTagging: .none,
        ifMatchOnPut: nil, ifMatchOnComplete: false)
    private var warnings: [String] = []
    private var hasSecond = false
    /// What the target calls the scratch object.
    private var etag: ETag?
    /// A PUT with tags was not refused for them.
    private var takesTags = false

    /// - Parameter token: makes the scratch keys unlike any other's, the probes of other hosts included; the same
    ///   for a run and its resumption, which removes what a killed probe has left.
    public init(bucket: String, token: String) {
        func scratch(_ ending: String) -> ScratchObject {
            ScratchObject(bucket: bucket, key: ObjectKey(".s3migrate-probe-\(token)\(ending)"))
        }
        first = scratch("")
        second = scratch("-digest")
        multipart = MultipartProbe(scratch("-parts"))
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
            if isGood { etag = response.headers["etag"].map { ETag($0) } }
            return go(canBeMatched ? .replaceForeign : .wrongDigest)
        case .replaceForeign, .replaceOwn, .replaceForeignUnquoted, .replaceOwnUnquoted:
            return answeredReplacement(response)
        case .wrongDigest:
            hasSecond = isGood
            capabilities.checksContentMD5 = response.status == 400
            return go(.readTags)
        case .readTags:
            if first.hasTags(response) { capabilities.tagging = .onPut }
            return go(capabilities.tagging == .onPut ? .removeFirst : .writeTags)
        case .writeTags:
            return go(isGood ? .readTagsAgain : .removeFirst)
        case .readTagsAgain:
            return go(first.hasTags(response) ? .checkBody : .removeFirst)
        case .checkBody:
            if first.isWhole(response) { capabilities.tagging = .afterwards }
            return go(.removeFirst)
        case .removeFirst:
            first.warning(ofRemoval: response).map { warnings.append($0) }
            return hasSecond ? go(.removeSecond) : goOnWithParts()
        case .removeSecond:
            second.warning(ofRemoval: response).map { warnings.append($0) }
            return goOnWithParts()
        case .multipart: return multipart.answered(response)
        }
    }

    /// A tag that is the same for all objects cannot tell one from another.
    private var canBeMatched: Bool { etag.map { !$0.text.isEmpty && !$0.isPlaceholder } ?? false }

    private mutating func answeredReplacement(_ response: Response) -> Action {
        let isRefused = response.status == 412
        switch step {
        case .replaceForeign where isRefused: return go(.replaceOwn)
        case .replaceOwn where isRefused: return go(.replaceForeignUnquoted)
        case .replaceForeignUnquoted where isRefused: return go(.replaceOwnUnquoted)
        case .replaceOwn where isReplaced(response): capabilities.ifMatchOnPut = .quoted
        case .replaceOwnUnquoted where isReplaced(response): capabilities.ifMatchOnPut = .unquoted
        default: break
        }
        return go(.wrongDigest)
    }

    /// The body is another one now, so the tag has to be.
    private func isReplaced(_ response: Response) -> Bool {
        let now = response.headers["etag"].map { ETag($0) }
        return (200..<300).contains(response.status) && now != nil && now != etag
    }

    private mutating func goOnWithParts() -> Action {
        step = .multipart
        return multipart.begin(capabilities, warnings: warnings)
    }

    /// Asks for less where the server may have refused what was asked for besides.
    private mutating func retreat(to next: Step, from response: Response) -> Action {
        // 403: some may write objects and no tags (s3:PutObjectTagging).
        let mayBeForMore = [400, 403, 405, 411, 412, 500, 501].contains(response.status)
        return mayBeForMore ? go(next) : .refused(RetryPolicy.fault(of: response))
    }

    private mutating func noteETag(_ response: Response) {
        etag = response.headers["etag"].map { ETag($0) }
        capabilities.etagIsMD5 = etag?.md5 == MD5.digest(of: ScratchObject.body)
    }

    private mutating func go(_ next: Step) -> Action {
        step = next
        return .exchange(order(of: next))
    }

    private func order(of step: Step) -> ExchangeOrder {
        switch step {
        case .create: first.put(condition: .ifAbsent, tags: ScratchObject.tags)
        case .createUntagged: first.put(condition: .ifAbsent, tags: [])
        case .createPlain: first.put(condition: .none, tags: [])
        // With the same tags: where the condition is ignored, this is the object that readTags asks about.
        case .overwrite: first.put(condition: .ifAbsent, tags: takesTags ? ScratchObject.tags : [])
        case .replaceForeign: replace(ScratchObject.foreignETag, .quoted)
        case .replaceOwn: replace(etag, .quoted)
        case .replaceForeignUnquoted: replace(ScratchObject.foreignETag, .unquoted)
        case .replaceOwnUnquoted: replace(etag, .unquoted)
        // Sixteen zero bytes are not the MD5 of the body.
        case .wrongDigest:
            second.put(condition: .none, tags: [], md5: [UInt8](repeating: 0, count: 16))
        case .readTags, .readTagsAgain: first.readTags
        case .writeTags: first.writeTags
        case .checkBody: first.head
        case .clearFirst, .removeFirst: first.remove
        case .clearSecond, .removeSecond: second.remove
        case .multipart: preconditionFailure("the probe of parts gives its own orders")
        }
    }

    /// Another body over the scratch object, whose tags stay for `readTags`.
    private func replace(_ etag: ETag?, _ form: PutObject.IfMatchForm) -> ExchangeOrder {
        first.put(
            condition: etag.map { .ifMatch($0, form) } ?? .ifAbsent,
            tags: takesTags ? ScratchObject.tags : [], body: ScratchObject.otherBody)
    }
}
