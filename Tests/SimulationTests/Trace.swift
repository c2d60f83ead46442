//! The words of the trace: what was asked, what was answered, and what befell it on the way.

import Migration
import S3

extension Flight {
    /// The request, and what will befall it.
    var trace: String {
        let mishap = mishap.map { "(\($0))" } ?? ""
        return ([order.request.trace, uploadTrace, clockTrace, mishap].filter { !$0.isEmpty })
            .joined(separator: " ")
    }

    private var uploadTrace: String {
        if case .object = order.upload { return "with \(upload)" }
        return order.request.body.isEmpty ? "" : "with \(order.request.body.count) bytes of its own"
    }

    private var clockTrace: String {
        signedOffsetSeconds == 0 ? "" : "signed \(signedOffsetSeconds) s ahead"
    }
}

extension Request {
    /// What tells it from others of its kind: query, conditions, ranges and digests.
    var trace: String {
        let query = query.map { $0.value.isEmpty ? $0.name : "\($0.name)=\($0.value)" }
        let names = ["range", "if-match", "if-none-match", "content-md5", "x-amz-tagging"]
        let fields = names.compactMap { name in headers[name].map { "\(name): \($0)" } }
        let checksums = headers.checksums.sorted { $0.key < $1.key }.map {
            "\($0.key): \($0.value)"
        }
        return (query + fields + checksums).joined(separator: ", ")
    }
}

extension Served {
    /// The answer, and what it did.
    var trace: String {
        var words = [response.trace]
        if let object { words.append("of \(object)") }
        if let wrote { words.append("wrote \(wrote.body) as \(wrote.etag ?? "nothing")") }
        if let seen, wrote != nil { words.append("in the place of \(seen.body) by \(seen.author)") }
        if let upload {
            words.append("upload \(upload.id) with parts \(upload.parts.keys.sorted())")
        }
        return words.joined(separator: ", ")
    }
}

extension Response {
    fileprivate var trace: String {
        let code = XMLDocument(body).text(at: "Error/Code") ?? ""
        let names = [
            "etag", "content-range", "content-length", "retry-after", "x-amz-mp-parts-count",
        ]
        let fields = names.compactMap { name in headers[name].map { "\(name): \($0)" } }
        return (["\(status)", code] + fields).filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension Flight.Reply {
    /// What of the answer arrived.
    var trace: String {
        switch self {
        case .answered(let served, let timesResent):
            served.response.trace + (timesResent > 0 ? ", sent \(timesResent + 1) times" : "")
        case .broken(let partial, let timesResent):
            "broken" + (partial.map { " after \($0.byteCount) bytes" } ?? "")
                + (timesResent > 0 ? ", sent \(timesResent + 1) times" : "")
        }
    }
}

extension World {
    /// How the world was drawn, in lines; nothing is worked out where nobody reads.
    func tellBeginning() {
        guard record.print != nil else { return }
        for line in scenario.trace { record.note(now, line) }
        for side in [Side.source, .target] {
            for key in self[side].keys {
                guard let object = self[side][key] else { continue }
                record.note(now, "the \(side) has \(key): \(object.trace)")
            }
        }
        record.note(now, "the target's lists have \(targetListed.sorted())")
    }
}

extension Stored {
    fileprivate var trace: String {
        let parts = partSizes.isEmpty ? "" : ", in parts of \(partSizes)"
        return "\(body), etag \(etag ?? "none")\(parts), tags \(tags.count)"
    }
}

extension Scenario {
    fileprivate var trace: [String] {
        let weights = faults.weights.filter { $0.weight > 0 }.map { "\($0.0) \($0.weight)" }
        return [
            "source \(source)",
            "target \(target)",
            "keys \(listed), shard \(shard)",
            "denied at source \(deniedAtSource.sorted()), at target \(deniedAtTarget.sorted()), "
                + "tags \(deniedTags.sorted())",
            "workers \(workerCount), slots \(slotCount), blocks \(blocksMax), retries \(retriesMax), "
                + "ready \(readyMax), waiting bytes \(waitingBytesMax)",
            "whole objects to \(wholeObjectBytesMax), parts of \(partBytes), the source's to "
                + "\(sourcePartBytesMax), large objects \(largeMax)",
            "latency \(latency) ms, slow \(slowness), faults \(faults.rate): "
                + weights.joined(separator: ", "),
            "client actions \(clientActionCount), endings \(endings)",
        ].map { $0.replacing("SimulationTests.", with: "") }
    }
}
