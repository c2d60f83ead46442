//! Key lists in memory for the tests, and the naive driver that feeds a merge with them.

import Migration
import S3

/// A chunk file: what is declared of it, and what is in it.
struct TestChunk {
    var declared: ListChunk
    var bytes: [UInt8]

    /// A chunk with everything declared, out of lines that need not be sorted.
    init(_ name: String = "a", lines: [KeyListLine]) {
        bytes = []
        for line in lines { line.append(to: &bytes) }
        declared = ListChunk(
            folder: "lists", name: name, firstKey: lines.first?.key, lastKey: lines.last?.key,
            lineCount: lines.count)
    }

    init(_ name: String = "a", keys: [String]) {
        self.init(name, lines: keys.map { KeyListLine(key: ObjectKey($0)) })
    }

    /// A chunk of which nothing is known but its bytes.
    init(_ name: String = "a", raw: String) {
        bytes = Array(raw.utf8)
        declared = ListChunk(folder: "lists", name: name)
    }

    /// The same file, without a newline behind the last line.
    func withoutLastNewline() -> TestChunk {
        var copy = self
        if copy.bytes.last == UInt8(ascii: "\n") { copy.bytes.removeLast() }
        return copy
    }
}

/// Blocks of a random or of a fixed size, out of chunks by their declared paths.
struct TestDisk {
    private var files: [String: [UInt8]] = [:]
    private var offsets: [String: Int] = [:]
    private var random: ListRandom
    private let blockSizeBytesMax: Int
    private(set) var openCountMax = 0

    init(
        _ chunks: [TestChunk], blockSizeBytesMax: Int = SortedMerge.blockSizeBytesMax,
        seed: UInt64 = 1
    ) {
        for chunk in chunks { files[chunk.declared.path] = chunk.bytes }
        random = ListRandom(seed: seed)
        self.blockSizeBytesMax = blockSizeBytesMax
    }

    /// The next block, and whether it is the last.
    mutating func block(of path: String) -> (bytes: [UInt8], isLast: Bool) {
        let file = files[path] ?? []
        let offset = offsets[path] ?? 0
        let count = min(Int.random(in: 1...blockSizeBytesMax, using: &random), file.count - offset)
        // Readers that do not know a file's size find its end with an empty block.
        let isLast = offset + count == file.count && (count == 0 || Bool.random(using: &random))
        offsets[path] = offset + count
        openCountMax = max(openCountMax, offsets.count)
        return (Array(file[offset..<offset + count]), isLast)
    }

    mutating func close(_ path: String) { offsets[path] = nil }
}

/// Runs a merge to its end.
func merged(
    _ chunks: [TestChunk], blockSizeBytesMax: Int = SortedMerge.blockSizeBytesMax, seed: UInt64 = 1
) throws(ListError) -> [KeyListLine] {
    var disk = TestDisk(chunks, blockSizeBytesMax: blockSizeBytesMax, seed: seed)
    return try merged(chunks.map(\.declared), on: &disk)
}

func merged(
    _ chunks: [ListChunk], on disk: inout TestDisk, takesRepeats: Bool = false
) throws(ListError) -> [KeyListLine] {
    var merge = SortedMerge(chunks, takesRepeats: takesRepeats)
    var lines: [KeyListLine] = []
    while true {
        switch try merge.next() {
        case .line: lines.append(try merge.line())
        case .needsBlock(let chunk):
            let block = disk.block(of: merge.chunks[chunk].path)
            merge.supply(chunk: chunk, block.bytes.span, isLast: block.isLast)
        case .closed(let chunk): disk.close(merge.chunks[chunk].path)
        case .end: return lines
        }
    }
}

/// What a stream gave, and where it stood then.
struct StreamRun {
    var events: [KeyStream.Event] = []
    var counters = KeyStreamCounters()
    var failure: ListError?

    init(
        source: [TestChunk], target: [TestChunk] = [], _ selection: KeySelection = KeySelection(),
        blockSizeBytesMax: Int = SortedMerge.blockSizeBytesMax, seed: UInt64 = 1
    ) {
        var stream = KeyStream(
            source: source.map(\.declared), target: target.map(\.declared), selection: selection)
        var disks: [Side: TestDisk] = [
            .source: TestDisk(source, blockSizeBytesMax: blockSizeBytesMax, seed: seed),
            .target: TestDisk(target, blockSizeBytesMax: blockSizeBytesMax, seed: seed ^ 99),
        ]
        do throws(ListError) {
            while try step(&stream, &disks) {}
        } catch {
            failure = error
        }
        counters = stream.counters
    }

    private mutating func step(
        _ stream: inout KeyStream, _ disks: inout [Side: TestDisk]
    ) throws(ListError) -> Bool {
        switch try stream.next() {
        case .needsBlock(let side, let chunk):
            let path = stream.chunks(of: side)[chunk].path
            guard let block = disks[side]?.block(of: path) else { return false }
            stream.supply(side, chunk: chunk, block.bytes.span, isLast: block.isLast)
        case .closed(let side, let chunk):
            disks[side]?.close(stream.chunks(of: side)[chunk].path)
        case .event(let event):
            events.append(event)
            return event != .end
        }
        return true
    }

    var work: [ObjectKey] {
        events.compactMap { event in
            guard case .work(let line) = event else { return nil }
            return line.key
        }
    }

    var known: [Int] {
        events.compactMap { event in
            guard case .known(let index) = event else { return nil }
            return index
        }
    }

    /// The lines for migrate.log, as text.
    var existLines: String {
        events.map { event in
            guard case .existLines(let bytes, _) = event else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        }.joined()
    }
}

extension ListRandom {
    /// So many different keys, sorted.
    mutating func keys(count: Int, lengthMax: Int = 12) -> [ObjectKey] {
        var keys: Set<ObjectKey> = []
        while keys.count < count { keys.insert(ObjectKey(keyBytes(countMax: lengthMax))) }
        return keys.sorted()
    }

    /// The keys dealt out to so many chunks, each sorted; some files without a last newline.
    mutating func chunks(
        of lines: [KeyListLine], count: Int, name: String = "chunk"
    ) -> [TestChunk] {
        var dealt = Array(repeating: [KeyListLine](), count: count)
        // A run of neighbours often stays together, as in real lists.
        var chunk = 0
        for line in lines {
            if Int.random(in: 0..<4, using: &self) == 0 {
                chunk = .random(in: 0..<count, using: &self)
            }
            dealt[chunk].append(line)
        }
        return dealt.enumerated().filter { !$0.element.isEmpty }.map { index, lines in
            let chunk = TestChunk("\(name)-\(index)", lines: lines)
            return Bool.random(using: &self) ? chunk : chunk.withoutLastNewline()
        }
    }
}
