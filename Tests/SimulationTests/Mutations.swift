//! Deliberate mistakes, in the world or in the driver: each has to be noticed, or the simulation proves nothing.

import Migration

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
        case .mixesVersions:
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
        case .keepsMemory: break
        }
    }
}
