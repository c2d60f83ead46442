//! Deliberate mistakes, in the world or in the driver: each has to be noticed, or the simulation proves nothing.

import Migration
import S3

enum Mutation: CaseIterable, Sendable {
    /// The target overwrites although the probe was told that it would not.
    case ignoresCondition
    /// The target takes damaged bodies although the probe was told that it would not.
    case ignoresDigest
    /// The source lets one read on in another object, which looks just like the first.
    case mixesVersions
    /// The source's HEAD goes on showing what was deleted.
    case showsDeleted
    /// The transport does not tell that it has sent a PUT twice.
    case hidesResending
    /// What waits for an older object is never written to `ahead.log`.
    case forgetsAhead
    /// A resume does not read `ahead.log`.
    case overlooksAhead
    /// failed.log is written after the lines of migrate.log that need it.
    case failedLast
    /// Memory is not given back at the end of a transfer.
    case keepsMemory
    /// The log is not repaired after a crash.
    case leavesTornLines
    /// Uploads are left at the target in our name.
    case leavesUploads
    /// Somebody aborts the uploads of clients.
    case abortsUploads

    /// ListParts never tells of a part.
    case hidesParts
    /// Complete is sent whatever the source has by then.
    case skipsRecheck
    /// As `mixesVersions`, for objects in parts.
    case mixesParts
    /// The line that says that a Create is about to be sent is never written.
    case forgetsIntents
    /// Complete is sent without its condition.
    case omitsCondition
    /// What is replaced is replaced without a condition.
    case omitsIfMatch
    /// The target's answers are dated an hour too late, so that what it has seems old.
    case misdatesAnswers
    /// What fails because a side is down counts against the object.
    case countsOutages
    /// What was decided before an outage is done after it.
    case sendsLate

    var mixesVersions: Bool { self == .mixesVersions || self == .mixesParts }

    /// The rules that have to notice.
    var rules: [Rule] {
        switch self {
        case .ignoresCondition: [.overwrote]
        case .ignoresDigest: [.untrueCopy]
        case .mixesVersions: [.untrueCopy, .mixture]
        case .showsDeleted: [.cameBack]
        case .hidesResending: [.lostAnswer]
        case .forgetsAhead: [.forgotten]
        case .overlooksAhead: [.doneAgain]
        case .failedLast: [.logTruth]
        case .keepsMemory: [.memory]
        case .leavesTornLines: [.logForm]
        case .leavesUploads: [.leftover]
        case .abortsUploads: [.foreignUpload]
        case .hidesParts: [.sentAgain]
        case .skipsRecheck: [.cameBack]
        case .mixesParts: [.mixture]
        case .forgetsIntents: [.leftover]
        case .omitsCondition, .omitsIfMatch, .misdatesAnswers: [.overwrote]
        case .countsOutages: [.baselessFailure]
        case .sendsLate: [.cameBack]
        }
    }

