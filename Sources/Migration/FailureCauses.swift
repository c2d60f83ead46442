//! Why objects are still failed: the report's third source, `failed.log`, which is in no order.

public import S3

/// The last reason of each key that is still failed, by class.
///
/// Keys are remembered as hashes, and only so many: with more failures than that the migration has another problem,
/// and all lines of `failed.log` are counted, also of what was copied later.
public struct FailureCauses: Sendable {
    public struct Cause: Sendable, Codable, Equatable {
        public var count: Int
        public var exampleKey: String
        public var exampleMessage: String

        enum CodingKeys: String, CodingKey {
            case count
            case exampleKey = "example_key"
            case exampleMessage = "example_message"
        }
    }

    /// 16 bytes each, in a table that is never more than three quarters full.
    public static let keysMax = 2_000_000

    /// The last class of each key that is still failed; nil as long as no line told it.
    private var classes: [UInt64: FaultClass?] = [:]
    private var lineCounts: [FaultClass: Int] = [:]
    private var examples: [FaultClass: FailedLogLine] = [:]
    private let keysMax: Int
    /// Whether there are too many to know which lines are out of date.
    public private(set) var countsLines = false

    public init(keysMax: Int = FailureCauses.keysMax) {
        self.keysMax = keysMax
    }

    /// Remembers a key that is still failed; all of them before the first line.
    public mutating func add(_ key: ObjectKey) {
        guard !countsLines else { return }
        classes[Shard.hash(key.bytes.span)] = .some(nil)
        guard classes.count > keysMax else { return }
        countsLines = true
        classes = [:]
    }

    /// Takes a line of a `failed.log`, oldest folder first.
    public mutating func take(_ line: FailedLogLine) {
        let faultClass = line.failure.faultClass
        if countsLines {
            lineCounts[faultClass, default: 0] += 1
        } else {
            let hash = Shard.hash(line.key.bytes.span)
            guard classes[hash] != nil else { return }
            classes[hash] = .some(faultClass)
        }
        examples[faultClass] = line
    }

    /// By class, and those of which no line tells under `unexplained`.
    public var causes: [String: Cause] {
        var counts = Dictionary(
            uniqueKeysWithValues: lineCounts.map { ($0.key.rawValue, $0.value) })
        for faultClass in classes.values {
            counts[faultClass?.rawValue ?? "unexplained", default: 0] += 1
        }
        return Dictionary(
            uniqueKeysWithValues: counts.map { name, count in
                let example = FaultClass(rawValue: name).flatMap { examples[$0] }
                return (
                    name,
                    Cause(
                        count: count,
                        exampleKey: example.map { KeyListLine.escaped($0.key) } ?? "-",
                        exampleMessage: example?.failure.message
                            ?? "no line of failed.log tells why")
                )
            })
    }
}
