//! A world's beginning, all of it drawn from one seed: keys, servers, limits, faults, and how its runs end.

import Migration
import S3

/// How a run is to end, if it does not end by itself before.
enum PlannedEnding: Sendable {
    case none
    /// The machine stops at this time of the run.
    case crash(after: Duration)
    /// The machine stops in the middle of what the log thread writes.
    case crashInLogs(afterWrites: Int)
    /// The first CTRL-C: what is under way is finished.
    case drain(after: Duration)
    /// The second: what is under way is dropped.
    case abort(after: Duration)
}

struct Scenario: Sendable {
    let seed: UInt64
    var mutation: Mutation?
    var source = ServerTraits()
    /// Bits can turn over on their way from the source.
    var sourceIsPlain = true
    var target = ServerTraits()
    /// The keys of the source's lists, in order.
    var listed: [ObjectKey] = []
    var shard = Shard.whole
    /// Keys that we may not read, or not write.
    var deniedAtSource: Set<ObjectKey> = []
    var deniedAtTarget: Set<ObjectKey> = []
    /// Keys whose tags we may not read.
    var deniedTags: Set<ObjectKey> = []
    /// Larger objects move in parts, of this size unless the source has others.
    var wholeObjectBytesMax: Int64 = 3 << 20
    var partBytes: Int64 = 1 << 20
    var sourcePartBytesMax: Int64 = 3 << 20
    /// So many large objects are copied at a time.
    var largeMax = 2
    var retriesMax = 10
    var workerCount = 1
    /// Of each worker.
    var slotCount = 1
    var blocksMax = 3
    var readyMax = 4
    var waitingBytesMax = 1 << 20
    /// `ahead.log` is written anew beyond this.
    var aheadBytesMax = 1 << 20
    var latency = 1...40
    /// How often an exchange takes seconds.
    var slowness = 0.0
    var faults = FaultWeights.none
    var clientActionCount = 0
    var overwrite = OverwriteMode.never
    var endings: [PlannedEnding] = []
    var outages: [Outage] = []

    init(seed: UInt64, mutation: Mutation?, _ random: inout SeededRandom) {
        self.seed = seed
        self.mutation = mutation
        drawServers(&random)
        drawKeys(&random)
        drawLimits(&random)
        faults = FaultWeights(&random)
        clientActionCount = random.pick([0, 0, 3, 10, 30])
        latency = 1...random.pick([5, 40, 300])
        slowness = random.pick([0, 0, 0.02, 0.1])
        endings = (0..<random.pick([0, 1, 1, 2, 3])).map { _ in Scenario.ending(&random) }
        drawReplacing()
        outages = Outage.draw(seed: seed)
        mutation?.prepare(&self)
    }

    /// From a seed of its own, so that the worlds in which nothing is replaced stay as they were.
    private mutating func drawReplacing() {
        var random = SeededRandom(seed: ~seed)
        sourceIsPlain = random.isTrue(0.7)
        overwrite = random.pick([.never, .never, .changed, .changed, .always])
        target.replacing =
            random.pick(
                weighted: [(.quoted, 5), (.unquoted, 2), (.ignored, 2), (.refused, 1)]) ?? .quoted
        target.missesWhatIsReplaced = random.isTrue(0.5)
        target.destroysOnRefusal = random.isTrue(0.2)
        target.multipart.honoursIfMatch = random.isTrue(0.6)
    }

    private mutating func drawServers(_ random: inout SeededRandom) {
        source.ranges =
            random.pick(
                weighted: [(.partial, 6), (.okWithRange, 2), (.ignored, 2)]) ?? .partial
        source.honoursIfMatch = random.isTrue(0.7)
        source.refusesRangeOfEmpty = random.isTrue(0.8)
        source.tagging = random.pick([.onPut, .afterwards, .onPut, .none])
        // Objects at the source are written by clients, with ETags of all kinds, or of this one alone.
        source.etags = random.isTrue(0.15) ? random.pick([.constant, .none]) : .md5
        target.honoursIfNoneMatch = random.isTrue(0.75)
        target.checksContentMD5 = random.isTrue(0.75)
        target.checksConditionFirst = random.isTrue(0.5)
        target.tellsETagOfPut = random.isTrue(0.85)
        target.tagging = random.pick(ServerTraits.Tagging.allCases)
        target.etags = random.isTrue(0.7) ? .md5 : random.pick([.disguised, .opaque, .none])
        target.checksSHA256 = random.isTrue(0.75)
        source.multipart.partNumber = random.pick(MultipartTraits.PartNumber.allCases)
        target.multipart = MultipartTraits(&random)
        if !target.honoursIfNoneMatch { target.multipart.honoursIfNoneMatch = random.isTrue(0.1) }
    }

