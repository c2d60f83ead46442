//! What a run is: `run.json`, by which a resumed run is known to be the same.

internal import FoundationEssentials

/// The choices that must not change between a run and its resumption, as `run.json` keeps them.
public struct RunIdentity: Codable, Sendable, Equatable {
    public struct Place: Codable, Sendable, Equatable {
        public var endpoint: String
        public var bucket: String

        public init(endpoint: String, bucket: String) {
            self.endpoint = endpoint
            self.bucket = bucket
        }
    }

    public static let fileName = "run.json"

    public var version = 1
    public var source: Place
    public var target: Place
    /// What the lists of each side are, folder by folder.
    public var sourceLists: [String]
    public var targetLists: [String]
    public var hashCount: Int
    public var hashValue: Int
    public var overwrite: OverwriteMode
    /// How closely the run compares; nil when it copies.
    public var verify: VerifyDepth?

    public init(
        source: Place, target: Place, sourceLists: [String], targetLists: [String],
        hashCount: Int, hashValue: Int, overwrite: OverwriteMode = .never
    ) {
        self.source = source
        self.target = target
        self.sourceLists = sourceLists
        self.targetLists = targetLists
        self.hashCount = hashCount
        self.hashValue = hashValue
        self.overwrite = overwrite
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        version = try fields.decode(Int.self, forKey: .version)
        source = try fields.decode(Place.self, forKey: .source)
        target = try fields.decode(Place.self, forKey: .target)
        sourceLists = try fields.decode([String].self, forKey: .sourceLists)
        targetLists = try fields.decode([String].self, forKey: .targetLists)
        hashCount = try fields.decode(Int.self, forKey: .hashCount)
        hashValue = try fields.decode(Int.self, forKey: .hashValue)
        // Before there were modes, nothing was overwritten.
        overwrite = try fields.decodeIfPresent(OverwriteMode.self, forKey: .overwrite) ?? .never
        verify = try fields.decodeIfPresent(VerifyDepth.self, forKey: .verify)
    }

    /// The first difference to the run that is to be resumed, in words; nil when there is none.
    public func difference(from earlier: RunIdentity) -> String? {
        let pairs: [(String, String, String)] = [
            ("the form of run.json", "\(earlier.version)", "\(version)"),
            ("what the run is for", earlier.purpose, purpose),
            ("--src-url", earlier.source.endpoint, source.endpoint),
            ("--src-bucket", earlier.source.bucket, source.bucket),
            ("--dest-url", earlier.target.endpoint, target.endpoint),
            ("--dest-bucket", earlier.target.bucket, target.bucket),
            ("--hash-count", "\(earlier.hashCount)", "\(hashCount)"),
            ("--hash-value", "\(earlier.hashValue)", "\(hashValue)"),
            ("--overwrite", earlier.overwrite.rawValue, overwrite.rawValue),
            ("the lists of --src-folder", "\(earlier.sourceLists)", "\(sourceLists)"),
            ("the lists of --dest-folder", "\(earlier.targetLists)", "\(targetLists)"),
        ]
        guard let (name, was, now) = pairs.first(where: { $0.1 != $0.2 }) else { return nil }
        return "\(name): then \(was), now \(now)"
    }

    public var kind: RunKind { verify == nil ? .copy : .verify }

    private var purpose: String {
        switch verify {
        case nil: kind.name
        case .facts: kind.name
        case .content: kind.name + " with --deep"
        }
    }

    public func encoded() -> [UInt8] { JSONText.encoded(self) }

    /// Reads `run.json`; nil when it is not one of ours.
    public init?(decoding bytes: [UInt8]) {
        guard let identity = JSONText.decoded(RunIdentity.self, from: bytes) else { return nil }
        self = identity
    }
}

/// How all our JSON files look: sorted keys, a field a line.
enum JSONText {
    static func encoded(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try [UInt8](encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            preconditionFailure("our JSON is text and finite numbers, yet: \(error)")
        }
    }

    static func decoded<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}
