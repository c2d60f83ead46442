//! What a write is to find at the target's key, and the condition that holds the target to it.

internal import S3

/// What stands where an object is to go.
enum Place: Sendable, Equatable {
    /// Nothing, as far as we know.
    case free
    /// An object that is to be compared with the bytes that are being read.
    case rival
    /// An object that may be replaced; a damaged copy of our own, or somebody else's.
    case taken(ETag?, isOurs: Bool)

    /// Somebody else's object is replaced.
    var isReplaced: Bool {
        if case .taken(_, isOurs: false) = self { true } else { false }
    }
}

extension TransferRules {
    /// What makes the target refuse a PUT to another place than this; nil where it honours nothing of the kind, so that
    /// a HEAD just before has to do.
    func putCondition(for place: Place) -> PutObject.Condition? {
        switch place {
        case .free: target.conditionalPut ? .ifAbsent : nil
        case .rival: preconditionFailure("an object that is not yet compared is not written over")
        case .taken(let etag, _): ifMatch(etag)
        }
    }

    /// As `putCondition`, for Complete.
    func completeCondition(for place: Place) -> PutObject.Condition? {
        switch place {
        case .free: target.conditionalComplete ? .ifAbsent : nil
        case .rival: preconditionFailure("an object that is not yet compared is not written over")
        case .taken(let etag, _): target.ifMatchOnComplete ? ifMatch(etag) : nil
        }
    }

    /// A tag that never changes tells nobody's write from another.
    private func ifMatch(_ etag: ETag?) -> PutObject.Condition? {
        guard let form = target.ifMatchOnPut, let etag, !etag.isPlaceholder else { return nil }
        return .ifMatch(etag, form)
    }

    /// The place of an object that may be replaced; nil for one that has to be left alone.
    ///
    /// - Parameters:
    ///   - comparison: with the source's object.
    ///   - ourETag: of a copy of ours that turned out damaged.
    ///   - isOlder: it was surely written before the source's.
    func place(
        of found: ObjectFacts, _ comparison: Proof, ourETag: ETag?, isOlder: Bool
    ) -> Place? {
        let isOurs = ourETag != nil && found.etag == ourETag && comparison != .same
        guard isOurs || overwrite.replaces(comparison, isOlder: isOlder) else { return nil }
        let place = Place.taken(found.etag, isOurs: isOurs)
        return putCondition(for: place) != nil || replacesUnguarded && !isOurs ? place : nil
    }
}