    /// Makes a world in which the mistake has consequences.
    func prepare(_ scenario: inout Scenario) {
        switch self {
        case .ignoresCondition:
            scenario.target.honoursIfNoneMatch = false
            scenario.target.multipart.honoursIfNoneMatch = false
        case .ignoresDigest:
            scenario.target.checksContentMD5 = false
            scenario.target.checksSHA256 = false
            scenario.target.multipart.checksums = .ignored
            scenario.faults = FaultWeights(rate: 0.3, weights: [(.flippedUpload, 1)])
        case .mixesVersions, .mixesParts:
            if self == .mixesParts { scenario.moveInParts() }
            scenario.source = ServerTraits(honoursIfMatch: false, etags: .constant)
            scenario.clientActionCount = 30
        case .showsDeleted:
            scenario.faults = FaultWeights(rate: 0.5, weights: [(.slowDown, 1)])
            scenario.clientActionCount = 30
        case .hidesResending:
            scenario.target = ServerTraits()
            scenario.faults = FaultWeights(rate: 0.5, weights: [(.resent, 1)])
        case .forgetsAhead, .overlooksAhead, .leavesTornLines:
            scenario.faults = FaultWeights(rate: 0.5, weights: [(.slowDown, 1)])
            scenario.endings = [.crash(after: .seconds(5)), .crash(after: .seconds(9))]
        case .failedLast:
            scenario.retriesMax = 0
            scenario.faults = FaultWeights(rate: 0.5, weights: [(.refused, 1)])
            scenario.endings = (1...5).map { .crashInLogs(afterWrites: $0 * 2) }
        case .leavesUploads, .abortsUploads: scenario.clientActionCount = 30
        case .hidesParts:
            scenario.moveInParts()
            scenario.faults = .none
            scenario.endings = [.crash(after: .seconds(1)), .crash(after: .seconds(2))]
        case .skipsRecheck:
            scenario.moveInParts()
            scenario.faults = .none
            scenario.slowness = 0.3
            scenario.clientActionCount = 60
        case .forgetsIntents:
            scenario.moveInParts()
            scenario.latency = 1...300
            scenario.endings = (1...4).map { .crash(after: .milliseconds($0 * 300)) }
        case .omitsCondition:
            scenario.moveInParts()
            scenario.target.multipart.honoursIfNoneMatch = true
            scenario.clientActionCount = 30
        case .omitsIfMatch, .misdatesAnswers:
            scenario.overwrite = .changed
            scenario.target.replacing = .quoted
            scenario.target.tellsETagOfPut = true
            scenario.target.etags = .md5
            scenario.latency = 1...300
            scenario.faults = .none
            scenario.clientActionCount = 60
        case .countsOutages, .sendsLate: prepareOutages(&scenario)
        case .keepsMemory: break
        }
    }
}

extension Mutation {
    private func prepareOutages(_ scenario: inout Scenario) {
        scenario.faults = .none
        scenario.endings = []
        scenario.retriesMax = 2
        scenario.latency = 1...300
        scenario.outages = [Outage(.target, fromMilliseconds: 200, seconds: 60)]
        guard self == .sendsLate else { return }
        // Some are still being read when the target is known to be down.
        scenario.slowness = 0.5
        scenario.clientActionCount = 60
    }
}

extension Scenario {
    /// Hardly an object moves whole.
    fileprivate mutating func moveInParts() {
        wholeObjectBytesMax = 300
        partBytes = 700_001
        target.multipart.partBytesMin = 1
        blocksMax = max(blocksMax, 3)
        sourcePartBytesMax = Int64(blocksMax * Limits.blockBytes)
        source.ranges = .partial
    }
}

extension World {
    /// What the server is shown of a request.
    func mutated(_ request: Request) -> Request {
        var request = request
        switch scenario.mutation {
        case .omitsCondition where request.operation == "CompleteMultipartUpload":
            request.headers = request.headers.without("if-none-match")
        case .omitsIfMatch where ["PUT", "POST"].contains(request.method.rawValue):
            request.headers = request.headers.without("if-match")
        default: break
        }
        return request
    }
}

extension Response {
    /// For the mutation: an answer of ListParts that tells of no part.
    mutating func hideParts(_ request: Request) {
        guard request.operation == "ListParts", status == 200 else { return }
        let text = String(decoding: body, as: UTF8.self)
        let shown = text.split(separator: "<Part>", omittingEmptySubsequences: false).first ?? ""
        let end = "<IsTruncated>false</IsTruncated></ListPartsResult>"
        body = Array((shown.split(separator: "<IsTruncated>").first ?? "").utf8) + Array(end.utf8)
    }
}

extension HeaderFields {
    func without(_ unwanted: String) -> HeaderFields {
        var fields = HeaderFields()
        for index in 0..<count where !name(at: index).elementsEqual(unwanted.utf8) {
            fields.append(name: name(at: index), value: value(at: index))
        }
        return fields
    }
}
