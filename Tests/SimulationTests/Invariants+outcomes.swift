//! What has to be true of an outcome, at the moment when a transfer comes to it.

import Migration
import S3

extension World {
    /// A transfer has ended.
    func end(_ episode: Int, _ outcome: Outcome) {
        record.episodes[episode].ended = now
        record.episodes[episode].outcome = outcome
        record.note(
            now,
            "end #\(episode) \(outcome.kind.rawValue) \(outcome.proof?.rawValue ?? "-") "
                + (outcome.failure.map { "\($0)" } ?? ""))
        switch outcome.kind {
        case .copied: checkCopied(episode, outcome)
        case .skippedSource: checkAbsent(episode)
        case .skippedTarget: checkSkipped(episode, outcome)
        case .failed: checkFailed(episode, outcome)
        case .exist: checkSample(episode, outcome)
        case .same, .differs, .missing, .gone, .extra:
            record.violated(.untrueSkip, "\(name(episode)) \(outcome.kind), says a transfer")
        }
    }

    private func states(_ side: Side, _ episode: Int) -> [Stored] {
        let episode = record.episodes[episode]
        return self[side].states(of: episode.item.key, from: episode.begun, to: now)
            .compactMap { $0 }
    }

    // MARK: - Copied

    /// The target held, at some moment of the transfer, an object that the source held at some moment of it.
    private func checkCopied(_ episode: Int, _ outcome: Outcome) {
        let sources = states(.source, episode)
        let isTrue = states(.target, episode).contains { copy in
            sources.contains { isCopy(copy, of: $0, outcome, episode) }
        }
        if !isTrue {
            record.violated(
                .untrueCopy,
                "\(name(episode)) \(outcome): the target held \(states(.target, episode)), "
                    + "the source \(sources)")
        }
    }

    private func isCopy(
        _ copy: Stored, of original: Stored, _ outcome: Outcome, _ episode: Int
    ) -> Bool {
        guard copy.body.byteCount == outcome.sizeBytes,
            isCalled(outcome.etag, copy, of: original, outcome.proof, episode)
        else { return false }
        switch outcome.proof {
        case .etag:
            guard outcome.etag?.text == original.etag, copy.body == original.body else {
                return false
            }
        case .upload, .size, nil:
            let key = record.episodes[episode].item.key
            let isDoubtful = isBodyDoubtful(key)
            guard original.body.byteCount == outcome.sizeBytes,
                isDoubtful || copy.body == original.body
            else { return false }
        case .same, .differs: return false
        // Every digest says that not a byte differs.
        default: guard copy.body == original.body else { return false }
        }
        // What a client has written with the same bytes may have other metadata.
        guard copy.author == .transfer(episode) else { return true }
        // The same bytes may have been written again meanwhile, with other metadata; or, within one second, before an
        // earlier run began the upload.
        let key = record.episodes[episode].item.key
        let twins = source.versions(of: key).filter {
            $0.etag == original.etag && $0.modified == original.modified
        }
        return (states(.source, episode) + twins).contains { twin in
            twin.body == copy.body && Set(copy.metadata) == twin.carriedMetadata
                && hasTags(copy, of: twin, outcome, episode)
        } || copy.body != original.body
    }

    /// What an object in parts was called by Complete, or has to be called by its parts, is as good where the target
    /// shows none of that.
    private func isCalled(
        _ etag: ETag?, _ copy: Stored, of original: Stored, _ proof: Proof?, _ episode: Int
    ) -> Bool {
        guard let etag, etag.text != copy.etag else { return true }
        guard record.episodes[episode].isLarge else { return false }
        let isComposed = scenario.target.multipart.hasCompositeETags && copy.etag != nil
        return !isComposed || proof == .etag && etag.text == original.etag
            || isMistakable(etag, copy, episode)
    }

    /// There are targets (rclone) that show an object in parts under the MD5 of the whole. So what a client has put in
    /// the place of ours before we looked, of the very same size and under such a name, cannot be told from ours; but
    /// for the MD5 of a single part, which is known.
    private func isMistakable(_ etag: ETag, _ copy: Stored, _ episode: Int) -> Bool {
        guard copy.partSizes.count > 1 || !capabilities.partETagIsMD5 else { return false }
        return states(.target, episode).contains { other in
            other.author == .client && other.etag == etag.text && other.hasDigest
                && other.body.byteCount == copy.body.byteCount && other.since >= copy.since
        }
    }

    /// S3 has no way to read the tags of one certain write, so those of an object that a client writes meanwhile
    /// may be newer than its body.
    private func hasTags(
        _ copy: Stored, of original: Stored, _ outcome: Outcome, _ episode: Int
    ) -> Bool {
        copy.tags == original.tags || outcome.losses.contains(.tags)
            || touched.contains(record.episodes[episode].item.key)
    }

    // MARK: - Skipped

    private func checkAbsent(_ episode: Int) {
        let transfer = record.episodes[episode]
        let states = source.states(of: transfer.item.key, from: transfer.begun, to: now)
        if !states.contains(where: { $0 == nil }) {
            record.violated(.untrueSkip, "\(name(episode)) is not gone from the source")
        }
    }