    private mutating func drawKeys(_ random: inout SeededRandom) {
        let count = random.pick([0, 1, 3, 8, 15, 25])
        let ends = ["", "/", " ", "\t", "\n", "\\", "é", "%2F", "\r", "\u{1}"]
        var keys: Set<ObjectKey> = []
        for number in 0..<count {
            let odd = random.isTrue(0.2) ? random.pick(ends) : ""
            let start = random.isTrue(0.05) ? "\\" : ""
            keys.insert(ObjectKey("\(start)k\(number * 7 % 100)\(odd)"))
        }
        listed = keys.sorted()
        let hostCount = random.pick([1, 1, 2, 3])
        shard = Shard(count: hostCount, value: random.int(0...hostCount - 1))
        let denial = random.isTrue(0.3) ? 0.1 : 0
        for key in listed {
            if random.isTrue(denial) { deniedAtSource.insert(key) }
            if random.isTrue(denial) { deniedAtTarget.insert(key) }
            if random.isTrue(denial) { deniedTags.insert(key) }
        }
    }

    private mutating func drawLimits(_ random: inout SeededRandom) {
        retriesMax = random.pick([0, 2, 10, 10, 10])
        workerCount = random.pick([1, 1, 2, 3])
        slotCount = random.int(1...6)
        drawParts(&random)
        readyMax = random.int(1...8)
        waitingBytesMax = random.pick([60, 300, 1 << 20])
        aheadBytesMax = random.pick([100, 1 << 20])
    }

    /// Just memory enough for the largest body, or a little more; so parts wait for it.
    private mutating func drawParts(_ random: inout SeededRandom) {
        wholeObjectBytesMax = random.pick([300, 1 << 20, 2 << 20, 3 << 20])
        let scale: Int64 = random.pick([1, 1, 1, 1, 1, 10])
        let wanted: Int64 = random.pick([100_000, 700_001, 1 << 20, 1_500_000, 3 << 20])
        partBytes = max(target.multipart.partBytesMin, wanted * scale)
        let blocksMin = Int(Limits.blocks(for: max(partBytes, wholeObjectBytesMax)))
        blocksMax = blocksMin + random.int(0...5)
        let memoryBytes = Int64(blocksMax * Limits.blockBytes)
        sourcePartBytesMax = random.pick([memoryBytes, memoryBytes, 1 << 20])
        largeMax = random.int(1...3)
    }

    private static func ending(_ random: inout SeededRandom) -> PlannedEnding {
        let time = random.milliseconds(1...random.pick([200, 2000, 8000]))
        return switch random.int(0...9) {
        case 0...3: .crash(after: time)
        case 4...6: .crashInLogs(afterWrites: random.int(0...12))
        case 7: .drain(after: time)
        case 8: .abort(after: time)
        default: .none
        }
    }

    /// What a probe of this target has to find out.
    var capabilities: TargetCapabilities {
        let tagging: TargetCapabilities.Tagging =
            switch target.tagging {
            case .onPut: .onPut
            case .afterwards: .afterwards
            case .none, .takenForBody: .none
            }
        return TargetCapabilities(
            conditionalPut: target.honoursIfNoneMatch,
            checksContentMD5: target.checksContentMD5,
            etagIsMD5: target.etags == .md5 && target.tellsETagOfPut, tagging: tagging,
            takesMultipart: true, conditionalComplete: target.multipart.honoursIfNoneMatch,
            partDigest: partDigest, partETagIsMD5: target.etags == .md5 || target.etags == .none,
            multipartTagging: multipartTagging, ifMatchOnPut: ifMatchOnPut,
            ifMatchOnComplete: ifMatchOnPut != nil && target.multipart.honoursIfMatch
                && target.multipart.honoursIfNoneMatch)
    }

    private var ifMatchOnPut: PutObject.IfMatchForm? {
        // Who tells no tag, or does not know conditions, is not asked.
        guard target.tellsETagOfPut, target.etags != .none else { return nil }
        return switch target.replacing {
        case .quoted: .quoted
        case .unquoted: .unquoted
        case .ignored, .refused: nil
        }
    }

    private var multipartTagging: TargetCapabilities.Tagging {
        guard target.hasTags else { return .none }
        return target.multipart.keepsTags ? .onPut : .afterwards
    }

    /// The cheapest that the target checks.
    private var partDigest: BodyDigest.Algorithm? {
        if target.multipart.checksums != .ignored { return .crc32c }
        if target.checksSHA256 { return .sha256 }
        return target.checksContentMD5 ? .md5 : nil
    }

    func rules(_ capabilities: TargetCapabilities, isResumed: Bool) -> TransferRules {
        var rules = TransferRules(
            sourceBucket: "source", targetBucket: "target",
            wholeObjectBytesMax: wholeObjectBytesMax, partBytes: partBytes,
            sourcePartBytesMax: sourcePartBytesMax,
            claimBytesMax: Int64(blocksMax * Limits.blockBytes), target: capabilities,
            retries: RetryPolicy(retriesMax: retriesMax))
        rules.sourceIsPlain = sourceIsPlain
        rules.isResumed = isResumed
        rules.overwrite = overwrite
        rules.replacesUnguarded = true
        return rules
    }
}
