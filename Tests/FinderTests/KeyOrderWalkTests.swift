//! Walking depth-first gives the byte order of all keys: against a sort of the whole.

import Testing

@testable import Finder

struct KeyOrderWalkTests {
    static func keys(
        of tree: TestTree, threads: Int, bytesMax: Int = Limits.readAheadBytesMax
    ) throws -> [[UInt8]] {
        let pool = try ReaderPool(threads: threads, bytesMax: bytesMax) { TestReader(tree: tree) }
        var walk = KeyOrderWalk(pool)
        var keys: [[UInt8]] = []
        while let step = walk.next() { keys += Self.files(of: step, at: walk.path) }
        return keys
    }

    static func files(of step: KeyOrderWalk.Step, at path: [UInt8]) -> [[UInt8]] {
        guard case .files(let contents, let files, _) = step else { return [] }
        let listing = contents.listing
        return files.map { file in
            var key = path
            listing.appendSegment(of: listing.entries[file], to: &key)
            return key
        }
    }

    @Test(arguments: 0..<60)
    func isTheSortedOrder(seed: UInt64) throws {
        let tree = TestTree(seed: seed, entries: 20 + Int(seed) * 20)
        let keys = try Self.keys(of: tree, threads: Int(seed % 4))
        #expect(keys == tree.sortedKeys, "seed \(seed)")
    }

    /// At the tightest bounds too nobody waits for ever.
    @Test(arguments: [0, 1, 300, 2000], [1, 4])
    func isTheSameWithLittleMemory(bytesMax: Int, threads: Int) throws {
        let tree = TestTree(seed: 4711, entries: 2000)
        let keys = try Self.keys(of: tree, threads: threads, bytesMax: bytesMax)
        #expect(keys == tree.sortedKeys)
    }

    @Test func givesDirectoriesBeforeWhatIsInThem() throws {
        let tree = TestTree(seed: 7, entries: 500)
        let pool = try ReaderPool(threads: 2) { TestReader(tree: tree) }
        var walk = KeyOrderWalk(pool)
        var seen: [[UInt8]] = []
        while let step = walk.next() {
            let files = Self.files(of: step, at: walk.path)
            seen += files.isEmpty ? [walk.path] : files
        }
        // With a slash behind it a directory is a key like any other, and first of its own.
        #expect(seen == seen.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(seen.first == [])
        #expect(Set(seen).count == seen.count)
    }

    @Test func mayBeLeftInTheMiddle() throws {
        let tree = TestTree(seed: 5, entries: 2000)
        let pool = try ReaderPool(threads: 4) { TestReader(tree: tree) }
        var walk = KeyOrderWalk(pool)
        for _ in 0..<5 { _ = walk.next() }
        // The pool's end waits for its threads; this test is that it comes.
    }
}
