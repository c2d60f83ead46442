//! One directory: its order around the slash, and what it keeps.

import Testing

@testable import Finder

struct DirectoryListingTests {
    /// Names that end in a slash are directories.
    static func listing(_ names: [[UInt8]]) -> DirectoryListing {
        var builder = DirectoryListing.Builder(keepsAttributes: false)
        for name in names {
            let isDirectory = name.last == UInt8(ascii: "/")
            let bare = isDirectory ? Array(name.dropLast()) : name
            bare.withUnsafeBytes { builder.append(name: $0, isDirectory: isDirectory) }
        }
        return builder.takeSorted()
    }

    static func segments(_ listing: DirectoryListing) -> [[UInt8]] {
        listing.entries.map {
            var segment: [UInt8] = []
            listing.appendSegment(of: $0, to: &segment)
            return segment
        }
    }

    static func text(_ listing: DirectoryListing) -> [String] {
        segments(listing).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func sortsADirectoryAsItsNameWithASlash() {
        let listing = Self.listing(
            ["a0", "a/", "a-b", "a.b", "a b", "b", "A", "a\u{1}"].map { Array($0.utf8) })
        #expect(Self.text(listing) == ["A", "a\u{1}", "a b", "a-b", "a.b", "a/", "a0", "b"])
    }

    @Test func sortsBytesNotCharacters() {
        let names: [[UInt8]] = [
            [0xFF], Array("é".utf8), Array("e\u{301}".utf8), [0x7F], Array("zz".utf8),
        ]
        #expect(
            Self.segments(Self.listing(names)) == names.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func sortsABeginningFirst() {
        #expect(
            Self.text(Self.listing(["aaa", "a", "aa"].map { Array($0.utf8) })) == [
                "a", "aa", "aaa",
            ])
    }

    @Test func givesARepeatedNameOnce() {
        let listing = Self.listing(["b/", "a", "b/", "a", "a", "b"].map { Array($0.utf8) })
        #expect(Self.text(listing) == ["a", "b", "b/"])
        #expect(listing.subdirectories == [2])
    }

    @Test func ofAnEmptyDirectoryIsEmpty() {
        #expect(Self.listing([]).entries.isEmpty)
        #expect(Self.listing([]).subdirectories.isEmpty)
    }

    @Test func knowsItsDirectories() {
        let listing = Self.listing(["c/", "b", "a/"].map { Array($0.utf8) })
        #expect(listing.subdirectories == [0, 2])
        #expect(listing.entries.map(\.isDirectory) == [true, false, true])
    }

    @Test(
        arguments: [
            (Array("é漢🙂".utf8), true), ([0x80], false), ([0xC3], false), ([0xC0, 0xAF], false),
            ([0xED, 0xA0, 0x80], false), ([0xF4, 0x90, 0x80, 0x80], false), ([0x41, 0xFF], false),
        ] as [([UInt8], Bool)])
    func knowsWhatIsText(name: [UInt8], isText: Bool) {
        #expect(Self.listing([name]).entries[0].isText == isText)
        #expect(Self.listing([name + Array("/".utf8)]).entries[0].isText == isText)
    }

    @Test(arguments: [255, 4096, 65_500])
    func takesLongNames(count: Int) {
        let name = [UInt8](repeating: UInt8(ascii: "n"), count: count)
        #expect(
            Self.segments(Self.listing([name, name + Array("/".utf8)])) == [
                name, name + Array("/".utf8),
            ])
    }

    /// Names of few letters and some length, so that many begin alike, end within eight bytes or come twice.
    @Test(arguments: 0..<40)
    func sortsAsTheWholeNamesDo(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let letters: [UInt8] = [0x01, 0x2E, 0x30, 0x61, 0x7F, 0x80, 0xFF]
        let shared = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8(ascii: "s") }
        let names = (0..<Int.random(in: 0...300, using: &random)).map { _ in
            let own = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                letters[Int.random(in: 0..<min(letters.count, Int(seed % 7) + 1), using: &random)]
            }
            let name = shared + own + (shared.isEmpty && own.isEmpty ? [0x61] : [])
            return Bool.random(using: &random) ? name + Array("/".utf8) : name
        }
        let sorted = Set(names).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(Self.segments(Self.listing(names)) == sorted, "seed \(seed)")
    }

    @Test func aBuilderForgetsTheLastDirectory() {
        var builder = DirectoryListing.Builder(keepsAttributes: false)
        for names in [["b/", "a"], [], ["c"]] {
            for name in names {
                let isDirectory = name.last == "/"
                Array(name.utf8.filter { $0 != UInt8(ascii: "/") }).withUnsafeBytes {
                    builder.append(name: $0, isDirectory: isDirectory)
                }
            }
            let listing = builder.takeSorted()
            #expect(Self.text(listing) == names.sorted())
            #expect(listing.subdirectories.count == names.count { $0.last == "/" })
        }
    }

    @Test(
        arguments: [
            (Array("a b-é漢".utf8), true), (Array("\\".utf8), false), (Array("a\\".utf8), true),
            (Array("a\tb".utf8), false), (Array("a\n".utf8), false), (Array("\ra".utf8), false),
            ([0x61, 0xFF], false), ([0x01], true),
        ] as [([UInt8], Bool)])
    func knowsWhatIsPlain(name: [UInt8], isPlain: Bool) {
        #expect(Self.listing([name]).entries[0].isPlain == isPlain)
        #expect(Self.listing([name + Array("/".utf8)]).entries[0].isPlain == isPlain)
    }

    @Test func keepsAttributesThroughTheSort() {
        var builder = DirectoryListing.Builder(keepsAttributes: true)
        for number in [3, 1, 2] as [UInt8] {
            let attributes = FileAttributes(
                kind: .file, sizeBytes: Int64(number), modifiedSeconds: -Int64(number),
                changedSeconds: 0)
            [number].withUnsafeBytes {
                builder.append(name: $0, isDirectory: false, attributes: attributes)
            }
        }
        let listing = builder.takeSorted()
        #expect(
            listing.entries.map { listing.sizeAndTime(of: $0) }
                == [1, 2, 3].map {
                    SizeAndTime(sizeBytes: $0, modifiedSeconds: -$0)
                })
    }

    @Test func hasNoAttributesIfNotAsked() {
        let listing = Self.listing([[1]])
        #expect(listing.sizeAndTime(of: listing.entries[0]) == nil)
    }
}
