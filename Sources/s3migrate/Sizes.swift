//! Sizes and times as options.

public import ArgumentParser
public import Migration

extension ByteCount: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }

    public var defaultValueDescription: String { description }
}

/// A length of time: `30`, `30s`, `5m`, `1h`.
struct Seconds: ExpressibleByArgument {
    var seconds: Int64

    init(_ seconds: Int64) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let units: [String: Int64] = ["": 1, "s": 1, "m": 60, "h": 3600]
        guard let seconds = Int64(argument, units: units) else { return nil }
        self.seconds = seconds
    }

    var defaultValueDescription: String { "\(seconds)s" }
}

extension OverwriteMode: ExpressibleByArgument {}
