//! What has to hold at every write, and at the end of everything.

import Migration
import S3

// MARK: - At every exchange

extension World {
    /// No object needs more exchanges than this, whatever befalls it.
    func checkBound(_ episode: Int) {
        let parts = record.episodes[episode].isLarge ? 12 : 1
        let bound = (scenario.retriesMax + 2) * 60 * parts
        if record.episodes[episode].steps.count == bound {
            isHopeless = true
            record.violated(.endless, "\(name(episode)) took \(bound) exchanges")
        }
    }

    func name(_ episode: Int) -> String {
        "\(record.episodes[episode].item.key) #\(episode)"
    }

    /// A server has acted on a request of ours.
    func checkWrite(_ served: Served, _ flight: Flight) {
        guard let wrote = served.wrote, let key = flight.order.request.key else { return }
        if !isOurs(key) { record.violated(.strayed, "\(key) was written") }
        if ["PutObject", "CompleteMultipartUpload"].contains(flight.order.request.operation) {
            checkNotOverwritten(served, flight)
            checkNotBroughtBack(key, flight)
            checkNotMixed(wrote, key, flight)
        } else {
            checkTagsKept(served, flight)
        }
    }

    private func checkNotOverwritten(_ served: Served, _ flight: Flight) {
        guard let old = served.seen else { return }
        let hasIfMatch = flight.order.request.headers["if-match"] != nil
        if scenario.overwrite != .never || hasIfMatch { return checkReplaced(old, flight) }
        let episode = record.episodes[flight.episode]
        // A copy that failed after it was written may be replaced; Complete with a look before it, where the target
        // takes no If-Match.
        if old.author != .client, let etag = episode.item.damagedETag, etag.text == old.etag {
            return
        }
        let looked = episode.steps[..<flight.step].last {
            $0.operation == "HeadObject" && $0.side == .target
        }?.servedAt
        // Without a condition there is a moment between the look and the write.
        let isConditional = isConditional(flight.order.request)
        let isUnseen = !isConditional && looked.map { $0 <= old.since } ?? false
        let isOurOwn = old.author != .client && old.body == served.wrote?.body
        guard !isUnseen, isConditional || !isOurOwn else { return }
        record.violated(.overwrote, "\(name(flight.episode)) took the place of \(old)")
    }

    /// Whether the program may rely on the target not to let this request overwrite anything.
    private func isConditional(_ request: Request) -> Bool {
        request.operation == "PutObject"
            ? capabilities.conditionalPut : capabilities.conditionalComplete
    }

    /// A delete of a client counts from a second before we send the object.
    private func checkNotBroughtBack(_ key: ObjectKey, _ flight: Flight) {
        let sentAt = record.episodes[flight.episode].steps[flight.step].sentAt
        guard let deleted = source.absentSince(key), sentAt - deleted > Limits.sourceFreshFor
        else { return }
        record.violated(
            .cameBack,
            "\(name(flight.episode)) was sent \(sentAt - deleted) after it was deleted")
    }

    /// Whether this request of the episode was sent before.
    private func isRetry(_ flight: Flight) -> Bool {
        let steps = record.episodes[flight.episode].steps
        return steps[..<flight.step].contains { $0.operation == steps[flight.step].operation }
    }

    private func checkTagsKept(_ served: Served, _ flight: Flight) {
        let sentAt = record.episodes[flight.episode].steps[flight.step].sentAt
        guard let old = served.seen, old.author == .client, sentAt - old.since > .seconds(1),
            isRetry(flight)
        else { return }
        // A client's object with the very bytes that we write may be taken for ours.
        let bodies = record.episodes[flight.episode].steps.filter { $0.side == .source }
            .compactMap(\.seen?.body)
        guard !bodies.contains(old.body) else { return }
        record.violated(.tagged, "\(name(flight.episode)) set the tags of \(old)")
    }
}

// MARK: - At the end

extension World {
    /// Every object that no client touched must be at the target, with bytes, metadata and tags.
    func checkEnd() {
        for key in keysToLog where !touched.contains(key) {
            guard let wanted = source[key], !isExcused(key, wanted) else { continue }
            guard let copy = target[key] else {
                record.violated(.missing, "\(key): \(wanted)")
                continue
            }
            guard copy.author != .client else {
                checkReplacedInTheEnd(copy, wanted, key)
                continue
            }
            checkCopy(copy, of: wanted, key)
        }
        checkForeignUploads()
    }