    /// A sample tells what the target had, or nothing.
    private func checkSample(_ episode: Int, _ outcome: Outcome) {
        let sample = record.episodes[episode]
        let states = target.states(of: sample.item.key, from: sample.begun, to: now)
        let isTrue =
            switch outcome.proof {
            case .missing: states.contains { $0 == nil }
            case .same, .differs: states.contains { $0?.etag == outcome.etag?.text }
            default: true
            }
        guard sample.item.isSample, isTrue else {
            return record.violated(.untrueSkip, "\(name(episode)) exists, says a transfer")
        }
    }

    private func checkSkipped(_ episode: Int, _ outcome: Outcome) {
        let steps = record.episodes[episode].steps
        guard
            let found = steps.last(where: { $0.operation == "HeadObject" && $0.side == .target })?
                .seen
        else {
            return record.violated(.untrueSkip, "\(name(episode)): the target had nothing")
        }
        // Where both ends are asked first, there is no GET. What a client wrote before the question for the layout is
        // not what was read, and the log tells of what was.
        let read =
            steps.last {
                $0.side == .source && $0.readsObject && !$0.isForLayout && $0.seen != nil
            }?.seen
        checkNotOurs(found, read, episode)
        let isSame = found.body == read?.body
        // Of a large object only the ETags can be compared, even before an upload of it has begun.
        let isLarge =
            record.episodes[episode].isLarge || found.body.byteCount > scenario.wholeObjectBytesMax
        let isHonest =
            found.etag == hexText(found.body.md5) && (!isLarge || read?.etag == found.etag)
        // An answer may tell of an object of another size.
        let isFlipped = steps.contains {
            $0.mishap == .flippedDownload || $0.mishap == .wrongRange
        }
        switch outcome.proof {
        case .same where !isSame:
            record.violated(.untrueSkip, "\(name(episode)) is not the same: \(found)")
        case .differs where isSame && isHonest && !isFlipped:
            record.violated(.untrueSkip, "\(name(episode)) does not differ: \(found)")
        case .etag, .md5, .upload, nil:
            record.violated(.untrueSkip, "\(name(episode)): \(outcome)")
        default: break
        }
    }

    /// What we wrote is told from others' by its ETag, so it takes a target with honest ones; and an object that has
    /// changed at the source since, or was damaged, is no longer the one that we wanted to write.
    private func checkNotOurs(_ found: Stored, _ read: Stored?, _ episode: Int) {
        guard case .transfer(let author) = found.author, found.body == read?.body,
            record.episodes[author].pass == record.episodes[episode].pass,
            !record.episodes[episode].steps.contains(where: {
                // An answer that tells of another size tells of another object.
                $0.mishap == .flippedDownload || $0.mishap == .wrongRange
            }),
            isTellable(found, read, episode)
        else { return }
        record.violated(
            .lostAnswer, "\(name(episode)) was written by #\(author) and is called a skip")
    }

    /// Of a large object we remember what its parts lead to expect, unless its source has changed since. What an
    /// earlier run had taken off its books already, and was killed before its outcome was logged, is lost.
    private func isTellable(_ found: Stored, _ read: Stored?, _ episode: Int) -> Bool {
        let isWhole = found.partSizes.isEmpty && read?.partSizes.isEmpty ?? true
        guard record.episodes[episode].isLarge || !isWhole else {
            return found.etag == hexText(found.body.md5)
        }
        let key = record.episodes[episode].item.key
        guard !touched.contains(key), !uploadBook.forgotten.contains(key) else { return false }
        return scenario.target.multipart.hasCompositeETags && scenario.target.etags == .md5
            || found.etag != nil && found.etag == read?.etag
    }

    // MARK: - Failed

    /// A failure needs a reason: something forbidden, or more mishaps than may be tried again.
    private func checkFailed(_ episode: Int, _ outcome: Outcome) {
        let transfer = record.episodes[episode]
        guard let failure = outcome.failure, !isForbidden(transfer, failure) else { return }
        let troubles = transfer.steps.filter {
            $0.mishap != nil || $0.status ?? 0 >= 400 || $0.looksLikeNoOutage
        }
        // A client that writes meanwhile is good for some restarts.
        let isExhausted =
            troubles.count > min(scenario.retriesMax, Limits.restartsMax)
            || touched.contains(transfer.item.key) && !troubles.isEmpty
        let isFinal = troubles.contains { $0.mishap?.isFinal ?? false }
        // A clock that jumped is no reason to give up, but the answer to a HEAD has no body that tells of it.
        let isHeadRefused = troubles.contains {
            $0.status == 403 && $0.operation == "HeadObject"
        }
        if !isExhausted, !isFinal, !isHeadRefused {
            record.violated(.baselessFailure, "\(name(episode)): \(failure)")
        }
    }

    private func isForbidden(_ transfer: Episode, _ failure: Failure) -> Bool {
        let key = transfer.item.key
        return switch failure.faultClass {
        case .denied:
            scenario.deniedAtSource.contains(key) || scenario.deniedAtTarget.contains(key)
        case .refused:
            transfer.steps.contains { $0.seen.map(cannotBeDivided) ?? false }
        case .damaged:
            // A client that writes at this very moment can make it impossible to tell.
            isBodyDoubtful(key) || touched.contains(key)
                || transfer.steps.contains { $0.mishap == .flippedDownload }
        // A client that goes on writing can keep us from ever reading the whole.
        case .changed, .conflict: touched.contains(key)
        default: false
        }
    }
}
