//! A line of `uploads.log`: a multipart upload of ours, from its intent to its end.

public import S3

/// What is known of one upload that this host has begun.
///
/// `KEY, STATE, UPLOAD ID, SIZE, ETAG, LAST-MODIFIED, PART SIZE, DIGEST, TIME, TARGET ETAG, PROOF`, separated by tabs,
/// where an unknown field is `-`. Size, ETag and Last-Modified are those of the source's object. The key and the id
/// are escaped as in key lists.
public struct UploadRecord: Sendable, Equatable {
    public enum State: String, Sendable, CaseIterable {
        /// Create is about to be sent: on the disk before it is, so that an upload whose id was never heard can be
        /// found.
        case intent
        case open
        /// Complete is about to be sent.
        case completing
        /// Completed: the object is ours, whether or not its outcome reached a log.
        case completed
        /// Aborted, or gone.
        case ended
    }

    public var key: ObjectKey
    public var state: State
    /// nil for an intent.
    public var uploadID: String?
    public var sourceSizeBytes: Int64
    public var sourceETag: ETag?
    public var sourceLastModified: String?
    public var partBytes: Int64
    /// What the target was told to expect with every part.
    public var digest: BodyDigest.Algorithm?
    /// When Create was about to be sent, by the target's clock; nil when it does not tell the time.
    public var begunAt: Timestamp?
    /// What the target will call the object, from `completing` on.
    public var targetETag: ETag?
    /// How sure the copy is, from `completing` on.
    public var proof: Proof?

    static let fieldCount = 11

    init(key: ObjectKey, facts: ObjectFacts, plan: PartPlan, digest: BodyDigest.Algorithm?) {
        self.key = key
        self.state = .intent
        self.sourceSizeBytes = facts.sizeBytes
        self.sourceETag = facts.etag
        self.sourceLastModified = facts.lastModified
        self.partBytes = plan.partBytes
        self.digest = digest
    }

    /// Whether it was begun for this very object: only then its parts are of use.
    func isOf(_ facts: ObjectFacts) -> Bool {
        sourceSizeBytes == facts.sizeBytes && sourceETag == facts.etag
            && sourceLastModified == facts.lastModified
    }
}

// MARK: - Its line

extension UploadRecord {
    /// Appends the line with its newline.
    public func append(to text: inout [UInt8]) {
        KeyListLine.appendEscaped(key: key.bytes.span, to: &text)
        append(state.rawValue, to: &text)
        text.append(UInt8(ascii: "\t"))
        KeyListLine.appendEscaped(key: Array((uploadID ?? "-").utf8).span, to: &text)
        let fields = [
            String(sourceSizeBytes), LogField.cleaned(sourceETag?.text ?? "-"),
            LogField.cleaned(sourceLastModified ?? "-"), String(partBytes),
            digest?.rawValue ?? "-", begunAtText,
            LogField.cleaned(targetETag?.text ?? "-"), proof?.rawValue ?? "-",
        ]
        for field in fields { append(field, to: &text) }
        text.append(UInt8(ascii: "\n"))
    }

    /// A clock before 1970 is wrong, and as good as none.
    private var begunAtText: String {
        begunAt.flatMap { $0.secondsSince1970 < 0 ? nil : String($0.secondsSince1970) } ?? "-"
    }

    private func append(_ field: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\t"))
        text.append(contentsOf: field.utf8)
    }

