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
    /// Uploads that it began and did not end.
    var uploads = OpenUploads()

    /// Keys with open uploads that will not come up again.
    var handledUploads: Set<ObjectKey> {
        let ahead = Set(ahead.map(\.key))
        return Set(
            uploads.records.map(\.key).filter { key in
                start.map { key <= $0 } ?? false || ahead.contains(key)
            })
    }
}

struct SimulatedLogs {
    private(set) var migrate = SimulatedFile()
    private(set) var failed = SimulatedFile()
    private(set) var ahead = SimulatedFile()
    private(set) var uploads = SimulatedFile()
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
        uploads.replace(with: earlier.uploads.lines)
        try step()
        ahead.replace(with: earlierAhead)
        syncedAt = now
    }

    /// Writes what the ledger can commit, after the lines of uploads.log that somebody waits for.
    mutating func write(
        _ records: [PendingRecord], from ledger: inout Ledger, at now: Instant, isLast: Bool
    ) throws(Crash) {
        let commit = ledger.commit()
        try write(records.map(\.record))
        for record in records { ledger.take(record.record) }
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

    private mutating func write(_ records: [UploadRecord]) throws(Crash) {
        guard !records.isEmpty else { return }
        var lines: [UInt8] = []
        for record in records where mutation != .forgetsIntents || record.state != .intent {
            record.append(to: &lines)
        }
        try step()
        uploads.append(lines)
        try step()
        uploads.sync()
    }

    /// Takes an upload off the books that `cancel` has seen to.
    mutating func forget(_ record: UploadRecord) {
        var ended = record
        ended.state = .ended
        var line: [UInt8] = []
        ended.append(to: &line)
        uploads.append(line)
        uploads.sync()
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
        uploads.crash(&random)
        writesUntilCrash = nil
    }

    // MARK: - Reading back, as LogFolder does

    /// Repairs the logs, and says where to go on.
    mutating func reopen() -> Earlier {
        var earlier = Earlier()
        earlier.start = SimulatedLogs.repair(&migrate, isOrdered: true).lastKey
        _ = SimulatedLogs.repair(&ahead, isOrdered: false)
        SimulatedLogs.repair(&failed) { FailedLogLine(parsing: $0.span) != nil }
        SimulatedLogs.repair(&uploads) { UploadRecord(parsing: $0.span) != nil }
        earlier.uploads = openUploads
        var lines = ahead.lines.compactMap { MigrateLogLine(parsing: $0.line.span) }
        if let start = earlier.start { lines.removeAll { $0.key <= start } }
        lines.sort { $0.key < $1.key }
        for line in lines {
            if earlier.ahead.last?.key == line.key { earlier.ahead.removeLast() }
            earlier.ahead.append(line)
        }
        let logged = Set(earlier.ahead.map(\.key))
        earlier.uploads.forgetCompleted { [start = earlier.start] key in
            start.map { key <= $0 } ?? false || logged.contains(key)
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

    /// What `uploads.log` leaves open; what a crash tore off is at its end.
    var openUploads: OpenUploads {
        var open = OpenUploads(keepsCompleted: true)
        for (line, isTerminated) in uploads.lines {
            guard isTerminated, let record = UploadRecord(parsing: line.span) else { break }
            open.take(record)
        }
        return open
    }

    private static func repair(_ file: inout SimulatedFile, _ isGood: ([UInt8]) -> Bool) {
        var good = 0
        for (line, isTerminated) in file.lines {
            guard isTerminated, isGood(line) else { break }
            good += line.count + 1
        }
        file.replace(with: Array(file.bytes[..<good]))
    }
}
