//! The one place that knows what is in progress: work goes out in key order, and is logged in key order.

internal import DequeModule
public import S3

/// Everything between the lists and the logs.
///
/// What the lists say is admitted in key order: an object to copy becomes work with a sequence number, keys that are
/// there already become log lines at once. Outcomes come back in any order; each is committed when all before it
/// are. So the last key of `migrate.log` is a true watermark, whatever order the transfers ended in.
///
/// Pure: who calls, on which thread and when, is the Engine's business.
public struct Ledger: Sendable {
    private enum Entry: Sendable {
        /// Lines of keys that need no work.
        case lines([UInt8], counts: LineCounts)
        /// Admitted, not yet ended. → `ended`
        case open(listedBytes: Int64)
        case ended(Record, isAhead: Bool)
    }

    /// What lines that need no work stand for.
    public struct LineCounts: Sendable, Equatable {
        /// Keys that the target's lists have.
        public var exist: Int
        /// Keys whose outcome an earlier run wrote to `ahead.log`.
        public var known: Int

        public init(exist: Int = 0, known: Int = 0) {
            self.exist = exist
            self.known = known
        }
    }

    /// An object that has ended, as the logs will tell it.
    public struct Record: Sendable {
        public var key: ObjectKey
        public var outcome: Outcome
        var migrateLine: [UInt8] = []
        var failedLine: [UInt8] = []

        /// Formats the lines here, where many threads can do it, and not where the log is written.
        public init(key: ObjectKey, outcome: Outcome) {
            self.key = key
            self.outcome = outcome
            MigrateLogLine(key: key, outcome: outcome).append(to: &migrateLine)
            if let failure = outcome.failure {
                FailedLogLine(key: key, failure: failure).append(to: &failedLine)
            }
        }

        var byteCount: Int { migrateLine.count + failedLine.count }
    }

    /// What can be written to the logs now.
    public struct Commit: Sendable {
        public var migrateLines: [UInt8] = []
        public var failedLines: [UInt8] = []

        public init() {}

        public var isEmpty: Bool { migrateLines.isEmpty }

        var byteCount: Int { migrateLines.count + failedLines.count }
    }

    public let readyMax: Int
    public let waitingBytesMax: Int

    private var entries: Deque<Entry> = []
    /// The sequence number of the first entry.
    private var firstSequence = 0
    private var ready: Deque<WorkItem> = []
    private var large: LargeObjects
    /// What `uploads.log` says is open.
    public private(set) var uploads: OpenUploads
    /// Keys of failed objects whose uploads are kept, so that a later pass can go on with them.
    private var keptUploads: Set<ObjectKey>
    /// Copies of ours that an earlier pass has left damaged.
    private let damaged: DamagedCopies
    private var existence = ExistenceGauge()
    /// The uploads that are of no use were handed out to be aborted.
    private var isCleanedUp = false
    /// Ended objects in the order in which they ended, for `ahead.log`.
    private var endings: Deque<(sequence: Int, at: Instant)> = []
    /// Bytes of lines that wait to be committed.
    public private(set) var waitingBytes = 0
    /// What the lists say of the sizes of objects that are ready or in progress.
    public private(set) var openListedBytes: Int64 = 0
    /// Objects that a worker has.
    public private(set) var inProgress = 0
    /// Lines in `ahead.log` whose objects are not committed yet.
    public private(set) var aheadCount: Int
    public private(set) var tally = Tally()
    /// Keys that were admitted, whatever became of them.
    public private(set) var admittedCount = 0

    /// - Parameters:
    ///   - largeMax: so many large objects are copied at a time, and so many more may wait for their turn.
    ///   - roundTrip: to both sides together, see `Limits.partBytesInFlightMax(roundTrip:)`.
    ///   - uploads: what an earlier run left open.
    ///   - keptUploads: keys that it handled: if their uploads are open, they failed, and a second pass needs those.
    ///   - damaged: copies of ours that may be replaced.
    public init(
        readyMax: Int, waitingBytesMax: Int = Limits.waitingOutcomeBytesMax, aheadCount: Int = 0,
        largeMax: Int = Limits.largeObjectsMin, workerCount: Int = 1,
        roundTrip: Duration = .zero,
        uploads: OpenUploads = OpenUploads(),
        keptUploads: Set<ObjectKey> = [], damaged: DamagedCopies = DamagedCopies()
    ) {
        precondition(readyMax > 0 && waitingBytesMax > 0, "a ledger must hold something")
        self.readyMax = readyMax
        self.waitingBytesMax = waitingBytesMax
        self.aheadCount = aheadCount
        self.large = LargeObjects(
            activeMax: largeMax, workerCount: workerCount, roundTrip: roundTrip)
        self.uploads = uploads
        // What it completes itself is of no use to it, and may be millions.
        self.uploads.keepsCompleted = false
        self.keptUploads = keptUploads
        self.damaged = damaged
    }
}

