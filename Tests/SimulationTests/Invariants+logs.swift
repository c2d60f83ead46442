//! What has to hold of the logs: after every crash, and at the end.

import Migration
import S3

extension World {
    /// After a run, what the logs had before it has to be there still, and every outcome of its own that is older
    /// than `age`.
    func checkRemembered(_ logs: SimulatedLogs, run: Int, endedFor age: Duration) {
        var repaired = logs
        if scenario.mutation != .leavesTornLines { _ = repaired.reopen() }
        checkForm(repaired)
        let remembered = repaired.settledKeys
        for key in settled.subtracting(remembered).sorted() {
            record.violated(.forgotten, "\(key) was in the logs and is no more")
        }
        for episode in record.episodes where episode.run == run {
            guard let ended = episode.ended, now - ended >= age,
                !remembered.contains(episode.item.key)
            else { continue }
            record.violated(
                .forgotten,
                "\(episode.item.key) ended \(now - ended) ago")
        }
        checkTruth(repaired)
    }

    /// At the end of a pass: the log has all keys of the list, once and in order.
    func checkLogs(_ logs: SimulatedLogs, listed: [ObjectKey]) {
        checkForm(logs)
        checkTruth(logs)
        let wanted = listed.filter(scenario.shard.contains)
        if logs.migrateLines.map(\.key) != wanted {
            record.violated(.watermark, "\(logs.migrateLines.map(\.key)) instead of \(wanted)")
        }
        if !logs.ahead.bytes.isEmpty {
            record.violated(.logForm, "ahead.log is not empty at the end")
        }
    }

    /// Every line has the right form; migrate.log is sorted, and has no gap below its last key.
    private func checkForm(_ logs: SimulatedLogs) {
        for (file, isOrdered) in [(logs.migrate, true), (logs.ahead, false)] {
            var check = LogCheck(isOrdered: isOrdered)
            for (line, isTerminated) in file.lines {
                if let problem = check.take(line.span, isTerminated: isTerminated) {
                    record.violated(.logForm, "\(problem)")
                }
            }
        }
        let keys = logs.migrateLines.map(\.key)
        guard let last = keys.last else { return }
        let below = listOfPass.filter { $0 <= last && scenario.shard.contains($0) }
        if below != keys {
            record.violated(.watermark, "\(keys) has not all of \(below)")
        }
    }

    /// Every line tells what a transfer came to, and every failure is explained.
    private func checkTruth(_ logs: SimulatedLogs) {
        var told: [ObjectKey: [[UInt8]]] = [:]
        for episode in record.episodes {
            guard let outcome = episode.outcome else { continue }
            var line: [UInt8] = []
            MigrateLogLine(key: episode.item.key, outcome: outcome).append(to: &line)
            told[episode.item.key, default: []].append(Array(line.dropLast()))
        }
        let explained = Set(
            logs.failed.lines.compactMap { FailedLogLine(parsing: $0.line.span)?.key })
        for (line, _) in logs.migrate.lines + logs.ahead.lines {
            guard let parsed = MigrateLogLine(parsing: line.span) else { continue }
            checkLine(
                parsed, line, told[parsed.key] ?? [], isExplained: explained.contains(parsed.key))
        }
    }

    private func checkLine(
        _ parsed: MigrateLogLine, _ line: [UInt8], _ told: [[UInt8]], isExplained: Bool
    ) {
        let text = String(decoding: line, as: UTF8.self)
        if parsed.outcome == .exist {
            guard !targetListed.contains(parsed.key) else { return }
            record.violated(.logTruth, "\(text): the target's lists have it not")
        } else if !told.contains(line) {
            record.violated(.logTruth, "\(text): no transfer said so")
        } else if parsed.outcome == .failed, !isExplained {
            record.violated(.logTruth, "\(text): failed.log does not have it")
        }
    }
}

extension SimulatedLogs {
    var migrateLines: [MigrateLogLine] {
        migrate.lines.compactMap { MigrateLogLine(parsing: $0.line.span) }
    }

    /// The keys that need not be handled again.
    var settledKeys: Set<ObjectKey> {
        let lines = migrateLines + ahead.lines.compactMap { MigrateLogLine(parsing: $0.line.span) }
        return Set(lines.map(\.key))
    }

    /// What a second pass takes.
    var failedKeys: [ObjectKey] { migrateLines.filter { $0.outcome == .failed }.map(\.key) }

    /// Copies of ours that are damaged, as failed.log knows them.
    var damaged: DamagedCopies {
        var copies = DamagedCopies()
        for (line, _) in failed.lines {
            if let failed = FailedLogLine(parsing: line.span) { copies.take(failed) }
        }
        return copies
    }

    /// What the failed objects have left open: it lies beside the list of them.
    var handover: OpenUploads {
        var handed = OpenUploads()
        for key in failedKeys {
            for record in openUploads.records(of: key) { handed.take(record) }
        }
        return handed
    }
}
