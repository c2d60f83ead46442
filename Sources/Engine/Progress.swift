//! The progress line and the status file, out of what the threads have counted.

internal import Linux
internal import Migration
internal import S3
internal import Synchronization

/// Looks at the run now and then, and tells what it sees.
struct Progress: ~Copyable {
    private let ledger: SharedLedger
    private let flows: SharedFlows
    private let sides: SharedSides
    private let clock: Clock
    private let console: Console
    private let lists: KeyListFolderSet
    private let statusFile: String?
    private let started: Instant
    private let startedAt: Timestamp
    private var meter = ProgressMeter()
    private var shownAt: Instant
    private var hasStatusFailed = false

    init(
        ledger: SharedLedger, flows: SharedFlows, sides: SharedSides, clock: Clock,
        console: Console, lists: KeyListFolderSet, statusFile: String?
    ) {
        self.ledger = ledger
        self.flows = flows
        self.sides = sides
        self.clock = clock
        self.console = console
        self.lists = lists
        self.statusFile = statusFile
        started = clock.now
        startedAt = clock.timeOfDay
        shownAt = clock.now
        meter.take(ProgressMeter.Reading(), at: started)
    }

    /// Once a second while the run goes on.
    mutating func tick() {
        let now = clock.now
        let line = look(at: now)
        if now - shownAt >= console.progressInterval {
            shownAt = now
            console.show(progress: line.text)
        }
        writeStatus(line, state: "running", at: now)
    }

    /// The last line, after the last object.
    mutating func finish(state: String) {
        let now = clock.now
        let line = look(at: now)
        console.show(progress: line.text)
        console.endProgress()
        writeStatus(line, state: state, at: now)
    }

    private mutating func look(at now: Instant) -> ProgressLine {
        var line = ProgressLine()
        var reading = ProgressMeter.Reading()
        ledger.look { state in
            let tally = state.ledger.tally
            line.ignored = state.counters.ignored
            line.exist = tally.exist
            line.work = state.ledger.inProgress
            line.failed = tally.unsettled
            line.skippedSource = tally.skippedSource + tally.gone
            line.skippedTarget = tally.skippedTarget
            reading.fraction = fraction(state)
        }
        reading.downloads = flows.downloads.load(ordering: .relaxed)
        reading.downloadedBytes = flows.downloadedBytes.load(ordering: .relaxed)
        reading.uploads = flows.uploads.load(ordering: .relaxed)
        reading.uploadedBytes = flows.uploadedBytes.load(ordering: .relaxed)
        meter.take(reading, at: now)
        line.objects = lists.objectCount
        line.fraction = reading.fraction
        line.remaining = meter.remaining
        line.downloaded = flow(reading, \.downloads)
        line.downloadedBytes = flow(reading, \.downloadedBytes)
        line.uploaded = flow(reading, \.uploads)
        line.uploadedBytes = flow(reading, \.uploadedBytes)
        return line
    }

    private func flow(
        _ reading: ProgressMeter.Reading, _ figure: (ProgressMeter.Reading) -> Int64
    ) -> ProgressLine.Flow {
        ProgressLine.Flow(total: figure(reading), perSecond: meter.rate(figure))
    }

    /// What is behind us: by bytes where the lists know all sizes, else by objects.
    private func fraction(_ state: SharedLedger.State) -> Double {
        let counters = state.counters
        if let total = lists.objectBytes, total > 0 {
            return Double(counters.listedBytes - state.ledger.openListedBytes) / Double(total)
        }
        guard lists.objectCount > 0 else { return 1 }
        let open = state.ledger.readyCount + state.ledger.inProgress
        return Double(counters.listed - open) / Double(lists.objectCount)
    }

    // MARK: - The status file

    private mutating func writeStatus(_ line: ProgressLine, state: String, at now: Instant) {
        guard let statusFile else { return }
        let status = status(line, state: state, at: now)
        do throws(SystemError) {
            try replaceFile(path: statusFile, with: status.encoded(), isDurable: false)
            hasStatusFailed = false
        } catch {
            // A status that cannot be written is a pity and no reason to stop; it is said once.
            if !hasStatusFailed { console.say("warning: --status-file: \(error.advice)") }
            hasStatusFailed = true
        }
    }

    private func status(_ line: ProgressLine, state: String, at now: Instant) -> RunStatus {
        var status = RunStatus()
        let tally = ledger.look(\.ledger.tally)
        let seconds = max((now - started).inSeconds, 0.001)
        status.state = state
        status.bytesTransferred = line.uploadedBytes.total
        status.bytesTotal = lists.objectBytes
        status.filesTotal = line.objects
        status.filesTransferred = tally.copied
        status.filesUnchanged = tally.exist + tally.same
        status.filesSkipped = tally.skippedSource + tally.skippedTarget + tally.gone + tally.extra
        status.filesFailed = tally.unsettled
        status.filesInProgress = line.work
        let counters = ledger.look(\.counters)
        status.filesRemaining = max(
            0, line.objects - counters.before - counters.ignored - tally.handled)
        let fraction = min(max(line.fraction ?? 0, 0), 1)
        status.percentComplete = (fraction * 1000).rounded() / 10
        status.bytesRemaining = lists.objectBytes.map { Int64(Double($0) * (1 - fraction)) }
        status.throughputCurrent = line.uploadedBytes.perSecond
        status.throughputOverall = Double(line.uploadedBytes.total) / seconds
        status.objectsPerSecond = line.uploaded.perSecond
        status.startTime = startedAt.iso8601
        status.estimatedSecondsRemaining = line.remaining?.inSeconds
        status.estimatedEndTime = line.remaining.map {
            let end = clock.timeOfDay.secondsSince1970 + $0.components.seconds
            return Timestamp(secondsSince1970: end).iso8601
        }
        status.progress = line.text
        status.source = sides.condition(of: .source).status(at: now)
        status.target = sides.condition(of: .target).status(at: now)
        return status
    }
}
