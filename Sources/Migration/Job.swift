//! What a slot of a worker is busy with: one of the state machines.

/// A piece of work in progress. All kinds take events and give actions.
public enum Job: Sendable {
    case transfer(Transfer)
    case multipart(MultipartCopy)
    case part(PartCopy)
    case cleanup(UploadCleanup)
    case inspection(Inspection)
    case comparison(Comparison)
    case sample(ListSample)

    /// The object that it belongs to; nil for what belongs to none of this run's.
    public var item: WorkItem? {
        switch self {
        case .transfer(let transfer): transfer.item
        case .multipart(let copy): copy.item
        case .part(let copy): copy.part.item
        case .cleanup: nil
        case .inspection(let inspection): inspection.item
        case .comparison(let comparison): comparison.item
        case .sample(let sample): sample.item
        }
    }

    /// Bytes of a part that is being copied: they are bounded apart from the slots.
    public var partBytes: Int64 {
        if case .part(let copy) = self { copy.part.byteCount } else { 0 }
    }

    /// Whether the object counts as downloaded in the progress line; a verification's, when it was compared.
    public var wasDownloaded: Bool {
        switch self {
        case .transfer(let transfer): transfer.wasDownloaded
        case .multipart(let copy): copy.wasDownloaded
        case .comparison(let comparison): comparison.wasCompared
        case .part, .cleanup, .inspection, .sample: false
        }
    }

    /// What the operator should be told of it, once.
    public mutating func takeWarnings() -> [String] {
        guard case .multipart(var copy) = self, !copy.warnings.isEmpty else { return [] }
        let warnings = copy.takeWarnings()
        self = .multipart(copy)
        return warnings
    }

    public mutating func handle(
        _ event: TransferEvent, in context: inout TransferContext
    ) -> TransferAction {
        // The payload is taken out and put back so that it is changed in place, not copied.
        switch consume self {
        case .transfer(var transfer):
            let action = transfer.handle(event, in: &context)
            self = .transfer(transfer)
            return action
        case .multipart(var copy):
            let action = copy.handle(event, in: &context)
            self = .multipart(copy)
            return action
        case .part(var copy):
            let action = copy.handle(event, in: &context)
            self = .part(copy)
            return action
        case .cleanup(var cleanup):
            let action = cleanup.handle(event, in: &context)
            self = .cleanup(cleanup)
            return action
        case .inspection(var inspection):
            let action = inspection.handle(event, in: &context)
            self = .inspection(inspection)
            return action
        case .comparison(var comparison):
            let action = comparison.handle(event, in: &context)
            self = .comparison(comparison)
            return action
        case .sample(var sample):
            let action = sample.handle(event, in: &context)
            self = .sample(sample)
            return action
        }
    }
}
