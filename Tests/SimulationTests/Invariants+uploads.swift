//! What has to hold of uploads in parts: ours end, others' are let alone, and nothing is sent twice for nothing.

import Migration
import S3

/// What is known of the uploads that were begun at the target; nothing in it decides anything.
struct UploadBook: Sendable {
    struct Name: Hashable, Sendable {
        var id: String
        var part: Int
    }

    /// Uploads of ours whose id reached the program.
    var answered: Set<String> = []
    /// Uploads of ours that were begun when nobody waited for them any more.
    var belated: Set<String> = []
    /// Parts whose acknowledgement reached the program.
    var acknowledged: Set<Name> = []
    /// Keys that others have begun uploads of.
    var contended: Set<ObjectKey> = []
    /// Keys whose Complete was taken off the books by a run that was killed before its outcome was logged.
    var forgotten: Set<ObjectKey> = []
    /// Keys that an earlier run has handled, with open uploads: a second pass may need those.
    var kept: Set<ObjectKey> = []
    /// Keys with uploads of which a cleanup could not say which is ours: it knows no other intent of the key.
    var leftAlone: Set<ObjectKey> = []
    /// Uploads of others that could not be told from ours.
    var mistaken: Set<String> = []
}

// MARK: - At every exchange

extension World {
    /// An answer reaches the program.
    func noteUploads(_ flight: Flight) {
        guard case .answered(let served, _) = flight.reply, served.response.status == 200,
            let upload = served.upload
        else { return }
        switch flight.order.request.operation {
        case "CreateMultipartUpload": uploadBook.answered.insert(upload.id)
        case "UploadPart":
            let part = flight.order.request.partNumber ?? 0
            uploadBook.acknowledged.insert(UploadBook.Name(id: upload.id, part: part))
        default: break
        }
    }

    /// A server has acted on a request of ours about an upload.
    func checkUpload(_ served: Served, _ flight: Flight) {
        guard let upload = served.upload else { return }
        let request = flight.order.request
        if request.uploadID == nil {
            let isAwaited = flight.run == runningRun && flight.mishap != .actsLate
            if !isAwaited { uploadBook.belated.insert(upload.id) }
        } else if request.method == .delete, !upload.isOurs, isMistakable(upload, flight) {
            uploadBook.mistaken.insert(upload.id)
        } else if request.method != .get, !upload.isOurs {
            record.violated(
                .foreignUpload,
                "\(name(flight.episode)): \(request.operation) for \(upload.id) of another")
        }
        if request.method == .put { checkNotSentAgain(upload, flight) }
    }

    /// It was begun when ours was, whose id was never heard, and has no part either.
    private func isMistakable(_ upload: Upload, _ flight: Flight) -> Bool {
        let steps = record.episodes[flight.episode].steps[..<flight.step]
        return upload.parts.isEmpty && steps.contains { $0.operation == "ListMultipartUploads" }
    }

    /// Where nothing went wrong with the object, a part that we know to be there stays as it is. A part of another
    /// version of the source has other bytes.
    private func checkNotSentAgain(_ upload: Upload, _ flight: Flight) {
        let number = flight.order.request.partNumber ?? 0
        // What a killed run had sent may come after what the next one has sent instead.
        guard runningRun == nil || flight.run == runningRun else { return }
        guard uploadBook.acknowledged.contains(UploadBook.Name(id: upload.id, part: number)),
            upload.parts[number]?.body == flight.upload, !isFaulted(upload.key)
        else { return }
        record.violated(
            .sentAgain,
            "\(name(flight.episode)) sends part \(number) of \(upload.id) again in run \(flight.run)"
        )
    }

    private func isFaulted(_ key: ObjectKey) -> Bool {
        record.episodes.contains { episode in
            episode.item.key == key && episode.steps.contains { $0.mishap != nil }
        }
    }

    /// Whatever a target shows of ours has come from one version of the source, damaged perhaps (that is another
    /// rule), but never from two.
    func checkNotMixed(_ wrote: Stored, _ key: ObjectKey, _ flight: Flight) {
        guard !source.versions(of: key).contains(where: { $0.body.pieces == wrote.body.pieces })
        else { return }
        record.violated(
            .mixture, "\(name(flight.episode)) wrote \(wrote.body), which was never at the source")
    }
}

// MARK: - At the end

