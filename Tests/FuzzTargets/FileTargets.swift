//! What is read from files: lists, logs, and the documents beside them.

import Migration
import S3

/// A line that is read is written as a line that reads the same.
func readListLine(_ bytes: [UInt8]) {
    guard let line = try? KeyListLine(parsing: bytes.span) else { return }
    var written: [UInt8] = []
    line.append(to: &written)
    guard written.popLast() == UInt8(ascii: "\n"), !written.contains(UInt8(ascii: "\n")),
        let again = try? KeyListLine(parsing: written.span)
    else { fatalError("\(line) is written so that it cannot be read") }
    precondition(again.key == line.key && again.sizeBytes == line.sizeBytes, "\(line), \(again)")
}

/// The first bytes say how the rest is divided: into two sides, chunks and blocks. However it is divided, what comes
/// out is in key order, and is counted; and it is what comes out of blocks of one byte, with which no line is taken the
/// quick way.
func readKeyStream(_ bytes: [UInt8]) {
    guard bytes.count > 4 else { return }
    let chunkCount = Int(bytes[0] % 3) + 1
    let blockBytes = Int(bytes[1]) + 1
    var selection = KeySelection(samplesExist: bytes[2] % 2 == 1)
    if bytes[2] & 2 != 0 { selection.shard = Shard(count: 2, value: 1) }
    let halves = bytes[4...].split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let play = { (blockBytes: Int) in
        var play = StreamPlay(
            source: divided(Array(halves[0]), chunkCount),
            target: divided(halves.count > 1 ? Array(halves[1]) : [], chunkCount),
            blockBytes: blockBytes)
        play.run(selection)
        return play.result
    }
    let (result, slow) = (play(blockBytes), play(1))
    precondition(result == slow, "\(result) in blocks of \(blockBytes), \(slow) byte by byte")
}

private func divided(_ bytes: [UInt8], _ count: Int) -> [[UInt8]] {
    let all = lines(bytes)
    return (0..<count).map { part in
        let own = all.indices.filter { $0 % count == part }.map { all[$0] }
        return Array(own.joined(separator: [UInt8(ascii: "\n")]))
    }
}

private struct StreamPlay {
    var source: [[UInt8]]
    var target: [[UInt8]]
    let blockBytes: Int
    private(set) var result = Result()

    struct Result: Equatable {
        var last: ObjectKey?
        var outCount = 0
        var counters = KeyStreamCounters()
        var failure: ListError?
    }

    init(source: [[UInt8]], target: [[UInt8]], blockBytes: Int) {
        (self.source, self.target, self.blockBytes) = (source, target, blockBytes)
    }

    mutating func run(_ selection: KeySelection) {
        let chunks = { (side: String, count: Int) in
            (0..<count).map { ListChunk(folder: side, name: "\($0)") }
        }
        var stream = KeyStream(
            source: chunks("source", source.count), target: chunks("target", target.count),
            selection: selection)
        do throws(ListError) {
            while try step(&stream) {}
            check(stream.counters)
        } catch {
            result.failure = error
        }
        result.counters = stream.counters
    }

    private mutating func step(_ stream: inout KeyStream) throws(ListError) -> Bool {
        switch try stream.next() {
        case .needsBlock(let side, let chunk): supply(&stream, side, chunk)
        case .closed: break
        case .event(let event):
            take(event)
            return event != .end
        }
        return true
    }

    private mutating func supply(_ stream: inout KeyStream, _ side: Side, _ chunk: Int) {
        let rest = side == .source ? source[chunk] : target[chunk]
        let count = min(blockBytes, rest.count)
        let block = Array(rest[..<count])
        let left = Array(rest[count...])
        if side == .source { source[chunk] = left } else { target[chunk] = left }
        stream.supply(side, chunk: chunk, block.span, isLast: left.isEmpty)
    }

    private mutating func take(_ event: KeyStream.Event) {
        switch event {
        case .work(let line), .sample(let line): pass(line.key)
        case .existLines(let bytes, let count): passExisting(bytes, count)
        case .known: fatalError("nothing is known of an earlier run")
        case .progress, .end: break
        }
    }

    private mutating func passExisting(_ bytes: [UInt8], _ count: Int) {
        let all = lines(bytes).dropLast()
        precondition(all.count == count, "\(count) lines are \(all.count)")
        for text in all {
            guard let line = MigrateLogLine(parsing: Array(text).span) else {
                fatalError("a line for migrate.log that cannot be read")
            }
            pass(line.key)
        }
    }

    private mutating func pass(_ key: ObjectKey) {
        if let last = result.last { precondition(last < key, "\(key) came after \(last)") }
        result.last = key
        result.outCount += 1
    }

    private func check(_ counters: KeyStreamCounters) {
        let ownCount = counters.exist + counters.work
        precondition(counters.listed == counters.ignored + ownCount, "\(counters)")
        precondition(ownCount == result.outCount, "\(counters), \(result.outCount) came out")
    }
}

/// What the checker takes, the reader reads, and writes again byte by byte.
func readMigrateLog(_ bytes: [UInt8]) {
    var check = LogCheck(isOrdered: false)
    for text in lines(bytes) {
        let line = Array(text)
        let read = MigrateLogLine(parsing: line.span)
        if check.take(line.span, isTerminated: true) == nil {
            precondition(read != nil, "checked, and not to be read")
        }
        guard let read else { continue }
        var written: [UInt8] = []
        read.append(to: &written)
        written.removeLast()
        precondition(
            MigrateLogLine(parsing: written.span)?.key == read.key,
            "written so that it cannot be read")
    }
}

func readFailedLog(_ bytes: [UInt8]) {
    for text in lines(bytes) {
        guard let read = FailedLogLine(parsing: Array(text).span) else { continue }
        var written: [UInt8] = []
        read.append(to: &written)
        written.removeLast()
        guard let again = FailedLogLine(parsing: written.span) else {
            fatalError("written so that it cannot be read")
        }
        precondition(again.key == read.key && again.failure.stage == read.failure.stage)
    }
}

func readUploadsLog(_ bytes: [UInt8]) {
    var uploads = OpenUploads(keepsCompleted: true)
    for text in lines(bytes) {
        guard let record = UploadRecord(parsing: Array(text).span) else { continue }
        uploads.take(record)
        var written: [UInt8] = []
        record.append(to: &written)
        written.removeLast()
        guard let again = UploadRecord(parsing: written.span) else {
            fatalError("written so that it cannot be read")
        }
        precondition(again.key == record.key && again.uploadID == record.uploadID)
    }
    for record in uploads.records { precondition(!uploads.records(of: record.key).isEmpty) }
}

/// Manifests, and the documents of a log folder.
func readJSON(_ bytes: [UInt8]) {
    if let manifest = try? Manifest(decoding: bytes) {
        guard (try? Manifest(decoding: manifest.encoded())) != nil else {
            fatalError("a manifest is written so that it cannot be read")
        }
    }
    if let identity = RunIdentity(decoding: bytes) {
        let again = RunIdentity(decoding: identity.encoded())
        precondition(
            again?.difference(from: identity) == nil, "run.json is not written as it was read")
    }
    _ = RunSummary(decoding: bytes).map { $0.encoded() }
}
