//! Sizes and times as people write them: `8MiB`, `30s`.

internal import ArgumentParser

/// A number of bytes: `1048576`, `64MiB`, `1.5GB`. Units with an i are powers of 1024, the others of 1000.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    var bytes: Int64

    init(_ bytes: Int64) {
        self.bytes = bytes
    }

    init?(argument: String) {
        guard let bytes = scaled(argument, units: ByteCount.units) else { return nil }
        self.bytes = bytes
    }

    private static let units: [String: Int64] = [
        "": 1, "b": 1, "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]

    var description: String {
        for (unit, name) in [(Int64(1) << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        where bytes >= unit && bytes % unit == 0 {
            return "\(bytes / unit)\(name)"
        }
        return String(bytes)
    }

    var defaultValueDescription: String { description }
}

/// A length of time: `30`, `30s`, `5m`, `1h`.
struct Seconds: ExpressibleByArgument {
    var seconds: Int64

    init(_ seconds: Int64) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let units: [String: Int64] = ["": 1, "s": 1, "m": 60, "h": 3600]
        guard let seconds = scaled(argument, units: units) else { return nil }
        self.seconds = seconds
    }

    var defaultValueDescription: String { "\(seconds)s" }
}

/// A decimal number with a unit behind it; nil when it is not one, or too large.
private func scaled(_ text: String, units: [String: Int64]) -> Int64? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(digits.count).lowercased()
    guard let factor = units[unit], let number = Double(digits), number >= 0 else { return nil }
    let product = number * Double(factor)
    return product < 9e18 ? Int64(product.rounded()) : nil
}
