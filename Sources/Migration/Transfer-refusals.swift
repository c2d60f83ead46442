//! What a transfer does when the target refuses, or keeps otherwise, what belongs to the object besides its bytes.

internal import S3

extension Transfer {
    /// All that the source has, unless the target refused that.
    var sentMetadata: HeaderFields { cut.applied(to: facts?.metadata ?? HeaderFields()) }

    /// A PUT failed, perhaps for what it carried. What the operator lets go is left out, and marked.
    mutating func failedPut(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        guard let facts else { preconditionFailure("a PUT without an object") }
        if fault.concernsTagsAlone, !tags.isEmpty {
            tags = []
            losses.insert(.tags)
            return write(in: &context)
        }
        let mayCut = context.rules.dropsRefusedMetadata && fault.faultClass == .refused
        if mayCut, fault.mayConcernMetadata, let next = cut.next(for: facts.metadata) {
            cut = next
            losses.insert(.metadata)
            return write(in: &context)
        }
        let blamed = facts.metadata.blamed(for: fault, afterCut: cut)
        return failed(.put, at: .write, with: blamed, in: &context)
    }

    // MARK: - What the target kept

    /// Whether the copy is still to be looked at, since it has metadata of the kind that some servers drop in silence.
    var wantsToSeeMetadata: Bool { !hasSeenMetadata && sentMetadata.isSeldomKept }

    /// Marks the copy where the target shows less than it was sent, or something else.
    mutating func seeMetadata(_ seen: ObjectFacts) {
        hasSeenMetadata = true
        guard sentMetadata.isSeldomKept, !seen.metadata.holdsAll(of: sentMetadata) else { return }
        losses.insert(.metadata)
    }

    /// Goes on with a copy that is proved, but that the target does not let us look at: what cannot be seen is not
    /// called kept.
    mutating func couldNotSeeMetadata(in context: TransferContext) -> TransferAction {
        hasSeenMetadata = true
        losses.insert(.metadata)
        return proved(proof ?? .size, in: context)
    }
}