    /// Reads a line without its newline; nil when it has not the form that `append` gives it.
    public init?(parsing line: Span<UInt8>) {
        let fields = LogField.bytes(line).split(
            separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard fields.count == UploadRecord.fieldCount,
            !line.indices.contains(where: { line[$0] == 0 })
        else { return nil }
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        func known(_ index: Int) -> String? { texts[index] == "-" ? nil : texts[index] }
        guard let key = LogField.key(fields[0]), let state = State(rawValue: texts[1]),
            let id = LogField.key(fields[2]), let size = LogField.number(fields[3]), size > 0,
            let partBytes = LogField.number(fields[6]), partBytes > 0,
            let begun = LogField.optionalNumber(fields[8])
        else { return nil }
        // Nobody wrote what would be written otherwise: the line was damaged.
        guard [4, 5, 9].allSatisfy({ LogField.cleaned(texts[$0]) == texts[$0] }) else { return nil }
        let digest = known(7).flatMap(BodyDigest.Algorithm.init)
        let proof = known(10).flatMap(Proof.init)
        guard (digest == nil) == (known(7) == nil), (proof == nil) == (known(10) == nil) else {
            return nil
        }
        let idText = String(decoding: id.bytes, as: UTF8.self)
        guard idText.utf8.elementsEqual(id.bytes) else { return nil }
        guard (idText == "-") == (state == .intent) || state == .ended else { return nil }
        self.key = key
        self.state = state
        self.uploadID = idText == "-" ? nil : idText
        self.sourceSizeBytes = size
        self.sourceETag = known(4).map { ETag($0) }
        self.sourceLastModified = known(5)
        self.partBytes = partBytes
        self.digest = digest
        self.begunAt = begun.map { Timestamp(secondsSince1970: $0) }
        self.targetETag = known(9).map { ETag($0) }
        self.proof = proof
    }
}

/// The uploads that a log of them leaves open.
public struct OpenUploads: Sendable {
    /// In the order in which they were begun.
    public private(set) var records: [UploadRecord] = []
    /// What was completed by a run that may have been killed before it could log the outcome.
    public private(set) var completed: [UploadRecord] = []
    var keepsCompleted: Bool

    /// - Parameter keepsCompleted: for the reader of an earlier run's log; a run itself knows what it did.
    public init(keepsCompleted: Bool = false) {
        self.keepsCompleted = keepsCompleted
    }

    public mutating func take(_ record: UploadRecord) {
        switch record.state {
        case .intent: records.append(record)
        case .open:
            remove(intentOf: record)
            records.append(record)
        case .completing:
            remove { $0.key == record.key && $0.uploadID == record.uploadID }
            records.append(record)
        case .completed:
            remove { $0.key == record.key && $0.uploadID == record.uploadID }
            if keepsCompleted { completed.append(record) }
        case .ended where record.uploadID == nil:
            remove(intentOf: record)
        case .ended:
            remove { $0.key == record.key && $0.uploadID == record.uploadID }
        }
    }

    /// The open uploads of the same key, without this one.
    public func others(than record: UploadRecord) -> [UploadRecord] {
        var others = records(of: record.key)
        if let index = others.firstIndex(of: record) { others.remove(at: index) }
        return others
    }

    /// Forgets what was completed of objects whose outcomes are in a log.
    public mutating func forgetCompleted(where isLogged: (ObjectKey) -> Bool) {
        completed.removeAll { isLogged($0.key) }
    }

    /// The log that holds these and nothing else.
    public var lines: [UInt8] {
        // Intents last: an open upload answers the intent of its key that stands before it.
        let known = records.filter { $0.uploadID != nil }
        let intents = records.filter { $0.uploadID == nil }
        return (completed + known + intents).reduce(into: []) { lines, record in
            record.append(to: &lines)
        }
    }

    /// The open uploads of one key.
    public func records(of key: ObjectKey) -> [UploadRecord] {
        records.isEmpty ? [] : records.filter { $0.key == key }
    }

    /// All that is known of one key, for who copies it.
    func known(of key: ObjectKey) -> [UploadRecord] {
        let completed = completed.isEmpty ? [] : completed.filter { $0.key == key }
        return completed + records(of: key)
    }

    /// A key can have several intents, each of another time: Creates whose answers were lost.
    private mutating func remove(intentOf record: UploadRecord) {
        remove { $0.key == record.key && $0.uploadID == nil && $0.begunAt == record.begunAt }
    }

    private mutating func remove(_ isMeant: (UploadRecord) -> Bool) {
        if let index = records.lastIndex(where: isMeant) { records.remove(at: index) }
    }
}
