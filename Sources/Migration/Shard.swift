//! Which host copies a key: the share of the keys that a run takes.

public import S3

/// One of `count` shares of all keys; several hosts with one share each copy every key exactly once.
///
/// The share of a key is the FNV-1a hash, 64 bits, of its bytes, modulo `count`. It is a contract with every run
/// there was and will be, so it never changes: <http://www.isthe.com/chongo/tech/comp/fnv/>.
public struct Shard: Hashable, Sendable {
    /// All keys: one host, no others.
    public static let whole = Shard(count: 1, value: 0)

    /// How many shares there are, 1 or more.
    public let count: Int
    /// Which one this is, from 0 to `count` − 1.
    public let value: Int

    public init(count: Int, value: Int) {
        precondition(count >= 1, "there must be a share, not \(count)")
        precondition(value >= 0 && value < count, "share \(value) is none of 0 to \(count - 1)")
        self.count = count
        self.value = value
    }

    public func contains(_ key: ObjectKey) -> Bool { contains(key.bytes.span) }

    public func contains(_ key: Span<UInt8>) -> Bool {
        count == 1 || Shard.hash(key) % UInt64(count) == UInt64(value)
    }

    /// FNV-1a, 64 bits.
    public static func hash(_ key: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in key.indices {
            hash = (hash ^ UInt64(key[index])) &* 0x0000_0100_0000_01b3
        }
        return hash
    }
}
