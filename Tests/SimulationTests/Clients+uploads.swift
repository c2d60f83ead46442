//! Clients that upload in parts themselves: at the target while we copy, and at the source before it was listed.

import Migration
import S3

/// An upload that a client has begun at the target and not yet ended.
struct ClientUpload: Sendable {
    var id: String
    var key: ObjectKey
    /// ETags by number.
    var parts: [Int: String] = [:]
}

// MARK: - At the target

extension World {
    /// One step of an upload of a client's own: what we must not touch.
    func clientUploads(to key: ObjectKey) {
        let place = clientUploads.indices.randomElement(using: &clientRandom)
        guard let place, clientRandom.isTrue(0.7) else { return beginClientUpload(key) }
        switch clientRandom.int(0...9) {
        case 0...5: sendClientPart(place)
        case 6...7: endClientUpload(place, isAborted: true)
        default: endClientUpload(place, isAborted: clientUploads[place].parts.isEmpty)
        }
    }

    private func beginClientUpload(_ key: ObjectKey) {
        let request = CreateMultipartUpload.request(
            bucket: "target", key: key, metadata: HeaderFields())
        guard let upload = serveClient(request).upload else { return }
        clientUploads.append(ClientUpload(id: upload.id, key: key))
        guard !upload.isOurs else { return _ = uploadBook.answered.insert(upload.id) }
        uploadBook.contended.insert(key)
    }

    private func sendClientPart(_ place: Int) {
        let (id, key) = (clientUploads[place].id, clientUploads[place].key)
        contentCount += 1
        let least = target.traits.multipart.partBytesMin
        let body = Body(content: contentCount, byteCount: least + Int64(clientRandom.int(0...300)))
        let number = clientRandom.int(1...4)
        let request = UploadPart.request(
            bucket: "target", key: key, uploadID: id, partNumber: number)
        _ = serveClient(request, body)
        clientUploads[place].parts[number] = target.uploads[id]?.parts[number]?.etag
    }

    private func endClientUpload(_ place: Int, isAborted: Bool) {
        let ended = clientUploads.remove(at: place)
        guard !isAborted else {
            _ = serveClient(
                AbortMultipartUpload.request(bucket: "target", key: ended.key, uploadID: ended.id))
            return
        }
        let parts = ended.parts.sorted { $0.key < $1.key }
            .map { CompleteMultipartUpload.Part(number: $0.key, etag: ETag($0.value)) }
        touched.insert(ended.key)
        _ = serveClient(
            CompleteMultipartUpload.request(
                bucket: "target", key: ended.key, uploadID: ended.id, parts: parts, condition: .none
            ))
    }

    /// Clients are at the server's side of the network.
    private func serveClient(_ request: Request, _ upload: Body? = nil) -> Served {
        let arrival = Arrival(
            request: request, upload: upload ?? Body(text: request.body), now: now,
            time: timeOfDay(at: .target), serial: nextSerial(),
            author: scenario.mutation == .leavesUploads ? .probe : .client)
        let served = target.serve(arrival)
        record.note(
            now, "client: \(request.operation) \(request.key?.description ?? "-"): \(served.trace)")
        return served
    }
}

// MARK: - At the source

extension World {
    /// The parts in which an object came to be: a megabyte more or less, an odd size, or what somebody liked.
    func newPartSizes(of byteCount: Int64) -> [Int64] {
        guard byteCount > 1 else { return [byteCount] }
        if clientRandom.isTrue(0.15) { return unevenPartSizes(of: byteCount) }
        let any = Int64.random(in: 1...byteCount, using: &clientRandom)
        let sizes: [Int64] = [
            1 << 20, (1 << 20) - 1, (1 << 20) + 1, 700_001, scenario.partBytes, byteCount, any,
        ]
        let size = max(clientRandom.pick(sizes), (byteCount + 19) / 20)
        var parts = [Int64](repeating: size, count: Int(byteCount / size))
        if !byteCount.isMultiple(of: size) { parts.append(byteCount % size) }
        return parts
    }

    /// Nothing on S3 says that parts have to be alike.
    private func unevenPartSizes(of byteCount: Int64) -> [Int64] {
        let cuts = (0..<3).map { _ in Int64.random(in: 1..<byteCount, using: &clientRandom) }
        let places = [0] + Set(cuts).sorted() + [byteCount]
        return zip(places, places.dropFirst()).map { $1 - $0 }
    }

    /// The ETag of an object that was uploaded in these parts.
    func compositeETag(of body: Body, parts sizes: [Int64]) -> String {
        var start: Int64 = 0
        var digests: [[UInt8]] = []
        for size in sizes {
            digests.append(body[start..<start + size].md5)
            start += size
        }
        return ETagKind.composite(digests)
    }
}
