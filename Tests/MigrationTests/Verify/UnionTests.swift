//! What a verification looks at: every key of either side's lists, in key order, each once.

import Migration
import S3
import Testing

@Suite struct UnionTests {
    private func union(_ selection: KeySelection = KeySelection()) -> KeySelection {
        var selection = selection
        selection.takesUnion = true
        return selection
    }

    private func run(
        _ source: [String], _ target: [String], _ selection: KeySelection = KeySelection()
    ) -> StreamRun {
        StreamRun(
            source: source.isEmpty ? [] : [TestChunk("s", keys: source)],
            target: target.isEmpty ? [] : [TestChunk("t", keys: target)], union(selection))
    }

    private static let both: [([String], [String], String)] = [
        (["b", "d"], ["a", "b", "c", "e", "f"], "a b c d e f"), (["a"], [], "a"),
        ([], ["a", "b"], "a b"),
        (["a", "b"], ["a", "b"], "a b"), ([], [], ""), (["z"], ["a", "b"], "a b z"),
    ]

    @Test(arguments: both)
    func takesTheKeysOfBoth(source: [String], target: [String], all: String) {
        let run = run(source, target)
        #expect(run.work.map { "\($0)" } == all.split(separator: " ").map(String.init))
        #expect(run.events.last == .end)
        #expect(run.counters.exist == 0)
        #expect(run.counters.listed == source.count)
        #expect(run.counters.targetOnly == Set(target).subtracting(source).count)
    }

    @Test func beginsBehindAKeyOnBothSides() {
        let run = run(["b", "d"], ["a", "c", "e"], KeySelection(after: ObjectKey("b")))
        #expect(run.work == ["c", "d", "e"].map { ObjectKey($0) })
        #expect(run.counters.before == 1)
        #expect(run.counters.targetOnly == 2)
    }

    @Test func knowsWhatAnEarlierRunHasLeftAhead() {
        let run = run(
            ["b", "d"], ["a", "c", "e"],
            KeySelection(ahead: ["c", "d", "e"].map { ObjectKey($0) }))
        #expect(run.work == ["a", "b"].map { ObjectKey($0) })
        #expect(run.known == [0, 1, 2])
    }

    @Test func endsAfterSoMany() {
        #expect(run(["b"], ["a", "c", "d"], KeySelection(first: 3)).work.count == 3)
        #expect(run(["b"], ["a", "c", "d"], KeySelection(first: 1)).work == [ObjectKey("a")])
    }

    /// Every key goes to one shard, and the counts add up in each.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func dealsTheUnionOut(seed: UInt64) {
        var random = ListRandom(seed: seed)
        let all = random.keys(count: Int.random(in: 1...200, using: &random), lengthMax: 6)
        let source = all.filter { _ in Bool.random(using: &random) }
        let target = all.filter { _ in Bool.random(using: &random) }
        var seen: [ObjectKey] = []
        for value in 0..<3 {
            let run = StreamRun(
                source: random.chunks(of: source.map { KeyListLine(key: $0) }, count: 4),
                target: random.chunks(of: target.map { KeyListLine(key: $0) }, count: 4, name: "t"),
                union(KeySelection(shard: Shard(count: 3, value: value))),
                blockSizeBytesMax: [1, 50, 64 * 1024][Int(seed % 3)], seed: seed)
            #expect(run.failure == nil)
            #expect(run.work == run.work.sorted())
            let counters = run.counters
            #expect(counters.listed + counters.targetOnly == counters.ignored + counters.work)
            seen += run.work
        }
        #expect(seen.sorted() == Set(source).union(target).sorted())
    }

    @Test func staysAtTheEnd() throws {
        var stream = KeyStream(source: [], target: [], selection: union())
        #expect(try stream.next() == .event(.end))
        #expect(try stream.next() == .event(.end))
    }
}
