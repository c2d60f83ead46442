//! The list thread: from the key lists into the ledger.

internal import Migration

/// Reads the joined lists and admits what they give, in batches, so that the ledger's lock is taken once for many
/// keys. It stops when the ledger is full, and ends when the run does.
struct Lister: ~Copyable {
    private var reader: KeyListReader
    private let ledger: SharedLedger
    /// What an earlier run ended above the watermark, in the order of the keys that the reader was given.
    private let ahead: [MigrateLogLine]

    /// Events of a batch: enough to make the lock cheap, few enough that workers start at once.
    private static let batchCountMax = 128
    /// Bytes of finished lines of a batch, about: what is not admitted is not bounded by the ledger.
    private static let batchLineBytesMax = 1024 * 1024

    init(reader: consuming KeyListReader, ledger: SharedLedger, ahead: [MigrateLogLine]) {
        self.reader = reader
        self.ledger = ledger
        self.ahead = ahead
    }

    /// Reads until the lists end; a list that is not in order ends the run.
    consuming func run() {
        do throws(ListError) {
            while try admitBatch() {}
        } catch {
            ledger.end(.draining, because: .badList("\(error)"))
        }
        ledger.endOfLists(counters: reader.counters)
    }

    /// Admits one batch; false after the last.
    private mutating func admitBatch() throws(ListError) -> Bool {
        var batch: [KeyStream.Event] = []
        var lineBytes = 0
        var isLast = false
        var failure: ListError?
        collecting: while batch.count < Lister.batchCountMax,
            lineBytes < Lister.batchLineBytesMax
        {
            do throws(ListError) {
                switch try reader.next() {
                case .end:
                    isLast = true
                    break collecting
                case .progress: break collecting
                case let event:
                    if case .existLines(let lines, _) = event { lineBytes += lines.count }
                    batch.append(event)
                }
            } catch {
                failure = error
                break
            }
        }
        let goesOn = ledger.admit(counters: reader.counters) { ledger in
            for event in batch { Lister.admit(event, to: &ledger, ahead: ahead) }
        }
        if let failure { throw failure }
        return goesOn && !isLast
    }

    private static func admit(
        _ event: KeyStream.Event, to ledger: inout Ledger, ahead: [MigrateLogLine]
    ) {
        switch event {
        case .work(let line): ledger.admit(line.key, listedBytes: line.sizeBytes)
        case .sample(let line): ledger.admitSample(line)
        case .known(let index): ledger.admitKnown(ahead[index])
        case .existLines(let lines, let count): ledger.admitExisting(lines, count: count)
        case .progress, .end: break
        }
    }
}
