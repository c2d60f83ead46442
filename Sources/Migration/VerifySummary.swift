//! What a verification found, in figures: the part of `summary.json` that a migration's has not.

/// The sums of a verification. With `before`, `ignored`, `failed` and `not_reached` of the summary they make up
/// `objects`.
public struct VerifySummary: Codable, Sendable, Equatable {
    public var depth: VerifyDepth
    public var same = 0
    public var differs = 0
    public var missing = 0
    public var gone = 0
    public var extra = 0
    /// Of `same`, those of which nothing but the size could be compared.
    public var unproved = 0
    /// The sizes of the objects that are the same.
    public var bytesSame: Int64 = 0

    public init(depth: VerifyDepth) {
        self.depth = depth
    }

    mutating func take(_ tally: Tally) {
        same = tally.same
        differs = tally.differs
        missing = tally.missing
        gone = tally.gone
        extra = tally.extra
        unproved = tally.proofs[.size] ?? 0
        bytesSame = tally.sameBytes
    }

    enum CodingKeys: String, CodingKey {
        case depth, same, differs, missing, gone, extra, unproved
        case bytesSame = "bytes_same"
    }
}
