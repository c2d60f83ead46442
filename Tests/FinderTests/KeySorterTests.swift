//! The external sort, against the sort of the standard library.

import Migration
import S3
import Testing

@testable import Finder

struct KeySorterTests {
    struct Record: Hashable {
        var key: [UInt8]
        var columns: [UInt8] = []
    }

    /// Sorts in a folder of its own; what comes out, and how many were left out.
    static func sort(
        _ records: [Record], memoryBytes: Int64, runsMax: Int = 128
    ) throws -> (records: [Record], repeated: Int) {
        let test = try TestFolder()
        let path = test.newOutput()
        let folder = try OutputFolder(path, outside: nil)
        var sorter = KeySorter(in: folder, memoryBytes: memoryBytes, runsMax: runsMax)
        for record in records {
            try sorter.append(key: record.key.span, columns: record.columns.span)
        }
        #expect(TestFolder.names(in: path) == [], "a run has a name")
        var sorted: [Record] = []
        try sorter.finish { key, columns throws(FindError) in
            sorted.append(Record(key: copy(key), columns: copy(columns)))
        }
        return (sorted, sorter.repeated)
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }

    /// What must come out: the last record of each key, by the bytes of the keys.
    static func expected(_ records: [Record]) -> [Record] {
        var last: [[UInt8]: Record] = [:]
        for record in records { last[record.key] = record }
        return last.values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// Keys of a small alphabet, with long common prefixes, of lengths around multiples of eight; many are there more
    /// than once, with other columns.
    static func randomRecords(_ count: Int, seed: UInt64) -> [Record] {
        var random = SeededRandom(seed: seed)
        let prefixes = ["", "a/", "a/very/long/prefix/that/many/keys/share/", "\u{1}", "ÿ"]
        let letters: [UInt8] = [1, 9, 10, 13, 32, 92, 97, 98, 127, 128, 255]
        return (0..<count).map { number in
            let prefix = Array(prefixes[Int(random.next() % 5)].utf8)
            let length = Int(random.next() % 20) + (prefix.isEmpty ? 1 : 0)
            let rest = (0..<length).map { _ in letters[Int(random.next() % 11)] }
            let columns = random.next() % 2 == 0 ? "" : "\t\(number)"
            return Record(key: prefix + rest, columns: Array(columns.utf8))
        }
    }

    @Test(arguments: [
        (Int64(1 << 20), 128), (8192, 128), (2048, 2), (2048, 3), (2048, 128), (100_000, 2),
    ])
    func sortsAsTheStandardLibraryDoes(memoryBytes: Int64, runsMax: Int) throws {
        for seed in 0..<2 {
            let records = Self.randomRecords(1000, seed: UInt64(seed))
            let (sorted, repeated) = try Self.sort(
                records, memoryBytes: memoryBytes, runsMax: runsMax)
            let expected = Self.expected(records)
            #expect(sorted == expected, "seed \(seed)")
            #expect(repeated == records.count - expected.count, "seed \(seed)")
        }
    }

    @Test(arguments: [0, 1, 2, 12, 13, 100])
    func sortsFewAndEqualKeys(count: Int) throws {
        let equal = (0..<count).map { Record(key: [97, 98], columns: Array("\t\($0)".utf8)) }
        let (sorted, repeated) = try Self.sort(equal, memoryBytes: 8192)
        #expect(sorted == Array(equal.suffix(1)))
        #expect(repeated == max(0, count - 1))
    }

    @Test(arguments: [true, false])
    func sortsWhatIsSortedAlready(isReversed: Bool) throws {
        let keys = (0..<500).map { Record(key: Array("key/\(1000 + $0)".utf8)) }
        let (sorted, repeated) = try Self.sort(
            isReversed ? keys.reversed() : keys, memoryBytes: 4096)
        #expect(sorted == keys)
        #expect(repeated == 0)
    }

    /// A key that is the beginning of another comes first, wherever the words of eight bytes are cut.
    @Test func putsPrefixesFirst() throws {
        let keys = (1...1024).map { Record(key: [UInt8](repeating: 97, count: $0)) }
        var random = SeededRandom(seed: 7)
        let (sorted, _) = try Self.sort(keys.shuffled(using: &random), memoryBytes: 1 << 20)
        #expect(sorted == keys)
    }
}
