//! The ledger as one would write it without a thought for speed: an array of everything, ever.

import S3

@testable import Migration

/// Says the same as `Ledger`, by looking at all entries every time.
struct LedgerModel {
    enum Work: Equatable {
        case ready
        case open
        case abandoned
        case ended(Instant)
    }

    struct Entry {
        var migrateLine: [UInt8] = []
        var failedLine: [UInt8] = []
        var listedBytes: Int64 = 0
        /// nil for lines that need no work.
        var work: Work?
        var exist = 0
        var isKnown = false
        /// Its line stands in ahead.log.
        var isAhead = false
        /// Its failed line was given out already.
        var isFailureTold = false
    }

    let readyMax: Int
    let waitingBytesMax: Int
    var entries: [Entry] = []
    var committed = 0
    var foreignAhead: Int

    var open: [Int] { entries.indices.filter { entries[$0].work == .open } }
    var ready: [Int] { entries.indices.filter { entries[$0].work == .ready } }

    private func isFinished(_ entry: Entry) -> Bool {
        switch entry.work {
        case nil, .ended: true
        default: false
        }
    }

    var waitingBytes: Int {
        entries[committed...].filter(isFinished).reduce(0) { sum, entry in
            sum + entry.migrateLine.count + (entry.isFailureTold ? 0 : entry.failedLine.count)
        }
    }

    var openListedBytes: Int64 {
        entries.filter { !isFinished($0) }.reduce(0) { $0 + $1.listedBytes }
    }

    var hasRoom: Bool { ready.count < readyMax && waitingBytes < waitingBytesMax }

    var aheadCount: Int {
        foreignAhead - entries.filter(\.isKnown).count
            + entries[committed...].filter { $0.isKnown || $0.isAhead }.count
    }

    var aheadLines: [UInt8] {
        entries[committed...].filter { $0.isKnown || $0.isAhead }.flatMap(\.migrateLine)
    }

    var unloggedCount: Int {
        entries[committed...].reduce(0) { $0 + (isFinished($1) ? $1.exist : 1) }
    }

    /// The sequence numbers that are handed out.
    mutating func take(_ count: Int) -> [Int] {
        var taken: [Int] = []
        while taken.count < count, let next = ready.first,
            waitingBytes < waitingBytesMax || open.isEmpty
        {
            entries[next].work = .open
            taken.append(next)
        }
        return taken
    }

    var canCommit: Bool { committed < entries.count && isFinished(entries[committed]) }

    mutating func commit(bytesMax: Int) -> (migrate: [UInt8], failed: [UInt8]) {
        var lines: (migrate: [UInt8], failed: [UInt8]) = ([], [])
        while canCommit, lines.migrate.count + lines.failed.count < bytesMax {
            lines.migrate += entries[committed].migrateLine
            if !entries[committed].isFailureTold { lines.failed += entries[committed].failedLine }
            committed += 1
        }
        return lines
    }

    /// The lines of ahead.log in the order of their endings, which the caller keeps.
    mutating func takeAhead(
        endedBefore limit: Instant, order: [Int]
    ) -> (migrate: [UInt8], failed: [UInt8]) {
        var lines: (migrate: [UInt8], failed: [UInt8]) = ([], [])
        for index in order where index >= committed {
            guard case .ended(let at) = entries[index].work, at <= limit, !entries[index].isAhead
            else { continue }
            lines.migrate += entries[index].migrateLine
            lines.failed += entries[index].failedLine
            entries[index].isAhead = true
            entries[index].isFailureTold = true
        }
        return lines
    }
}
