//! The parts of a large object as work: what is asked of the workers, and what they bring back.

public import S3

/// What all parts of one upload have in common. Shared by them, never changed.
public struct PartsOrder: Sendable {
    let item: WorkItem
    /// The source's object as its first answer told it; every later answer has to be of the same.
    let facts: ObjectFacts
    let uploadID: String
    let plan: PartPlan
    /// What the target is told to expect with each part, if anything.
    let digest: BodyDigest.Algorithm?
    /// Which parts are to be copied, in ascending order.
    var numbers: [Int]
    /// A second reading: what the target has of each part. A part is sent again only if the source's bytes have
    /// another MD5.
    var known: [Int: PartReceipt] = [:]

    var byteCount: Int64 {
        numbers.reduce(0) { sum, number in
            let bytes = plan.bytes(of: number)
            return sum + bytes.upperBound - bytes.lowerBound
        }
    }
}

/// One part that a worker is to copy.
public struct PartItem: Sendable {
    let order: PartsOrder
    public let number: Int

    public var item: WorkItem { order.item }
    var bytes: Range<Int64> { order.plan.bytes(of: number) }
    public var byteCount: Int64 { bytes.upperBound - bytes.lowerBound }
}

/// A part that the target has.
public struct PartReceipt: Sendable, Equatable {
    public var etag: ETag
    var digest: BodyDigest?
}

/// What became of a part.
public enum PartOutcome: Sendable {
    case copied(PartReceipt)
    /// The source's object is another one now.
    case changed(String)
    /// The target knows nothing of the upload any more.
    case uploadGone(Failure)
    /// The target will not have a part of this size or number.
    case sizeRefused(Failure)
    case failed(Failure)

}

/// What became of all the parts that were asked for, as far as they were handed out before something went wrong.
public struct PartsReport: Sendable {
    var receipts: [Int: PartReceipt] = [:]
    /// The first outcome that was no success.
    var problem: PartOutcome?

    mutating func take(_ outcome: PartOutcome, of number: Int) {
        if case .copied(let receipt) = outcome {
            receipts[number] = receipt
        } else if problem == nil {
            problem = outcome
        }
    }
}
