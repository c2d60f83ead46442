//! The others: what stood in the buckets before we came, and who goes on writing meanwhile.

import Migration
import S3

extension World {
    // MARK: - Before the run

    /// Fills the buckets.
    func populate() {
        for key in scenario.listed {
            // Some keys were deleted since they were listed.
            if !clientRandom.isTrue(0.05) {
                write(aged(newObject(at: key, .source)), key, .source)
            }
            if clientRandom.isTrue(scenario.overwrite == .never ? 0.15 : 0.5) {
                writeExisting(key)
            }
        }
        for key in ["a-unlisted", "z-unlisted"].map({ ObjectKey($0) }) {
            write(newObject(at: key, .source), key, .source)
        }
        touched = []
    }

    /// Something that the target has already: the same object, or another; listed or not.
    private func writeExisting(_ key: ObjectKey) {
        var object = newObject(at: key, .target)
        if let twin = source[key], clientRandom.isTrue(0.5) {
            (object.body, object.etag) = (twin.body, twin.etag)
            object.partSizes = twin.partSizes
        }
        write(aged(object), key, .target)
        if clientRandom.isTrue(0.4) { targetListed.insert(key) }
    }

    /// Where it matters what was written first, it was written at different times.
    private func aged(_ object: Stored) -> Stored {
        guard scenario.overwrite != .never else { return object }
        let seconds = Int64(clientRandom.pick([0, 1, 2, 3, 60, 3600]))
        var object = object
        object.modified = Timestamp(
            secondsSince1970: object.modified.secondsSince1970 - seconds)
        object.since = Instant(elapsed: object.since.elapsed - .seconds(seconds))
        return object
    }

    // MARK: - During the run

    func scheduleClients() {
        guard clientActionsLeft > 0, !isCalm else { return }
        clientActionsLeft -= 1
        let latest = clientRandom.pick([50, 500, 3000])
        queue.add(.clientActs, at: now + clientRandom.milliseconds(0...latest))
    }

    /// One action of a client, most likely where it hurts: at an object that is just being copied.
    func clientActs() {
        defer { scheduleClients() }
        guard !isCalm, !scenario.listed.isEmpty else { return }
        let busy = record.episodes.suffix(8).filter { $0.outcome == nil }.map(\.item.key)
        let isAimed = clientRandom.isTrue(0.7) && !busy.isEmpty
        let key = clientRandom.pick(isAimed ? busy : scenario.listed)
        if clientRandom.isTrue(0.2) { return clientUploads(to: key) }
        let side: Side = clientRandom.isTrue(0.7) ? .source : .target
        touched.insert(key)
        if clientRandom.isTrue(0.4) {
            record.note(now, "client deletes \(key) at the \(side)")
            self[side].put(nil, at: key, now: now)
        } else {
            let object = newObject(at: key, side)
            record.note(now, "client writes \(key) at the \(side): \(object.body)")
            write(object, key, side)
        }
    }

    private func write(_ object: Stored, _ key: ObjectKey, _ side: Side) {
        self[side].put(object, at: key, now: now)
    }

    // MARK: - Objects

    private func newObject(at key: ObjectKey, _ side: Side) -> Stored {
        let body = newBody(insteadOf: self[side][key]?.body)
        let serial = nextSerial()
        let kind = etagKind(side)
        var object = Stored(
            serial: serial, author: .client, body: body,
            etag: kind.etag(of: body, serial: serial), modified: timeOfDay(at: side),
            since: now)
        if kind == .multipart {
            object.partSizes = newPartSizes(of: body.byteCount)
            object.etag = compositeETag(of: body, parts: object.partSizes)
        }
        object.metadata = newMetadata()
        if scenario.mutation?.mixesVersions == true {
            object.modified = Timestamp(secondsSince1970: 0)
        }
        if side == .source, scenario.source.tagging != .none, clientRandom.isTrue(0.3) {
            object.tags = [
                ObjectTag(key: "a b+c", value: "é=%\(clientRandom.int(0...9))"),
                ObjectTag(key: "empty", value: ""),
            ]
        }
        return object
    }

    /// Often of the same size as before, where nothing but its ETag tells it from what it takes the place of; if there
    /// is no honest ETag either, nobody could tell, so then it has another size.
    private func newBody(insteadOf old: Body?) -> Body {
        if let old, clientRandom.isTrue(0.1), tellsWritesApart { return old }
        contentCount += 1
        if scenario.mutation?.mixesVersions == true {
            return Body(content: contentCount, byteCount: 2 << 20)
        }
        let sizes: [ClosedRange<Int64>] = [
            0...0, 1...300, 1...300, 1...300, 1_048_575...1_048_577, 1_500_000...3_145_728,
        ]
        var size = Int64.random(in: clientRandom.pick(sizes), using: &clientRandom)
        if clientRandom.isTrue(0.25) { size = newLargeSize() }
        if let old, clientRandom.isTrue(0.4) { size = old.byteCount }
        if let old, !tellsWritesApart, size == old.byteCount { size += 1 }
        return Body(content: contentCount, byteCount: size)
    }

    /// Some parts, just so, or a byte more or less.
    private func newLargeSize() -> Int64 {
        let count = Int64(clientRandom.int(1...clientRandom.pick([2, 5, 12])))
        return max(1, scenario.partBytes * count + Int64(clientRandom.int(-1...1)))
    }

    private var tellsWritesApart: Bool { scenario.source.etags == .md5 }

    private func etagKind(_ side: Side) -> ETagKind {
        let traits = self[side].traits
        guard traits.etags == .md5 else { return traits.etags }
        return clientRandom.pick(
            weighted: [(.md5, 6), (.multipart, 2), (.disguised, 1), (.opaque, 1)]) ?? .md5
    }

    private func newMetadata() -> [Stored.Field] {
        var fields: [Stored.Field] = []
        if clientRandom.isTrue(0.7) {
            fields.append(Stored.Field(name: "content-type", value: "text/plain"))
        }
        if clientRandom.isTrue(0.5) {
            let value = "Größe \(clientRandom.int(0...99))"
            fields.append(Stored.Field(name: "x-amz-meta-number", value: value))
        }
        if clientRandom.isTrue(0.2) {
            let codings = ["gzip", "aws-chunked", "aws-chunked,gzip"]
            fields.append(
                Stored.Field(name: "content-encoding", value: clientRandom.pick(codings)))
        }
        return fields
    }
}

extension Stored {
    /// What a copy of this object has to have for metadata.
    var carriedMetadata: Set<Field> {
        var carried: Set<Field> = []
        for field in metadata {
            switch field.value {
            case "aws-chunked": continue
            case "aws-chunked,gzip": carried.insert(Field(name: field.name, value: "gzip"))
            default: carried.insert(field)
            }
        }
        if !metadata.contains(where: { $0.name == "content-type" }) {
            carried.insert(Field(name: "content-type", value: "binary/octet-stream"))
        }
        return carried
    }
}