extension World {
    /// After a run without failures, and after `cancel`, no upload of ours is left.
    ///
    /// - Parameter allowsKept: what a run could not abort it has said, and left on the books for `cancel`; as it leaves
    ///   there what belongs to keys that an earlier run has handled, since those may have failed.
    func checkNoUploadsLeft(after moment: String, allowsKept: Bool = false) {
        for upload in target.uploads.values.sorted(by: { $0.serial < $1.serial })
        where upload.isOurs && !isUnknowable(upload) {
            if allowsKept, hasFailedAbort(upload.key) || uploadBook.kept.contains(upload.key) {
                continue
            }
            record.violated(
                .leftover,
                "\(upload.id) of \(upload.key), by \(upload.author), is left after \(moment)")
        }
    }

    private func hasFailedAbort(_ key: ObjectKey) -> Bool {
        record.episodes.contains { episode in
            episode.item.key == key
                && episode.steps.contains { step in
                    let isOfAbort =
                        step.operation == "AbortMultipartUpload" || step.operation == "ListParts"
                        || step.operation == "ListMultipartUploads"
                    return isOfAbort && (step.mishap != nil || step.status ?? 0 >= 400)
                }
        }
    }

    /// An upload whose id never reached us can be found in a list, unless it came to be when nobody looked any more,
    /// or cannot be told from another's of the same key.
    private func isUnknowable(_ upload: Upload) -> Bool {
        guard !uploadBook.answered.contains(upload.id) else { return false }
        let isMistimed = record.episodes.contains { episode in
            episode.steps.contains { $0.mishap == .clockJump && $0.side == .target }
        }
        // One that came too late is there beside it, and both cannot be of the one intent.
        let isBesideBelated = target.uploads.values.contains {
            $0.key == upload.key && uploadBook.belated.contains($0.id)
        }
        return isMistimed || isBesideBelated || uploadBook.contended.contains(upload.key)
            || uploadBook.leftAlone.contains(upload.key)
    }

    /// Written anew, the books can lose an intent: the line of another upload of its key, whose own intent is gone, is
    /// read as the answer to it.
    func excuseEaten(_ uploads: OpenUploads) {
        var again = OpenUploads()
        for record in uploads.records { again.take(record) }
        for record in uploads.records
        where again.records(of: record.key).count < uploads.records(of: record.key).count {
            uploadBook.leftAlone.insert(record.key)
        }
    }

    /// A process has died: what it heard and did not write down is not known.
    func forgetAnswers(except logs: SimulatedLogs, run: Int) {
        let known = Set(logs.openUploads.records.compactMap(\.uploadID))
        let lost = target.uploads.values.filter { upload in
            guard case .transfer(let episode) = upload.author else { return false }
            return record.episodes[episode].run == run && !known.contains(upload.id)
        }
        uploadBook.answered.subtract(lost.map(\.id))
        forgetCompletions(except: logs, run: run)
        excuseSentAgain(logs, run: run)
    }

    /// A process that ends before the answer does not hear how often the transport sent a Create: then there are more
    /// uploads than intents, and which of them are ours cannot be told.
    func excuseSentAgain(_ logs: SimulatedLogs, run: Int) {
        for episode in record.episodes where episode.run == run && episode.hasCreatedTwice {
            let key = episode.item.key
            let books = logs.openUploads.records(of: key)
            let known = books.compactMap(\.uploadID)
            let unheard = target.uploads.values.filter {
                $0.key == key && $0.isOurs && !known.contains($0.id)
            }
            if unheard.count > books.count - known.count { uploadBook.leftAlone.insert(key) }
        }
    }

    /// A process has ended, not by itself: what was off the books by then, and not in the other logs, is not known.
    func forgetCompletions(except logs: SimulatedLogs, run: Int) {
        let remembered = logs.openUploads.records.filter { $0.state == .completing }.map(\.key)
        for episode in record.episodes
        where episode.run == run && !remembered.contains(episode.item.key) {
            let isCompleted = record.episodes.contains { other in
                other.item.key == episode.item.key
                    && other.steps.contains { $0.operation == "CompleteMultipartUpload" }
            }
            if isCompleted { uploadBook.forgotten.insert(episode.item.key) }
        }
    }

    /// What clients have begun and not ended is there, part by part.
    func checkForeignUploads() {
        for wanted in clientUploads where !uploadBook.mistaken.contains(wanted.id) {
            let parts = target.uploads[wanted.id]?.parts.mapValues(\.etag)
            guard parts != wanted.parts else { continue }
            record.violated(
                .foreignUpload,
                "\(wanted.id) of \(wanted.key) has \(parts.map { "\($0)" } ?? "vanished")")
        }
    }
}

extension Episode {
    /// The transport sent a Create twice, so that one intent stands for two uploads.
    fileprivate var hasCreatedTwice: Bool {
        steps.contains { $0.operation == "CreateMultipartUpload" && $0.mishap == .resent }
    }
}
