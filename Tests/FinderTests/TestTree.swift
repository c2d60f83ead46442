//! Trees in memory, where nothing but the order is looked at.

import Glibc
import Testing

@testable import Finder

/// A directory tree of a random shape.
struct TestTree: Sendable {
    /// By directory path (empty, or with a slash at its end): its files and its subdirectories.
    private(set) var files: [[UInt8]: [[UInt8]]] = [[]: []]
    private(set) var directories: [[UInt8]: [[UInt8]]] = [[]: []]

    /// A tree of random shape out of names that sort around the slash and around each other; with odd names there
    /// are some that are no text, and paths that are too long for a key.
    init(seed: UInt64, entries: Int, hasOddNames: Bool = false) {
        let pieces = TestTree.pieces + (hasOddNames ? TestTree.oddPieces : [])
        var random = SplitMix64(seed: seed)
        var known: [[UInt8]] = [[]]
        var taken: Set<[UInt8]> = []
        for _ in 0..<entries {
            let parent = known[Int.random(in: 0..<known.count, using: &random)]
            let path = parent + TestTree.randomName(of: pieces, &random)
            guard taken.insert(path).inserted else { continue }
            if Int.random(in: 0..<3, using: &random) == 0 {
                directories[parent, default: []].append(Array(path[parent.count...]))
                known.append(path + Array("/".utf8))
            } else {
                files[parent, default: []].append(Array(path[parent.count...]))
            }
        }
    }

    private static let pieces = [
        "a", "b", "-", ".", "0", " ", "!", "\n", "\t", "\r", "\\", "é", "e\u{301}", "漢", "🙂", "~",
        "\u{1}", "\u{7F}", "A", "%2F", "a long one that others begin with",
    ].map { Array($0.utf8) }

    /// No text, or half of some; and such as make a path too long for a key where several come together.
    private static let oddPieces: [[UInt8]] = [
        [0xFF], [0xC3], [0xA9], [0xF0, 0x9F], .init(repeating: UInt8(ascii: "n"), count: 70),
    ]

    private static func randomName(
        of pieces: [[UInt8]], _ random: inout SplitMix64
    ) -> [UInt8] {
        let count = Int.random(in: 1...3, using: &random)
        let name = (0..<count).flatMap { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }
        return name.allSatisfy { $0 == UInt8(ascii: ".") } ? name + [UInt8(ascii: "a")] : name
    }

    /// All keys, sorted as a whole by somebody else's sort.
    var sortedKeys: [[UInt8]] {
        files.flatMap { parent, names in names.map { parent + $0 } }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }
}

/// Reads a tree in memory, and takes its time to let threads overtake each other.
struct TestReader: DirectoryReading {
    let tree: TestTree
    var keepsAttributes = false

    func contents(of path: [UInt8]) -> DirectoryContents {
        if path.count % 3 == 0 { sched_yield() }
        var builder = DirectoryListing.Builder(keepsAttributes: keepsAttributes)
        let (files, directories) = (tree.files[path] ?? [], tree.directories[path] ?? [])
        for name in directories {
            name.withUnsafeBytes { builder.append(name: $0, isDirectory: true) }
        }
        for name in files { name.withUnsafeBytes { builder.append(name: $0, isDirectory: false) } }
        return DirectoryContents(
            listing: builder.takeSorted(), isEmpty: files.isEmpty && directories.isEmpty)
    }
}

/// A small generator whose every run is the same (Steele, Lea, Flood, "Fast splittable generators").
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
