//! The join against sets: whatever the cut into chunks and blocks, every key meets the right fate, in order.

import Migration
import S3
import Testing

@Suite struct KeyStreamTests {
    /// What the stream must do, by sets.
    private struct Model {
        var counters = KeyStreamCounters()
        /// One letter and the key for everything that comes out, in order.
        var outcomes: [String] = []

        init(source: [ObjectKey], target: Set<ObjectKey>, _ selection: KeySelection) {
            var taken = 0
            for key in source {
                if let first = selection.first, taken >= first { break }
                counters.listed += 1
                counters.unsized += 1
                let name = KeyListLine.escaped(key)
                if let after = selection.after, key <= after {
                    counters.before += 1
                } else if !selection.shard.contains(key) {
                    counters.ignored += 1
                } else {
                    taken += 1
                    if let index = selection.ahead.firstIndex(of: key) {
                        counters.known += 1
                        outcomes.append("known \(index)")
                    } else if target.contains(key) {
                        counters.exist += 1
                        outcomes.append("exist \(name)")
                    } else {
                        counters.work += 1
                        outcomes.append("work \(name)")
                    }
                }
            }
        }
    }

    private func outcomes(of run: StreamRun) -> [String] {
        run.events.flatMap { event -> [String] in
            switch event {
            case .work(let line): return ["work \(KeyListLine.escaped(line.key))"]
            case .known(let index): return ["known \(index)"]
            case .sample(let line): return ["exist \(KeyListLine.escaped(line.key))"]
            case .existLines(let bytes, let count):
                let lines = bytes.split(separator: UInt8(ascii: "\n"))
                #expect(lines.count == count)
                return lines.map { line in
                    let fields = line.split(
                        separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                    #expect(
                        fields.dropFirst().map { String(decoding: $0, as: UTF8.self) } == [
                            "exist", "-", "-", "-", "0",
                        ])
                    return "exist " + String(decoding: fields[0], as: UTF8.self)
                }
            case .progress, .end: return []
            }
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func agreesWithSets(seed: UInt64) {
        var random = ListRandom(seed: seed)
        let all = random.keys(count: Int.random(in: 1...300, using: &random), lengthMax: 6)
        let source = all.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
        let target = all.filter { _ in Bool.random(using: &random) }
        var selection = KeySelection()
        if Bool.random(using: &random) { selection.after = all.randomElement(using: &random) }
        if Bool.random(using: &random) { selection.shard = Shard(count: 3, value: 1) }
        if Bool.random(using: &random) { selection.first = Int.random(in: 0...60, using: &random) }
        selection.samplesExist = Bool.random(using: &random)
        selection.ahead = all.filter { key in
            (selection.after ?? ObjectKey([])) < key && Int.random(in: 0..<9, using: &random) == 0
        }
        let run = StreamRun(
            source: random.chunks(of: source.map { KeyListLine(key: $0) }, count: 5),
            target: random.chunks(of: target.map { KeyListLine(key: $0) }, count: 3, name: "t"),
            selection, blockSizeBytesMax: [1, 50, 64 * 1024][Int(seed % 3)], seed: seed)
        let model = Model(source: source, target: Set(target), selection)
        #expect(run.failure == nil)
        #expect(outcomes(of: run) == model.outcomes, "seed \(seed)")
        // A skipped chunk counts at once, so a stop in between can leave more listed than read.
        if selection.first == nil {
            var counters = run.counters
            counters.targetOnly = 0
            // The sizes of skipped chunks are not looked at.
            counters.unsized = model.counters.unsized
            #expect(counters == model.counters, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            (nil, "a b c d"), ("a", "b c d"), ("b2", "c d"), ("0", "a b c d"), ("c", "d"),
            ("d", ""), ("z", ""),
        ] as [(String?, String)])
    func startsBehindAKey(after: String?, rest: String) {
        for declared in [true, false] {
            var chunks = [TestChunk("1", keys: ["a", "b"]), TestChunk("2", keys: ["c", "d"])]
            if !declared {
                chunks = [TestChunk("1", raw: "a\nb\n"), TestChunk("2", raw: "c\nd")]
            }
            let run = StreamRun(source: chunks, KeySelection(after: after.map { ObjectKey($0) }))
            let keys = rest.split(separator: " ").map { ObjectKey(String($0)) }
            #expect(run.work == keys)
            #expect(run.counters.before == 4 - keys.count)
            #expect(run.counters.listed == 4)
        }
    }

    @Test func existLinesKeepTheirPlace() {
        let run = StreamRun(
            source: [TestChunk(keys: ["a", "b", "c", "d", "e"])],
            target: [TestChunk(keys: ["0", "a", "b", "d", "x"])],
            KeySelection(ahead: [ObjectKey("d")]))
        let ab = Array("a\texist\t-\t-\t-\t0\nb\texist\t-\t-\t-\t0\n".utf8)
        #expect(
            run.events == [
                .existLines(ab, count: 2), .work(KeyListLine(key: ObjectKey("c"))), .known(0),
                .work(KeyListLine(key: ObjectKey("e"))), .end,
            ])
        #expect(run.counters.targetOnly == 1)
    }

    /// Whether there is one is worth knowing; how many there are is not worth reading them.
    @Test(
        arguments: [
            (["a"], ["a"], 0), (["a"], ["a", "b", "c"], 1), (["b"], ["a", "b", "c"], 1),
            (["b"], ["c", "d"], 1),
            ([], ["a", "b"], 1), (["c"], ["a", "b"], 2), (["a"], [], 0),
        ] as [([String], [String], Int)])
    func looksForOneKeyBehindTheSourcesLast(source: [String], target: [String], count: Int) {
        for block in [1, 1000] {
            let run = StreamRun(
                source: [TestChunk(keys: source)], target: [TestChunk(keys: target)],
                blockSizeBytesMax: block)
            #expect(run.failure == nil)
            #expect(run.counters.targetOnly == count)
        }
    }

    @Test func samplesTheFirstOfThoseThatExistAndThenFewer() {
        let keys = (0..<20_000).map { "folder/object-\(100_000 + $0)" }
        let run = StreamRun(
            source: [TestChunk(keys: keys)], target: [TestChunk(keys: keys)],
            KeySelection(samplesExist: true))
        let places = run.events.compactMap { event -> Int? in
            guard case .sample(let line) = event else { return nil }
            return keys.firstIndex { ObjectKey($0) == line.key }
        }
        #expect(places.prefix(10).elementsEqual(0..<10))
        #expect((650...750).contains(places.count), "the square root of 25 times 20,000")
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 < 100 })
        #expect(run.counters.exist == keys.count)
        #expect(run.existLines.split(separator: "\n").count == keys.count - places.count)
    }

    /// A dry run writes nothing: its keys are counted, a block of lines at a time.
    @Test func countsWhatExistsWithoutItsLines() {
        let keys = (0..<200_000).map { "folder/object-\(100_000 + $0)" }
        var selection = KeySelection()
        selection.writesExist = false
        let run = StreamRun(
            source: [TestChunk(keys: keys)], target: [TestChunk(keys: keys)], selection)
        #expect(run.existLines.isEmpty)
        let counts = run.events.map { event in
            guard case .existLines(_, let count) = event else { return 0 }
            return count
        }
        #expect(counts.reduce(0, +) == keys.count && run.counters.exist == keys.count)
        #expect(counts.count > 3, "somebody may look up between them")
    }

    @Test func aSampleKnowsWhatTheSourcesListSays() {
        let run = StreamRun(
            source: [
                TestChunk(
                    raw: "a\n b\t7\t-\t\"0123456789abcdef0123456789abcdef\"\n".replacing(
                        " ", with: ""))
            ],
            target: [TestChunk(raw: "b\t8\n")], KeySelection(samplesExist: true))
        #expect(run.work == [ObjectKey("a")])
        guard case .sample(let line) = run.events[1] else { return #expect(Bool(false)) }
        #expect(line.sizeBytes == 7)
        #expect(line.etag?.md5 != nil)
        #expect(run.counters.existDiffers == 1)
    }

    @Test func longRunsOfExistComeInBlocks() {
        let keys = (0..<20_000).map { "folder/object-\(100_000 + $0)" }
        let run = StreamRun(source: [TestChunk(keys: keys)], target: [TestChunk(keys: keys)])
        #expect(run.events.count > 2)
        #expect(run.counters.exist == keys.count)
        for event in run.events {
            guard case .existLines(let bytes, _) = event else { continue }
            #expect(bytes.count < KeyStream.existBlockSizeBytes + 2_000)
        }
        #expect(run.existLines.split(separator: "\n").count == keys.count)
    }

    @Test func longRunsOfNothingGiveProgress() {
        let keys = (0..<150_000).map { "\(1_000_000 + $0)" }
        let all = TestChunk(keys: keys)
        let below = KeySelection(after: ObjectKey("2"))
        let undeclared = TestChunk(raw: String(decoding: all.bytes, as: UTF8.self))
        #expect(StreamRun(source: [undeclared], below).events == [.progress, .progress, .end])
        let passed = StreamRun(source: [TestChunk(keys: ["9"])], target: [undeclared])
        #expect(passed.events.filter { $0 == .progress }.count == 2)
        #expect(passed.counters.targetOnly == keys.count)
    }

    @Test func countsSizesAndDifferences() {
        let run = StreamRun(
            source: [TestChunk(raw: "a\t5\nb\t7\tt\te1\nc\t9\nd\ne\t1\tt\t\"e\"\n")],
            target: [TestChunk(raw: "a\t6\nb\t7\tt\te2\nc\t9\nd\t3\ne\t1\tu\te\n")])
        #expect(run.counters.existDiffers == 2)
        #expect(run.counters.existBytes == 5 + 7 + 9 + 3 + 1)
        #expect(run.counters.listedBytes == 22)
        #expect(run.counters.unsized == 1)
    }

    /// Where objects may be replaced, only lists that agree about size and ETag spare the question.
    @Test(arguments: [true, false])
    func takesUpWhatMayHaveChanged(takesChanged: Bool) {
        let zeros = "00000000000000000000000000000000-1"
        let run = StreamRun(
            source: [
                TestChunk(
                    raw: "a\t5\tt\te\nb\t5\tt\te\nc\t5\tt\te\nd\ne\t5\nf\t5\tt\te\n"
                        + "g\t5\tt\t\(zeros)\nh\t-\tt\te\n")
            ],
            target: [
                TestChunk(
                    raw: "a\t5\tt\t\"e\"\nb\t6\tt\te\nc\t5\tt\tx\nd\ne\t5\nf\t5\tt\t-\n"
                        + "g\t5\tt\t\(zeros)\nh\t-\tt\te\n")
            ], KeySelection(takesChanged: takesChanged))
        let changed = ["b", "c", "d", "e", "f", "g", "h"].map { ObjectKey($0) }
        #expect(run.work == (takesChanged ? changed : []))
        #expect(run.counters.exist == (takesChanged ? 1 : 8))
    }

    @Test func workCarriesWhatTheListSays() {
        let run = StreamRun(source: [TestChunk(raw: "\\a\\tb\t5\tnoon\tabc-2\n")])
        let line = KeyListLine(
            key: ObjectKey("a\tb"), sizeBytes: 5, modified: "noon", etag: ETag("abc-2"))
        #expect(run.events == [.work(line), .end])
        #expect(run.counters.workBytes == 5)
    }

    @Test func whatCameBeforeAnErrorComesOut() {
        let run = StreamRun(
            source: [TestChunk(raw: "a\nb\na\n")], target: [TestChunk("t", raw: "a\nb\n")])
        #expect(run.existLines.hasPrefix("a\texist"))
        #expect(run.existLines.split(separator: "\n").count == 2)
        #expect("\(run.failure.map { "\($0)" } ?? "")".contains("lists/a, line 3"))
    }

    @Test func anErrorInTheTargetsListsIsOne() {
        let run = StreamRun(
            source: [TestChunk(keys: ["a", "z"])], target: [TestChunk("t", raw: "b\na\n")])
        #expect("\(run.failure.map { "\($0)" } ?? "")".contains("lists/t, line 2"))
    }

    @Test func staysAtTheEnd() throws {
        var stream = KeyStream(source: [], target: [])
        #expect(try stream.next() == .event(.end))
        #expect(try stream.next() == .event(.end))
    }
}
