//! The list thread: key lists in simulated files, read in blocks of any size, joined by the product.

import Migration
import S3

struct SimulatedLister: ~Copyable {
    private var stream: KeyStream
    private var files: [Side: [[UInt8]]]
    private var random: SeededRandom
    private let ahead: [MigrateLogLine]
    private(set) var isAtEnd = false

    var counters: KeyStreamCounters { stream.counters }

    init(
        source: [KeyListLine], target: [KeyListLine], shard: Shard, earlier: Earlier,
        _ random: inout SeededRandom
    ) {
        self.random = random.fork()
        files = [.source: [], .target: []]
        var chunks: [Side: [ListChunk]] = [:]
        for (side, lines) in [(Side.source, source), (Side.target, target)] {
            let parts = SimulatedLister.divide(lines, &self.random)
            files[side] = parts
            chunks[side] = parts.indices.map { ListChunk(folder: "\(side)", name: "\($0)") }
        }
        ahead = earlier.ahead
        stream = KeyStream(
            source: chunks[.source] ?? [], target: chunks[.target] ?? [],
            selection: KeySelection(
                after: earlier.start, shard: shard, ahead: earlier.ahead.map(\.key),
                samplesExist: true))
    }

    /// Deals the lines out to some chunks, each in order.
    private static func divide(
        _ lines: [KeyListLine], _ random: inout SeededRandom
    ) -> [[UInt8]] {
        var parts = Array(repeating: [UInt8](), count: random.int(1...3))
        for line in lines { line.append(to: &parts[random.int(0...parts.count - 1)]) }
        return parts
    }

    /// Admits as long as there is room.
    mutating func admit(to ledger: inout Ledger) throws(ListError) {
        while !isAtEnd, ledger.hasRoom {
            switch try next() {
            case .work(let line): ledger.admit(line.key, listedBytes: line.sizeBytes)
            case .sample(let line): ledger.admitSample(line)
            case .known(let index): ledger.admitKnown(ahead[index])
            case .existLines(let lines, let count): ledger.admitExisting(lines, count: count)
            case .progress: break
            case .end: isAtEnd = true
            }
        }
    }

    private mutating func next() throws(ListError) -> KeyStream.Event {
        while true {
            switch try stream.next() {
            case .event(let event): return event
            case .closed: break
            case .needsBlock(let side, let chunk): supply(side, chunk)
            }
        }
    }

    private mutating func supply(_ side: Side, _ chunk: Int) {
        let rest = files[side]?[chunk] ?? []
        let count = min(rest.count, random.int(1...100))
        files[side]?[chunk] = Array(rest[count...])
        let block = rest.span.extracting(..<count)
        stream.supply(side, chunk: chunk, block, isLast: count == rest.count)
    }
}
