//! What a multipart copy does when the target refuses, or keeps otherwise, what Create carries.

internal import S3

extension MultipartCopy {
    /// All that the source has, unless the target refused that.
    var sentMetadata: HeaderFields { cut.applied(to: facts.metadata) }

    /// As `Transfer.failedPut`: an object gets its metadata from Create.
    mutating func failedCreate(
        _ fault: Fault, in context: inout TransferContext
    ) -> TransferAction {
        if fault.concernsTagsAlone, !tags.isEmpty {
            tags = []
            losses.insert(.tags)
            return createAgain(in: context)
        }
        let mayCut = context.rules.dropsRefusedMetadata && fault.faultClass == .refused
        if mayCut, fault.mayConcernMetadata, let next = cut.next(for: facts.metadata) {
            cut = next
            losses.insert(.metadata)
            return createAgain(in: context)
        }
        let blamed = facts.metadata.blamed(for: fault, afterCut: cut)
        return failed(.create, at: .create, with: blamed, in: &context)
    }

    // MARK: - What the target kept

    /// Whether the copy is still to be looked at: some servers drop such metadata in silence, and of an upload that an
    /// earlier run created nobody knows what it carried.
    var wantsToSeeMetadata: Bool {
        !hasSeenMetadata && (isOfEarlierCreate || sentMetadata.isSeldomKept)
    }

    /// Marks the copy where the target shows less than the source, or something else.
    mutating func seeMetadata(_ seen: ObjectFacts) {
        let mayLack = isOfEarlierCreate || sentMetadata.isSeldomKept
        hasSeenMetadata = true
        guard mayLack, !seen.metadata.holdsAll(of: sentMetadata) else { return }
        losses.insert(.metadata)
    }
}
