//! A simulated server: S3's rules, or those of servers that keep to only some of them.

import Migration
import S3

/// Which of S3's rules a server keeps.
struct ServerTraits: Sendable {
    enum Ranges: CaseIterable, Sendable {
        case partial
        /// 200 with a Content-Range and the range's bytes (rclone).
        case okWithRange
        /// 200 with the whole object.
        case ignored
    }

    enum Tagging: CaseIterable, Sendable {
        case onPut
        case afterwards
        case none
        /// Overlooks the query and takes the XML for the object's new content (rclone).
        case takenForBody
    }

    var ranges = Ranges.partial
    var honoursIfMatch = true
    var honoursIfNoneMatch = true
    enum Replacing: CaseIterable, Sendable {
        case quoted
        /// A tag in quotes is never the right one (Ceph).
        case unquoted
        /// Replaces whatever is there (rclone).
        case ignored
        /// 501 (Swift).
        case refused
    }
    /// `If-Match` on PUT.
    var replacing = Replacing.quoted
    /// 404 for `If-Match` where nothing is (S3), or 412.
    var missesWhatIsReplaced = true
    /// An object is gone when a body that was to replace it is refused for its digest (LocalStack).
    var destroysOnRefusal = false
    var checksContentMD5 = true
    /// Says 412 before it looks at the digest, or after.
    var checksConditionFirst = true
    var tellsETagOfPut = true
    /// 416 for a range of an empty object, or 200.
    var refusesRangeOfEmpty = true
    var tagging = Tagging.onPut
    /// How ETags of our writes are made.
    var etags = ETagKind.md5
    /// A body that is not what `x-amz-content-sha256` says is refused.
    var checksSHA256 = true
    var multipart = MultipartTraits()

    /// Tags can be read, and written by a request of their own.
    var hasTags: Bool { tagging == .onPut || tagging == .afterwards }
}

/// One side's objects, with all that they ever were.
struct Store: Sendable {
    /// What stood at a key from a moment on.
    struct State: Sendable {
        var since: Instant
        var object: Stored?
    }

    let side: Side
    let traits: ServerTraits
    private var history: [ObjectKey: [State]] = [:]
    /// Those that have not ended, by their ids.
    var uploads: [String: Upload] = [:]
    /// What became of those that were completed: the ETag that Complete answered.
    var completed: [String: String?] = [:]

    init(_ side: Side, traits: ServerTraits) {
        self.side = side
        self.traits = traits
    }

    subscript(key: ObjectKey) -> Stored? { history[key]?.last?.object }

    mutating func put(_ object: Stored?, at key: ObjectKey, now: Instant) {
        history[key, default: []].append(State(since: now, object: object))
    }

    mutating func setTags(_ tags: [ObjectTag], of key: ObjectKey, now: Instant) {
        guard var object = self[key] else { return }
        object.tags = tags
        put(object, at: key, now: now)
    }

    mutating func forget(_ upload: Upload) { uploads[upload.id] = nil }

    /// Everything that stood at a key at any moment of a span of time, the first of it included; nil for nothing.
    func states(of key: ObjectKey, from start: Instant, to end: Instant) -> [Stored?] {
        let states = history[key] ?? []
        let first = states.lastIndex { $0.since <= start }
        var seen: [Stored?] = first.map { [states[$0].object] } ?? [nil]
        for state in states[(first.map { $0 + 1 } ?? 0)...] where state.since <= end {
            seen.append(state.object)
        }
        return seen
    }

    /// All that ever stood at a key.
    func versions(of key: ObjectKey) -> [Stored] { (history[key] ?? []).compactMap(\.object) }

    func lastObject(_ key: ObjectKey) -> Stored? {
        history[key]?.last { $0.object != nil }?.object
    }

    /// The keys that have an object, in order.
    var keys: [ObjectKey] { history.filter { $0.value.last?.object != nil }.keys.sorted() }

    /// Since when there has been nothing at a key; nil when there is something.
    func absentSince(_ key: ObjectKey) -> Instant? {
        guard let states = history[key], states.last?.object == nil else { return nil }
        let present = states.lastIndex { $0.object != nil }
        return states[present.map { $0 + 1 } ?? 0].since
    }
}
