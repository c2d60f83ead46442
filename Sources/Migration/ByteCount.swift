//! Sizes as people write them on a command line: `8MiB`. Both programs take some.

/// A number of bytes: `1048576`, `64MiB`, `1.5GB`. Units with an i are powers of 1024, the others of 1000.
public struct ByteCount: Sendable, Equatable {
    public var bytes: Int64

    public init(_ bytes: Int64) {
        self.bytes = bytes
    }

    /// Reads what `description` writes, and more; nil when it is no size, or too large.
    public init?(_ text: String) {
        guard let bytes = Int64(text, units: ByteCount.units) else { return nil }
        self.bytes = bytes
    }

    private static let units: [String: Int64] = [
        "": 1, "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]
}

extension ByteCount: CustomStringConvertible {
    public var description: String {
        for (unit, name) in [(Int64(1) << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return String(bytes)
    }
}

extension Int64 {
    /// A decimal number with a unit behind it, in whatever case; nil when it is not one, or too large.
    public init?(_ text: String, units: [String: Int64]) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).lowercased()
        guard let factor = units[unit], let number = Double(digits), number >= 0 else { return nil }
        let product = number * Double(factor)
        guard product < 9e18 else { return nil }
        self = Int64(product.rounded())
    }
}
