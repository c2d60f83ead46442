//! The second half of the probe: what the target does with uploads in parts.

internal import S3

/// Uploads of one tiny part each, on a scratch key of our own.
///
/// The first upload becomes an object, if the target knows parts at all, and shows what becomes of its tags. For each
/// digest, the cheapest first, another is sent a part that is not what its digest says, which has to be refused, and
/// a third the right one. What passes is completed over the object, under the condition that there is none.
/// Whatever was begun is aborted and removed, also what an earlier probe has left that was killed.
struct MultipartProbe: Sendable {
    enum Step: Sendable {
        /// Uploads of the scratch key: a killed probe's before the first step, our own after the last.
        case sweep
        case abortLeft
        case clear
        /// An upload with tags, and the same without: not every target takes tags.
        case createTagged
        case createPlain
        case part
        case complete
        /// Is the object there all the same? A Complete whose answer was lost fails when it is sent again.
        case lookForObject
        case readTags
        case writeTags
        case readTagsAgain
        /// Is the object still itself, or did the tags become its body?
        case checkBody
        /// An upload for the next digest, and its part; a wrong and a right one each have their own, since there is a
        /// server (rclone) that forgets the upload whose part it refuses.
        case createCovered
        case wrongPart
        case rightPart
        case abort
        /// Has to be refused by the condition.
        case completeOver
        /// With `If-Match` of another tag: has to be refused too; then with the object's own, which has to be taken.
        case lookForETag
        case replaceForeign
        case replaceOwn
        case abortLast
        case remove
    }

    let object: ScratchObject
    private var step = Step.sweep
    private(set) var capabilities = TargetCapabilities()
    private var warnings: [String] = []

    var uploadID = ""
    var partETag: ETag?
    /// What the target calls the object.
    var etag: ETag?
    /// What is still to be tried; nil is an upload whose parts carry none.
    private var digests: ArraySlice<BodyDigest.Algorithm?> = BodyDigest.Algorithm.allCases + [nil]
    var digest: BodyDigest.Algorithm?
    /// A wrong one was refused.
    private var isChecked = false
    private var hasTags = false
    var hasBegun = false
    private var isEnding = false
    private var leftIDs: [String] = []
    /// Uploads that would not be aborted.
    private var stubbornIDs: Set<String> = []

    init(_ object: ScratchObject) {
        self.object = object
    }

    /// `capabilities` and `warnings` are what the first half has found out.
    mutating func begin(
        _ capabilities: TargetCapabilities, warnings: [String]
    ) -> TargetProbe.Action {
        self.capabilities = capabilities
        self.warnings = warnings
        return go(.sweep)
    }

    /// Takes the answer to the order that was given last.
    mutating func answered(_ response: Response) -> TargetProbe.Action {
        switch step {
        case .sweep:
            leftIDs = uploads(response)
            return sweepOn()
        case .abortLeft:
            noteAbort(response)
            return sweepOn()
        case .clear: return go(.createTagged)
        case .createTagged:
            hasTags = begins(response)
            return go(hasTags ? .part : .createPlain)
        case .createPlain: return begins(response) ? go(.part) : end()
        case .part:
            let isSent = isSent(response)
            capabilities.partETagIsMD5 = partETag?.md5 == MD5.digest(of: ScratchObject.body)
            return go(isSent ? .complete : .abortLast)
        case .complete: return isComplete(response) ? goOnWithTags() : go(.lookForObject)
        case .lookForObject:
            return object.isWhole(response) ? goOnWithTags() : go(.abortLast)
        case .readTags, .writeTags, .readTagsAgain, .checkBody: return answeredAboutTags(response)
        case .createCovered, .wrongPart, .rightPart, .abort: return answeredAboutDigest(response)
        case .completeOver:
            capabilities.conditionalComplete = response.status == 412
            guard response.status == 412, capabilities.ifMatchOnPut != nil else {
                return go(isComplete(response) ? .remove : .abortLast)
            }
            return go(.lookForETag)
        case .lookForETag:
            etag = object.etag(response)
            return go(etag == nil ? .abortLast : .replaceForeign)
        case .replaceForeign:
            if isComplete(response) { return go(.remove) }
            return go(response.status == 412 ? .replaceOwn : .abortLast)
        case .replaceOwn:
            capabilities.ifMatchOnComplete = isComplete(response)
            return go(isComplete(response) ? .remove : .abortLast)
        case .abortLast:
            noteAbort(response)
            return go(.remove)
        case .remove:
            object.warning(ofRemoval: response).map { warnings.append($0) }
            return end()
        }
    }

    private mutating func go(_ next: Step) -> TargetProbe.Action {
        step = next
        return .exchange(order(of: next))
    }

    // MARK: - Beginning and end

    private mutating func sweepOn() -> TargetProbe.Action {
        if let id = leftIDs.popLast() {
            uploadID = id
            return go(.abortLeft)
        }
        return isEnding ? finished : go(.clear)
    }

    /// Looks once more, since a Create whose answer was lost has begun an upload that nobody knows.
    private mutating func end() -> TargetProbe.Action {
        isEnding = true
        return hasBegun ? go(.sweep) : finished
    }

    private var finished: TargetProbe.Action {
        let left = stubbornIDs.sorted().map {
            "the probe's upload \($0) of \(object.key) could not be aborted at the target: abort it by hand"
        }
        return .finished(capabilities, warnings: warnings + left)
    }

    private mutating func noteAbort(_ response: Response) {
        let isGone = (200..<300).contains(response.status) || response.status == 404
        if isGone { stubbornIDs.remove(uploadID) } else { stubbornIDs.insert(uploadID) }
    }

    // MARK: - Tags

    /// The first upload became an object.
    private mutating func goOnWithTags() -> TargetProbe.Action {
        capabilities.takesMultipart = true
        return hasTags ? go(.readTags) : tryWritingTags()
    }

    private mutating func answeredAboutTags(_ response: Response) -> TargetProbe.Action {
        switch step {
        case .readTags where object.hasTags(response):
            capabilities.multipartTagging = .onPut
        case .readTags: return tryWritingTags()
        case .writeTags where (200..<300).contains(response.status): return go(.readTagsAgain)
        case .readTagsAgain where object.hasTags(response): return go(.checkBody)
        case .checkBody where object.isWhole(response):
            capabilities.multipartTagging = .afterwards
        default: break
        }
        return tryNextDigest()
    }

    private mutating func tryWritingTags() -> TargetProbe.Action {
        // Where the first half found no way, there is none.
        capabilities.tagging == .none ? tryNextDigest() : go(.writeTags)
    }

    // MARK: - Digests

    private mutating func tryNextDigest() -> TargetProbe.Action {
        guard let next = digests.popFirst() else { return go(.remove) }
        digest = next
        isChecked = false
        return go(.createCovered)
    }

    private mutating func answeredAboutDigest(_ response: Response) -> TargetProbe.Action {
        switch step {
        case .createCovered:
            guard begins(response) else { return tryNextDigest() }
            return go(digest == nil || isChecked ? .rightPart : .wrongPart)
        // The codes are many. What was refused for another reason is refused again when it is right.
        case .wrongPart:
            isChecked = response.status == 400
            return go(.abort)
        case .rightPart:
            guard isSent(response) else {
                isChecked = false
                return go(.abort)
            }
            capabilities.partDigest = digest
            return go(.completeOver)
        default:
            noteAbort(response)
            return isChecked ? go(.createCovered) : tryNextDigest()
        }
    }
}
