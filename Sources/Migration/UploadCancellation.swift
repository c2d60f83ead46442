//! Aborts an upload of ours that nobody will continue, also one whose id we never heard.

public import S3

/// The end of one upload of `uploads.log`: an Abort; before it, for an intent, the search for what it may have begun.
public struct UploadCancellation: Sendable {
    public enum Action: Sendable {
        case exchange(ExchangeOrder)
        /// The upload is no more. `found` says whether there was one.
        case done(found: Bool)
        /// There may be one, which is not surely ours: it is left alone.
        case unsure(String)
        case failed(Fault)
    }

    public let record: UploadRecord
    private let bucket: String
    /// Ids of other uploads of ours of this key: those are not what an intent has begun.
    private let knownIDs: Set<String>
    /// How many intents of this key are on the books; each may have begun one of the candidates.
    private let intentCount: Int
    private var id: String?
    private var step = Step.listing
    private var asked = Request(.get, operation: "", bucket: "")
    private var candidates: [ListMultipartUploads.Upload] = []
    private var wasFound = false

    private enum Step: Sendable {
        case listing
        /// Is the upload that we found without a part, as ours must be?
        case inspecting
        case aborting
    }

    /// How long after its intent was written an upload may have begun: a request's whole lifetime, and clocks that tell
    /// only seconds.
    private static let window: ClosedRange<Int64> = -2...120

    /// - Parameter others: what else is on the books, without this one; only uploads of the same key matter.
    public init(_ record: UploadRecord, bucket: String, others: [UploadRecord] = []) {
        let others = others.filter { $0.key == record.key }
        self.record = record
        self.bucket = bucket
        self.knownIDs = Set(others.compactMap(\.uploadID))
        self.intentCount = 1 + others.count { $0.uploadID == nil }
        self.id = record.uploadID
    }

    public mutating func begin() -> Action {
        candidates = []
        if let id = record.uploadID { return abort(id) }
        step = .listing
        return list(after: nil)
    }

    public mutating func answered(_ response: Response) -> Action {
        switch step {
        case .listing: answeredList(response)
        case .inspecting: answeredInspection(response)
        case .aborting: answeredAbort(response)
        }
    }

    // MARK: - The search

    private mutating func list(
        after marker: (keyMarker: ObjectKey, uploadIDMarker: String?)?
    ) -> Action {
        asked = ListMultipartUploads.request(
            bucket: bucket, prefix: record.key, keyMarker: marker?.keyMarker,
            uploadIDMarker: marker?.uploadIDMarker)
        return .exchange(ExchangeOrder(.target, asked))
    }

    private mutating func answeredList(_ response: Response) -> Action {
        let answer: ListMultipartUploads.Answer
        do throws(S3Error) {
            answer = try ListMultipartUploads.answer(response, to: asked)
        } catch {
            // rclone's word for none at all.
            if response.status == 404, error.code == "NoSuchUpload" { return .done(found: false) }
            return .failed(RetryPolicy.fault(of: response))
        }
        candidates += answer.uploads.filter {
            $0.key == record.key && isInWindow($0.initiated) && !knownIDs.contains($0.id)
        }
        // Keys come in order, so what follows a longer key is not ours.
        if let next = answer.next, next.keyMarker == record.key { return list(after: next) }
        guard candidates.count <= intentCount else {
            return .unsure(
                "\(candidates.count) uploads of \(KeyListLine.escaped(record.key)) were begun when ours "
                    + "were; they are left alone, since no more than \(intentCount) can be ours")
        }
        return inspectNext()
    }

    private mutating func inspectNext() -> Action {
        candidates.isEmpty ? .done(found: wasFound) : inspect(candidates.removeFirst().id)
    }

    private func isInWindow(_ initiated: Timestamp?) -> Bool {
        guard let initiated, let begun = record.begunAt else { return false }
        return Self.window.contains(initiated.secondsSince1970 - begun.secondsSince1970)
    }

    private mutating func inspect(_ id: String) -> Action {
        step = .inspecting
        self.id = id
        asked = ListParts.request(bucket: bucket, key: record.key, uploadID: id)
        return .exchange(ExchangeOrder(.target, asked))
    }

    /// We send no part before the id is in the log: an upload that has one is somebody else's.
    private mutating func answeredInspection(_ response: Response) -> Action {
        if response.status == 404 { return inspectNext() }
        do throws(S3Error) {
            let parts = try ListParts.answer(response, to: asked).parts
            guard parts.isEmpty, let id else { return inspectNext() }
            return abort(id)
        } catch {
            return .failed(RetryPolicy.fault(of: response))
        }
    }

    // MARK: - The end

    private mutating func abort(_ id: String) -> Action {
        step = .aborting
        asked = AbortMultipartUpload.request(bucket: bucket, key: record.key, uploadID: id)
        return .exchange(ExchangeOrder(.target, asked))
    }

    private mutating func answeredAbort(_ response: Response) -> Action {
        if (200..<300).contains(response.status) {
            wasFound = true
            return inspectNext()
        }
        let fault = RetryPolicy.fault(of: response)
        // Ceph says NoSuchKey of an upload that has ended.
        if response.status == 404, fault.faultClass != .fatal { return inspectNext() }
        return .failed(fault)
    }
}
