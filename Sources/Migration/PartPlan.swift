//! How a large object is divided into parts: as its source was, or as we like.

/// Parts of one size, but for the last, which may be smaller; numbered from 1 as S3 numbers them.
public struct PartPlan: Sendable, Equatable {
    /// Of the whole object, at least 1.
    public let sizeBytes: Int64
    public let partBytes: Int64

    /// S3 takes no more parts for one object ("Amazon S3 multipart upload limits", S3 User Guide).
    public static let countMax = 10_000

    public init(sizeBytes: Int64, partBytes: Int64) {
        precondition(sizeBytes > 0 && partBytes > 0, "nothing cannot be divided")
        self.sizeBytes = sizeBytes
        self.partBytes = partBytes
    }

    public var count: Int { Int((sizeBytes - 1) / partBytes + 1) }

    /// Which bytes of the object a part holds.
    public func bytes(of number: Int) -> Range<Int64> {
        precondition((1...count).contains(number), "there is no part \(number) of \(count)")
        let start = Int64(number - 1) * partBytes
        return start..<start + min(partBytes, sizeBytes - start)
    }

    // MARK: - Our own layout

    /// Parts of the wanted size, or larger ones where there would be too many.
    public static func ours(sizeBytes: Int64, partBytes: Int64) -> PartPlan {
        let least = (sizeBytes - 1) / Int64(countMax) + 1
        let raised = Limits.blocks(for: least) * Int64(Limits.blockBytes)
        return PartPlan(
            sizeBytes: sizeBytes, partBytes: least > partBytes ? raised : partBytes)
    }

    // MARK: - The source's layout

    /// The layout that the source tells: its first part's size and how many there are; nil when the two do not agree,
    /// as with parts of several sizes, and for more parts than S3 takes: some servers can be told to allow them.
    public static func told(sizeBytes: Int64, count: Int, firstPartBytes: Int64) -> PartPlan? {
        guard count <= countMax, firstPartBytes > 0, firstPartBytes <= sizeBytes else {
            return nil
        }
        let plan = PartPlan(sizeBytes: sizeBytes, partBytes: firstPartBytes)
        return plan.count == count ? plan : nil
    }

    /// The most likely layout of so many parts; nil when no size of parts gives that number, or S3 takes fewer.
    ///
    /// Many sizes may fit. What the common programs use comes first, then whole MiB and MB, then the even division.
    public static func guessed(sizeBytes: Int64, count: Int) -> PartPlan? {
        guard (1...countMax).contains(count), Int64(count) <= sizeBytes else { return nil }
        let least = (sizeBytes - 1) / Int64(count) + 1
        let most = count == 1 ? least : (sizeBytes - 1) / Int64(count - 1)
        guard least <= most else { return nil }
        let usual = usualPartBytes.first { (least...most).contains($0) }
        let unit = [Int64(1 << 20), 1_000_000].first { most / $0 * $0 >= least }
        let round = unit.map { ((least - 1) / $0 + 1) * $0 }
        return PartPlan(sizeBytes: sizeBytes, partBytes: usual ?? round ?? least)
    }

    /// What upload programs use when they are told nothing: aws-cli and boto3 8 MiB, rclone, s3fs and the Java SDK 5,
    /// mc 16, s3cmd 15, s5cmd 50, and the sizes that people tell them.
    private static let usualPartBytes: [Int64] =
        [8, 5, 16, 15, 50, 64, 10, 32, 100, 128, 20, 25, 256, 512, 1024].map { $0 << 20 }
        + [17_000_000, 5_000_000, 10_000_000, 50_000_000, 100_000_000]
}