    private func isExcused(_ key: ObjectKey, _ wanted: Stored) -> Bool {
        scenario.deniedAtSource.contains(key) || scenario.deniedAtTarget.contains(key)
            || cannotBeDivided(wanted)
    }

    private var showsNoComposites: Bool { !scenario.target.multipart.hasCompositeETags }

    /// Parts of it cannot be read, and whole it is too large.
    func cannotBeDivided(_ object: Stored) -> Bool {
        scenario.source.ranges == .ignored
            && object.body.byteCount > scenario.wholeObjectBytesMax
    }

    /// Bits were turned over where nobody could tell, and the log does not promise more than it knows. What was
    /// received wrong may be in a part that a later run has found.
    func isBodyDoubtful(_ key: ObjectKey) -> Bool {
        let episodes = record.episodes.filter { $0.item.key == key }
        return episodes.contains { $0.isSentDoubtful(scenario) && $0.promisesNothing }
            || episodes.contains { $0.isReceivedDoubtful(scenario) }
                && episodes.contains(where: \.promisesNothing)
    }

    private func checkCopy(_ copy: Stored, of wanted: Stored, _ key: ObjectKey) {
        let episodes = record.episodes.filter { $0.item.key == key }
        guard !isBodyDoubtful(key) else { return }
        if copy.body != wanted.body {
            record.violated(.missing, "\(key) is \(copy.body) instead of \(wanted.body)")
        }
        if Set(copy.metadata) != wanted.carriedMetadata {
            record.violated(.missing, "\(key) has \(copy.metadata) of \(wanted.carriedMetadata)")
        }
        let lostTags = episodes.contains {
            // What cannot be told from others' by its ETag is called a skip, and a skip promises no tags.
            $0.outcome?.losses.contains(.tags) ?? false
                || $0.outcome?.kind == .skippedTarget
                    && (scenario.target.etags != .md5 || $0.isLarge && showsNoComposites
                        || $0.steps.contains { $0.mishap == .wrongRange })
        }
        // Between a write and its tags there may have been a failure; a later pass finds the object and leaves it.
        let isUnfinished =
            (capabilities.tagging != .onPut || capabilities.multipartTagging != .onPut)
            && episodes.contains { $0.outcome?.kind == .failed }
        // Nor can tags be told that may not be read, when the run is killed that says so.
        let isDenied = scenario.deniedTags.contains(key)
        if copy.tags != wanted.tags, !lostTags, !isUnfinished, !isDenied {
            record.violated(.missing, "\(key) has the tags \(copy.tags) of \(wanted.tags)")
        }
    }
}

extension Episode {
    /// The target may have written what we were never told of.
    private var hasLostAnswer: Bool {
        steps.contains {
            let lost: [Mishap] = [.answerLost, .actsLate, .resent, .failedAfterActing]
            return $0.wrote != nil && $0.mishap.map(lost.contains) ?? false
        }
    }

    /// A bit was turned over on its way to us where no ETag of the source's tells.
    fileprivate func isReceivedDoubtful(_ scenario: Scenario) -> Bool {
        steps.contains {
            $0.mishap == .flippedDownload && !($0.seen?.isVerifiable(scenario) ?? true)
        }
    }

    /// A bit was turned over on its way to a target that checks no digests.
    fileprivate func isSentDoubtful(_ scenario: Scenario) -> Bool {
        !scenario.target.checksContentMD5
            && steps.contains { $0.mishap == .flippedUpload || $0.mishap == .flippedDownload }
    }

    /// The log does not say of this object that its bytes are right.
    fileprivate var promisesNothing: Bool {
        switch outcome?.kind {
        case .copied: outcome?.proof.map { [.size, .upload].contains($0) } ?? true
        case .failed:
            // What failed after it was written stays there, and a later pass cannot tell it from another's.
            outcome?.failure?.ourETag != nil || hasLostAnswer
                || [.settle, .putTags].contains(outcome?.failure?.stage)
        case .skippedTarget: outcome?.proof != .same
        // The process died before it could say anything.
        case nil: true
        default: false
        }
    }
}
