//! The log thread: what the ledger can commit goes to the disk, in an order that a crash cannot make untrue.

internal import Linux
internal import Migration

/// Writes `failed.log`, `migrate.log` (a verification: `verify.log`), `ahead.log` and `uploads.log`.
///
/// failed.log is on the disk before the lines of migrate.log that cover it; a line leaves ahead.log only when
/// migrate.log, which has it too, is on the disk. So after a crash at any moment every outcome that was written
/// is found once, and an object is either in a log or will be handled again.
struct LogWriter: ~Copyable {
    private var migrate: AppendFile
    private var failed: AppendFile
    private var ahead: AppendFile
    /// A verification has none.
    private var uploads: AppendFile?
    private let ledger: SharedLedger
    private let clock: Clock
    private var syncedAt: Instant
    /// What an earlier run left in ahead.log; kept when that is written anew, until all of it is committed.
    private var earlierAhead: [UInt8]

    /// A commit is written when it has so many bytes, or after a tenth of a second.
    static let commitBytes = 1 << 20
    /// A disk that is slower than the lists would else have to write all that waits in one piece, which is another time
    /// as much memory.
    static let commitBytesMax = 4 << 20
    private static let commitEvery = Duration.milliseconds(100)
    /// ahead.log is written anew when it has grown so much beyond what it has to hold.
    private let aheadBytesMax: Int64

    init(
        folderPath: String, kind: RunKind = .copy, ledger: SharedLedger, clock: Clock,
        earlierAhead: [MigrateLogLine],
        earlierUploads: OpenUploads = OpenUploads(), aheadBytesMax: Int64 = Limits.aheadBytesMax
    ) throws(SystemError) {
        func file(_ name: String) -> String { "\(folderPath)/\(name)" }
        var lines: [UInt8] = []
        for line in earlierAhead { line.append(to: &lines) }
        let migrate = try AppendFile(path: file(kind.logName))
        let failed = try AppendFile(path: file(LogFolder.failedName))
        if kind == .copy {
            try replaceFile(
                path: file(LogFolder.uploadsName), with: earlierUploads.lines, isDurable: true)
            uploads = try AppendFile(path: file(LogFolder.uploadsName))
        } else {
            uploads = nil
        }
        // Last, since it brings to the disk that the others are there.
        try replaceFile(path: file(LogFolder.aheadName), with: lines, isDurable: true)
        let ahead = try AppendFile(path: file(LogFolder.aheadName))
        self.migrate = migrate
        self.failed = failed
        self.ahead = ahead
        self.earlierAhead = lines
        self.ledger = ledger
        self.clock = clock
        self.aheadBytesMax = aheadBytesMax
        syncedAt = clock.now
    }

    /// Writes until the last worker has ended; a disk that fails ends the run.
    mutating func run() {
        do throws(SystemError) {
            while try writeOnce() {}
        } catch {
            ledger.end(.aborting, because: .fault(error.advice))
            // The others go on to their end; what they report is lost to the logs, and so will be done again.
            while !ledger.waitForLogs(atMost: LogWriter.commitEvery, bytes: .max).isLast {}
        }
        ledger.endOfLogs()
    }

    /// What takes the place of the log thread in a dry run: the same commits, written nowhere.
    static func discard(_ ledger: SharedLedger) {
        while !ledger.waitForLogs(atMost: commitEvery, bytes: commitBytes).isLast {}
        ledger.endOfLogs()
    }

    private mutating func writeOnce() throws(SystemError) -> Bool {
        let writing = ledger.waitForLogs(
            atMost: LogWriter.commitEvery, bytes: LogWriter.commitBytes)
        let (isLast, commit) = (writing.isLast, writing.commit)
        let now = clock.now
        try write(writing.records)
        if !commit.failedLines.isEmpty {
            try failed.append(commit.failedLines)
            try failed.sync()
        }
        try migrate.append(commit.migrateLines)
        if isLast || now - syncedAt >= Limits.syncEvery {
            try migrate.sync()
            syncedAt = now
            try writeAhead(
                endedBefore: isLast ? now : Instant(elapsed: now.elapsed - Limits.aheadAfter))
        }
        return !isLast
    }

    /// Somebody waits for these: what they are about may be done only when they are on the disk.
    private mutating func write(
        _ records: [SharedLedger.PendingRecord]
    ) throws(SystemError) {
        guard !records.isEmpty else { return }
        var lines: [UInt8] = []
        for record in records { record.record.append(to: &lines) }
        try uploads?.append(lines)
        try uploads?.sync()
        ledger.recorded(records)
    }

    /// Remembers what waits for an older object, and forgets what waits no more; migrate.log is synced.
    private mutating func writeAhead(endedBefore limit: Instant) throws(SystemError) {
        let (lines, count) = ledger.withLedger { ledger in
            (ledger.takeAhead(endedBefore: limit), ledger.aheadCount)
        }
        if !lines.failedLines.isEmpty {
            try failed.append(lines.failedLines)
            try failed.sync()
        }
        try ahead.append(lines.migrateLines)
        try ahead.sync()
        if count == 0, ahead.sizeBytes > 0 {
            earlierAhead = []
            try ahead.truncate(to: 0)
        } else if ahead.sizeBytes > aheadBytesMax + Int64(earlierAhead.count) {
            try rewriteAhead()
        }
    }

    private mutating func rewriteAhead() throws(SystemError) {
        let path = ahead.path
        let lines = earlierAhead + ledger.withLedger { $0.aheadLines() }
        try replaceFile(path: path, with: lines, isDurable: true)
        ahead = try AppendFile(path: path)
    }
}