// MARK: - From the lists

extension Ledger {
    /// Whether the list thread has to wait before it admits more.
    public var hasRoom: Bool { ready.count < readyMax && waitingBytes < waitingBytesMax }

    public var readyCount: Int { ready.count }

    /// Admits an object that is to be copied.
    public mutating func admit(_ key: ObjectKey, listedBytes: Int64?) {
        open(
            WorkItem(
                sequence: nextSequence, key: key, listedBytes: listedBytes,
                earlierUploads: uploads.known(of: key), damagedETag: damaged[key]),
            bytes: listedBytes ?? 0)
    }

    /// Admits a key that the target's lists have and that the target is asked for.
    ///
    /// - Parameter line: what the source's list says of it.
    public mutating func admitSample(_ line: KeyListLine) {
        open(
            WorkItem(
                sequence: nextSequence, key: line.key, listedBytes: line.sizeBytes,
                listedETag: line.etag, isSample: true),
            bytes: 0)
    }

    private var nextSequence: Int { firstSequence + entries.count }

    private mutating func open(_ item: WorkItem, bytes: Int64) {
        admittedCount += 1
        entries.append(.open(listedBytes: bytes))
        openListedBytes += bytes
        ready.append(item)
    }

    /// Admits lines of keys that the target's lists have.
    public mutating func admitExisting(_ lines: [UInt8], count: Int) {
        admit(lines, LineCounts(exist: count))
    }

    /// Admits an object that an earlier run ended and wrote to `ahead.log`.
    public mutating func admitKnown(_ line: MigrateLogLine) {
        tally.count(known: line)
        var text: [UInt8] = []
        line.append(to: &text)
        admit(text, LineCounts(known: 1))
    }

    private mutating func admit(_ lines: [UInt8], _ counts: LineCounts) {
        waitingBytes += lines.count
        admittedCount += counts.exist + counts.known
        entries.append(.lines(lines, counts: counts))
    }
}

// MARK: - To and from the workers

extension Ledger {
    /// Whether there is anything for a worker that has nothing in hand.
    public var handsOut: Bool { large.handsOut || handsOutNew }

    /// Whether `take` would give something.
    private var handsOutNew: Bool {
        !ready.isEmpty && (waitingBytes < waitingBytesMax || inProgress == 0) && !large.isFull
    }

    /// Hands out at most `count` new objects, the oldest first.
    ///
    /// While too many outcomes wait, nothing new goes out until the oldest object is done; but the oldest itself
    /// always does, else all would wait for ever.
    public mutating func take(_ count: Int) -> [WorkItem] {
        var taken: [WorkItem] = []
        while taken.count < count, handsOutNew, var item = ready.popFirst() {
            inProgress += 1
            item.isLikelyThere = existence.isHigh
            taken.append(item)
        }
        return taken
    }

    /// Hands out at most `count` pieces of the large objects that are under way, the oldest first. They come before
    /// anything new.
    ///
    /// - Parameter partBytes: what the worker has of parts in hand; beyond a bound it gets no more of them.
    public mutating func takeLarge(_ count: Int, partBytes: Int64) -> [Assignment] {
        large.take(count, partBytes: partBytes)
    }

    /// Takes in a large object that steps aside.
    public mutating func park(_ copy: MultipartCopy, _ parking: Parking) {
        large.park(copy, parking)
    }

    /// Takes back a part that has ended, of the object with this sequence number.
    public mutating func end(part number: Int, of sequence: Int, _ outcome: PartOutcome) {
        large.end(part: number, of: sequence, outcome)
    }

    /// Takes back an object that has ended.
    public mutating func end(_ sequence: Int, _ record: Record, at now: Instant) {
        precondition(sequence >= firstSequence, "an object ended twice")
        guard case .open(let listedBytes) = entries[sequence - firstSequence] else {
            preconditionFailure("an object that is not open has ended")
        }
        openListedBytes -= listedBytes
        precondition(inProgress > 0, "an object ended that nobody had")
        inProgress -= 1
        waitingBytes += record.byteCount
        tally.count(record.outcome, key: record.key)
        existence.take(record.outcome.kind)
        entries[sequence - firstSequence] = .ended(record, isAhead: false)
        endings.append((sequence, now))
        large.leave(sequence)
        if record.outcome.kind == .failed, !uploads.records(of: record.key).isEmpty {
            keptUploads.insert(record.key)
        }
    }

