//! How a simulated server answers: S3's rules about a request, without any faults.

import Migration
import S3

/// What a server did about a request.
struct Served: Sendable {
    var response: Response
    /// The bytes of the object that go with a good answer.
    var object: Body?
    /// What stood at the key when the request came.
    var seen: Stored?
    /// What stands there since, if it was changed.
    var wrote: Stored?
    /// The upload that the request was about, as it was before; one that was just begun as it is.
    var upload: Upload?
}

/// A request as it arrives at a server.
struct Arrival: Sendable {
    var request: Request
    var upload: Body
    var now: Instant
    /// The server's own time of day.
    var time: Timestamp
    var serial: Int
    var author: Stored.Author
}

extension Store {
    /// Serves a request atomically.
    mutating func serve(_ arrival: Arrival) -> Served {
        let request = arrival.request
        if request.isAboutUploads { return serveUpload(arrival) }
        guard let key = request.key else { return refusal(404, "NoSuchBucket", nil) }
        let isAboutTags = request.query.contains { $0.name == "tagging" }
        switch (request.method, isAboutTags) {
        case (.get, true): return getTags(key)
        case (.put, true) where traits.tagging == .takenForBody: return put(arrival, key)
        case (.put, true): return putTags(arrival, key)
        case (.get, false), (.head, false): return get(request, key)
        case (.put, false): return put(arrival, key)
        case (.delete, _):
            let seen = self[key]
            put(nil, at: key, now: arrival.now)
            return Served(response: Response(status: 204), seen: seen)
        default: return refusal(405, "MethodNotAllowed", nil)
        }
    }

    func refusal(_ status: Int, _ code: String, _ seen: Stored?) -> Served {
        Served(response: .refusal(status, code), seen: seen)
    }
}

extension Response {
    static func refusal(_ status: Int, _ code: String, extra: String = "") -> Response {
        let text =
            "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>simulated</Message>"
            + "\(extra)</Error>"
        return Response(status: status, body: Array(text.utf8))
    }
}
