//! The quick way through lists against the slow one: blocks of a byte never have a line and something behind it, so
//! with them each line is taken by itself.

import Migration
import S3
import Testing

@Suite struct PlainLinesTests {
    @Test(arguments: 0..<400 as Range<UInt64>)
    func comesToTheSameAsLineByLine(seed: UInt64) {
        var random = ListRandom(seed: seed)
        let lists = PlainLists(&random)
        let slow = Join(lists, blockBytes: 1)
        for blockBytes in [9, 37, 300, 64 * 1024] {
            let quick = Join(lists, blockBytes: blockBytes)
            #expect(quick == slow, "seed \(seed), blocks of \(blockBytes)")
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func checksTheSameAsLineByLine(seed: UInt64) {
        var random = ListRandom(seed: seed)
        let lists = PlainLists(&random)
        for chunk in [lists.source, lists.target] {
            let slow = Check(chunk, blockBytes: 1)
            #expect(slow.passedCount == 0)
            for blockBytes in [9, 37, 300, 64 * 1024] {
                var quick = Check(chunk, blockBytes: blockBytes)
                quick.passedCount = 0
                #expect(quick == slow, "seed \(seed), blocks of \(blockBytes)")
            }
        }
    }

    @Test func blocksMayEndAnywhere() {
        var random = ListRandom(seed: 3)
        var lists = PlainLists()
        lists.selection.samplesExist = true
        let lines = PlainLists.lines(&random, count: 12, columns: 2)
        for line in lines {
            line.append(to: &lists.source.bytes)
            KeyListLine(key: line.key, sizeBytes: 1).append(to: &lists.target.bytes)
        }
        let slow = Join(lists, blockBytes: 1)
        #expect(slow.failure == nil && slow.counters.exist == lines.count)
        for cut in 1..<lists.source.bytes.count {
            #expect(Join(lists, blockBytes: 64 * 1024, sourceCut: cut) == slow, "cut at \(cut)")
            #expect(Join(lists, blockBytes: cut) == slow, "blocks of \(cut)")
        }
    }

    /// What the two ways have in common could be wrong in both, so this asks how many lines took the quick one.
    @Test(arguments: ["", "\t5", "\t-", "\t5\tnoon", "\t5\tnoon\tabc", "\t-\t-\t-"])
    func passesAllPlainLinesButTheLast(columns: String) {
        let text = (10..<60).map { "some/key-\($0)\(columns)\n" }.joined()
        let check = Check(chunk(text), blockBytes: 64 * 1024)
        #expect(check.failure == nil)
        #expect(check.lineCount == 50)
        #expect(check.sizeBytes == (columns.hasPrefix("\t5") ? 250 : nil))
        // The first line has nothing before it, and the last nothing behind it.
        #expect(check.passedCount >= 47)
    }

    /// One line between six plain ones, and how many of them all go the quick way: never the first and the last, and
    /// none behind a line whose key does not stand there as it is.
    @Test(
        arguments: [
            ("k2", 5), ("k2\u{7f}", 5), ("k2\u{e9}", 5), ("k2 \\", 5),
            ("k2\t999999999999999999", 5), ("k2\t9223372036854775807", 4),
            ("\\k2\\t", 3), ("k2\u{1}", 4), ("k2\rx", 4), ("k2\t5\tx\u{1}", 4),
            ("k2\t5\t" + String(repeating: "t", count: 300), 4),
            (String(repeating: "k", count: 1_024), 5),
        ])
    func takesTheSlowWayWhereALineNeedsIt(line: String, count: Int) {
        let text = "a\nb\nk1\n" + line + "\nl-------\nm-------\nn-------\n"
        let check = Check(chunk(text), blockBytes: 64 * 1024)
        #expect(check.failure == nil)
        #expect(check.lineCount == 7)
        #expect(check.passedCount == count)
    }

    /// Keys that differ behind so many bytes, and by what: each pair is in order one way round only.
    @Test(arguments: 0...17)
    func ordersBehindACommonPrefix(count: Int) {
        let tails: [[UInt8]] = [
            [], [0x20], [0x20, 0x41], [0x41], [0x41, 0x20], [0x7F], [0x80], [0x80, 0x20],
            [0xC3, 0xA9], [0xFF],
        ]
        let prefix = [UInt8](repeating: 0x6B, count: count)
        for (low, one) in tails.enumerated() {
            for (high, other) in tails.enumerated() where count > 0 || low + high > 0 {
                let keys = [[0x21], prefix + one, prefix + other, [0xFF, 0xFF, 0xFF]]
                guard keys.allSatisfy({ !$0.isEmpty }) else { continue }
                var lines = chunk("")
                for key in keys + [[0xFF, 0xFF, 0xFF, 0xFF] + prefix] {
                    lines.bytes += key + [0x0A]
                }
                let check = Check(lines, blockBytes: 64 * 1024)
                let isBegun = keys[0].lexicographicallyPrecedes(keys[1])
                #expect((check.failure == nil) == (isBegun && low < high), "\(keys)")
                guard isBegun, low == high, let failure = check.failure else { continue }
                #expect("\(failure)".contains("listed twice"), "\(keys)")
            }
        }
    }

    /// Plain lines of one chunk must not run past another's.
    @Test func leavesRoomForOtherChunks() throws {
        let plain = (10..<30).map { "plain/key-\($0)" }
        let between = TestChunk("b", keys: ["plain/key-15-", "plain/key-25-"])
        let lines = try merged([TestChunk("a", keys: plain), between])
        #expect(lines.map(\.key) == lines.map(\.key).sorted())
        let run = StreamRun(
            source: [TestChunk("a", keys: plain), between],
            target: [TestChunk("a", keys: plain)])
        #expect(run.work == ["plain/key-15-", "plain/key-25-"].map { ObjectKey($0) })
        #expect(run.counters.exist == plain.count)
    }

    private func chunk(_ text: String) -> TestChunk { TestChunk(raw: text) }
}

/// Lists of both sides that are mostly plain and mostly alike, and perhaps damaged.
private struct PlainLists {
    var source = TestChunk("source", raw: "")
    var target = TestChunk("target", raw: "")
    var selection = KeySelection()

    init() {}

    init(_ random: inout ListRandom) {
        let columns = Int.random(in: 0...3, using: &random)
        let lines = Self.lines(
            &random, count: Int.random(in: 1...80, using: &random), columns: columns)
        let sparseness = Int.random(in: 2...40, using: &random)
        for line in lines {
            if Int.random(in: 0..<sparseness, using: &random) > 0 {
                line.append(to: &source.bytes)
            }
            if Int.random(in: 0..<sparseness, using: &random) > 0 {
                Self.altered(line, &random).append(to: &target.bytes)
            }
        }
        choose(&random, lines.map(\.key))
        if Int.random(in: 0..<3, using: &random) == 0 { Self.damage(&source.bytes, &random) }
        if Int.random(in: 0..<3, using: &random) == 0 { Self.damage(&target.bytes, &random) }
        if Bool.random(using: &random) { source = source.withoutLastNewline() }
    }

    private mutating func choose(_ random: inout ListRandom, _ keys: [ObjectKey]) {
        selection.samplesExist = Bool.random(using: &random)
        selection.takesChanged = Int.random(in: 0..<4, using: &random) == 0
        selection.writesExist = Bool.random(using: &random)
        selection.takesUnion = Int.random(in: 0..<6, using: &random) == 0
        if Bool.random(using: &random) { selection.shard = Shard(count: 3, value: 2) }
        let isChosen = { (random: inout ListRandom) in Int.random(in: 0..<4, using: &random) == 0 }
        if isChosen(&random) { selection.after = keys.randomElement(using: &random) }
        if isChosen(&random) { selection.first = Int.random(in: 0...60, using: &random) }
        guard isChosen(&random) else { return }
        selection.ahead = keys.filter { key in
            key > selection.after ?? ObjectKey([]) && Int.random(in: 0..<9, using: &random) == 0
        }
    }

    /// Keys in order, whose common prefixes have every length, with so many columns.
    static func lines(_ random: inout ListRandom, count: Int, columns: Int) -> [KeyListLine] {
        var keys: Set<ObjectKey> = []
        var key: [UInt8] = []
        while keys.count < count {
            key = Array(key.prefix(Int.random(in: 0...20, using: &random)))
            key += (0..<Int.random(in: 1...12, using: &random)).map { _ in
                UInt8.random(in: 0x20...0x7E, using: &random)
            }
            if Int.random(in: 0..<20, using: &random) == 0 { key += random.keyBytes(countMax: 3) }
            keys.insert(ObjectKey(key))
        }
        return keys.sorted().map { key in
            let size = Int64.random(in: 0...12_345, using: &random)
            return KeyListLine(
                key: key, sizeBytes: columns > 0 ? size : nil,
                modified: columns > 1 ? "2026-01-01T00:00:00Z" : nil,
                etag: columns > 2 ? ETag("0123456789abcdef0123456789abcdef") : nil)
        }
    }

    /// The line as the other side's list may have it.
    private static func altered(_ line: KeyListLine, _ random: inout ListRandom) -> KeyListLine {
        var line = line
        switch Int.random(in: 0..<16, using: &random) {
        case 0: line.sizeBytes = 7
        case 1: line.sizeBytes = nil
        case 2: line.modified = "then"
        case 3: line.etag = ETag("another")
        case 4: line.etag = nil
        default: break
        }
        return line
    }

    /// One byte becomes another that means something, or a piece is there twice or not at all.
    private static func damage(_ bytes: inout [UInt8], _ random: inout ListRandom) {
        guard let place = bytes.indices.randomElement(using: &random) else { return }
        let end = min(bytes.count, place + Int.random(in: 1...60, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 1: bytes.removeSubrange(place..<end)
        default:
            let telling = Array("\n\t\r\\ -0\u{1}\u{1f}\0".utf8) + [0x80, 0xFF]
            bytes[place] = telling.randomElement(using: &random) ?? 0
        }
    }
}

/// What a join comes to.
private struct Join: Equatable {
    var events: [KeyStream.Event] = []
    var counters = KeyStreamCounters()
    var failure: ListError?

    /// `sourceCut`: where the source's first block ends.
    init(_ lists: PlainLists, blockBytes: Int, sourceCut: Int? = nil) {
        var stream = KeyStream(
            source: [lists.source.declared], target: [lists.target.declared],
            selection: lists.selection)
        var files = [
            Side.source: Blocks(lists.source.bytes, sourceCut), .target: Blocks(lists.target.bytes),
        ]
        do throws(ListError) {
            while events.last != .end {
                switch try stream.next() {
                case .event(let event): events.append(event)
                case .closed: break
                case .needsBlock(let side, let chunk):
                    let block = files[side]?.next(blockBytes) ?? (bytes: [], isLast: true)
                    stream.supply(side, chunk: chunk, block.bytes.span, isLast: block.isLast)
                }
            }
        } catch {
            failure = error
        }
        counters = stream.counters
    }
}

/// What a check of one list comes to.
private struct Check: Equatable {
    var lineCount = 0
    var sizeBytes: Int64? = 0
    /// Lines that took the quick way.
    var passedCount = 0
    var keys: [ObjectKey] = []
    var failure: ListError?

    init(_ chunk: TestChunk, blockBytes: Int) {
        var merge = SortedMerge([chunk.declared])
        var file = Blocks(chunk.bytes)
        do throws(ListError) {
            while true {
                switch try merge.next() {
                case .line: take(&merge)
                case .needsBlock(let chunk):
                    let block = file.next(blockBytes)
                    merge.supply(chunk: chunk, block.bytes.span, isLast: block.isLast)
                case .closed: keys = merge.lastKeyClosed.map { [$0] } ?? []
                case .end: return
                }
            }
        } catch {
            failure = error
        }
    }

    private mutating func take(_ merge: inout SortedMerge) {
        add(1, merge.sizeBytes)
        let passed = merge.passPlainLines()
        add(passed.count, passed.sizeBytes)
        passedCount += passed.count
    }

    private mutating func add(_ count: Int, _ sum: Int64?) {
        lineCount += count
        sizeBytes = sizeBytes.flatMap { all in sum.map { all + $0 } }
    }
}

/// A file in blocks of one size, but for the first, if it is cut elsewhere.
private struct Blocks {
    private let bytes: [UInt8]
    private var place = 0
    private var firstCut: Int?

    init(_ bytes: [UInt8], _ firstCut: Int? = nil) {
        self.bytes = bytes
        self.firstCut = firstCut
    }

    mutating func next(_ count: Int) -> (bytes: [UInt8], isLast: Bool) {
        let end = min(bytes.count, place + (firstCut ?? count))
        firstCut = nil
        defer { place = end }
        return (Array(bytes[place..<end]), end == bytes.count)
    }
}