    /// Takes back an object that was not handled: its place stays open, and nothing after it is committed.
    public mutating func abandon(_ sequence: Int) {
        precondition(inProgress > 0, "an object was given back that nobody had")
        inProgress -= 1
    }

    /// Hands out nothing more. What was admitted and not handed out stays open.
    public mutating func stopHandingOut() {
        ready.removeAll()
        large.stopHandingOut()
    }

    // MARK: - Uploads

    /// Takes a line that was written to uploads.log.
    public mutating func take(_ record: UploadRecord) { uploads.take(record) }

    /// Hands out, once, the uploads that are open although all objects are done, so that they are aborted; but for
    /// those that a second pass can go on with.
    public mutating func cleanUp(targetBucket: String) {
        guard !isCleanedUp else { return }
        isCleanedUp = true
        for record in uploads.records where !keptUploads.contains(record.key) {
            let others = uploads.others(than: record)
            large.add(UploadCleanup(record, bucket: targetBucket, others: others))
        }
    }
}

// MARK: - To the logs

extension Ledger {
    /// Whether everything that was admitted has been committed.
    public var isEmpty: Bool { entries.isEmpty }

    /// Whether `commit` would take anything out.
    public var canCommit: Bool {
        switch entries.first {
        case .lines, .ended: true
        case .open, nil: false
        }
    }

    /// Whether there is something to commit, and so much waits that it is time to. What waits behind an open object
    /// counts and does not make it time: nobody can do anything about it.
    public func isCommitDue(bytes: Int) -> Bool { canCommit && waitingBytes >= bytes }

    /// Takes out what is not preceded by an open object.
    ///
    /// - Parameter bytesMax: it stops when it has so many bytes of lines or more; `canCommit` tells whether there are
    ///   others.
    public mutating func commit(bytesMax: Int = .max) -> Commit {
        defer { forgetCommittedEndings() }
        var commit = Commit()
        while commit.byteCount < bytesMax, let entry = entries.first {
            switch entry {
            case .open: return commit
            case .lines(let lines, let counts):
                commit.migrateLines += lines
                waitingBytes -= lines.count
                tally.countExist(counts.exist)
                aheadCount -= counts.known
            case .ended(let record, let isAhead):
                commit.migrateLines += record.migrateLine
                commit.failedLines += record.failedLine
                waitingBytes -= record.byteCount
                if isAhead { aheadCount -= 1 }
            }
            entries.removeFirst()
            firstSequence += 1
        }
        return commit
    }

    /// A run without logs takes nothing ahead, so what is committed has to be forgotten here.
    private mutating func forgetCommittedEndings() {
        while let ending = endings.first, ending.sequence < firstSequence { endings.removeFirst() }
    }

    /// How many endings are remembered; for the tests of the bound.
    var endingCount: Int { endings.count }

    /// Takes what ended before `limit` and still waits for an older one: its lines for `ahead.log`, and what
    /// belongs into `failed.log`, which is in no order, already now.
    public mutating func takeAhead(endedBefore limit: Instant) -> Commit {
        var ahead = Commit()
        while let ending = endings.first, ending.at <= limit {
            endings.removeFirst()
            guard ending.sequence >= firstSequence else { continue }
            let index = ending.sequence - firstSequence
            guard case .ended(var record, isAhead: false) = entries[index] else {
                preconditionFailure("an object that ended is not ended")
            }
            ahead.migrateLines += record.migrateLine
            ahead.failedLines += record.failedLine
            waitingBytes -= record.failedLine.count
            record.failedLine = []
            aheadCount += 1
            entries[index] = .ended(record, isAhead: true)
        }
        return ahead
    }

    /// All lines that have to stand in `ahead.log` now, when the file is written anew; those of an earlier run
    /// that the lists have not come to yet are not known here.
    public func aheadLines() -> [UInt8] {
        entries.reduce(into: []) { lines, entry in
            switch entry {
            case .ended(let record, isAhead: true): lines += record.migrateLine
            case .lines(let known, let counts) where counts.known > 0: lines += known
            default: break
            }
        }
    }

    /// How many keys were admitted and are in no log: open objects, and existing ones behind them.
    public func unloggedCount() -> Int {
        entries.reduce(into: 0) { count, entry in
            switch entry {
            case .open: count += 1
            case .lines(_, let counts): count += counts.exist
            case .ended: break
            }
        }
    }
}
