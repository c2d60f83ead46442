//! The log folder on a simulated disk: what the Engine's log writer and log folder do, crashes included.

import Migration
import S3

/// A file of which a crash keeps what was synced, and of the rest as much as chance wants.
struct SimulatedFile {
    private(set) var durable: [UInt8] = []
    /// Appended, not yet synced.
    private(set) var tail: [UInt8] = []

    var bytes: [UInt8] { durable + tail }
    var count: Int { durable.count + tail.count }

    mutating func append(_ bytes: [UInt8]) { tail += bytes }

    mutating func sync() {
        durable += tail
        tail = []
    }

    /// Gives the file other contents, durably.
    mutating func replace(with bytes: [UInt8]) { (durable, tail) = (bytes, []) }

    /// Of the tail a part has reached the disk; some file systems fill the rest with zeros.
    mutating func crash(_ random: inout SeededRandom) {
        let kept = random.int(0...tail.count)
        let zeros = random.isTrue(0.2) ? tail.count - kept : 0
        durable += tail[..<kept] + [UInt8](repeating: 0, count: zeros)
        tail = []
    }

    /// The lines, and whether each has its end.
    var lines: [(line: [UInt8], isTerminated: Bool)] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { (line: Array($0), isTerminated: true) }
        let last = lines.popLast()?.line ?? []
        if !last.isEmpty { lines.append((last, false)) }
        return lines
    }
}

/// What an earlier run has left.
struct Earlier: Sendable {
    var start: ObjectKey?
    var ahead: [MigrateLogLine] = []
}

struct SimulatedLogs {
    private(set) var migrate = SimulatedFile()
    private(set) var failed = SimulatedFile()
    private(set) var ahead = SimulatedFile()
    /// How many more writes the machine lives for; nil for as long as it is wanted.
    var writesUntilCrash: Int?
    private let aheadBytesMax: Int
    private let mutation: Mutation?
    private var syncedAt = Instant(elapsed: .zero)
    private var earlierAhead: [UInt8] = []

    init(_ scenario: Scenario) {
        aheadBytesMax = scenario.aheadBytesMax
        mutation = scenario.mutation
    }

    struct Crash: Error {}

    // MARK: - Writing, as LogWriter does

    mutating func open(_ earlier: Earlier, at now: Instant) throws(Crash) {
        earlierAhead = []
        for line in earlier.ahead { line.append(to: &earlierAhead) }
        try step()
        ahead.replace(with: earlierAhead)
        syncedAt = now
    }

    mutating func write(from ledger: inout Ledger, at now: Instant, isLast: Bool) throws(Crash) {
        let commit = ledger.commit()
        if mutation != .failedLast { try writeFailed(commit) }
        try step()
        migrate.append(commit.migrateLines)
        if isLast || now - syncedAt >= Limits.syncEvery {
            try step()
            migrate.sync()
            syncedAt = now
            try writeAhead(from: &ledger, at: now, isLast: isLast)
        }
        if mutation == .failedLast { try writeFailed(commit) }
    }

    private mutating func writeFailed(_ commit: Ledger.Commit) throws(Crash) {
        guard !commit.failedLines.isEmpty else { return }
        try step()
        failed.append(commit.failedLines)
        try step()
        failed.sync()
    }

    private mutating func writeAhead(
        from ledger: inout Ledger, at now: Instant, isLast: Bool
    ) throws(Crash) {
        let limit = isLast ? now : Instant(elapsed: now.elapsed - Limits.aheadAfter)
        let lines = ledger.takeAhead(endedBefore: limit)
        let count = ledger.aheadCount
        try writeFailed(lines)
        try step()
        if mutation != .forgetsAhead { ahead.append(lines.migrateLines) }
        try step()
        ahead.sync()
        if count == 0, ahead.count > 0 {
            earlierAhead = []
            try step()
            ahead.replace(with: [])
        } else if ahead.count > aheadBytesMax + earlierAhead.count {
            try step()
            ahead.replace(with: earlierAhead + ledger.aheadLines())
        }
    }

    private mutating func step() throws(Crash) {
        guard let left = writesUntilCrash else { return }
        guard left > 0 else { throw Crash() }
        writesUntilCrash = left - 1
    }

    mutating func crash(_ random: inout SeededRandom) {
        migrate.crash(&random)
        failed.crash(&random)
        ahead.crash(&random)
        writesUntilCrash = nil
    }

    // MARK: - Reading back, as LogFolder does

    /// Repairs the logs, and says where to go on.
    mutating func reopen() -> Earlier {
        var earlier = Earlier()
        earlier.start = SimulatedLogs.repair(&migrate, isOrdered: true).lastKey
        _ = SimulatedLogs.repair(&ahead, isOrdered: false)
        SimulatedLogs.repairFailed(&failed)
        var lines = ahead.lines.compactMap { MigrateLogLine(parsing: $0.line.span) }
        if let start = earlier.start { lines.removeAll { $0.key <= start } }
        lines.sort { $0.key < $1.key }
        for line in lines {
            if earlier.ahead.last?.key == line.key { earlier.ahead.removeLast() }
            earlier.ahead.append(line)
        }
        return earlier
    }

    private static func repair(_ file: inout SimulatedFile, isOrdered: Bool) -> LogCheck {
        var check = LogCheck(isOrdered: isOrdered)
        var good = 0
        for (line, isTerminated) in file.lines {
            guard check.take(line.span, isTerminated: isTerminated) == nil else { break }
            good += line.count + 1
        }
        file.replace(with: Array(file.bytes[..<good]))
        return check
    }

    private static func repairFailed(_ file: inout SimulatedFile) {
        var good = 0
        for (line, isTerminated) in file.lines {
            guard isTerminated, FailedLogLine(parsing: line.span) != nil else { break }
            good += line.count + 1
        }
        file.replace(with: Array(file.bytes[..<good]))
    }
}
