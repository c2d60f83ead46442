//! `manifest.json`: what is written is what is read, and what disagrees with itself is refused.

import Migration
import Testing

struct Contradiction: Sendable, CustomTestStringConvertible {
    let reason: String
    let change: @Sendable (inout Manifest) -> Void

    init(_ reason: String, change: @escaping @Sendable (inout Manifest) -> Void) {
        self.reason = reason
        self.change = change
    }

    var testDescription: String { reason }
}

struct ManifestTests {
    static let sample = Manifest(
        id: "f00d", program: "s3find 0.1.0", root: "/mnt/bucket",
        created: "2026-01-01T00:00:00Z", finished: "2026-01-01T00:01:00Z",
        filter: Manifest.Filter(laterThanDays: 1.5), complete: true, objects: 3, bytes: 30,
        columns: ["key", "size", "mtime"],
        chunks: [
            Manifest.Chunk(name: "keys-000001.list", lines: 2, bytes: 20, first: "a", last: "b"),
            Manifest.Chunk(name: "keys-000002.list", lines: 1, bytes: 9, first: "c/é", last: "c/é"),
        ])

    static func changed(_ change: (inout Manifest) -> Void) -> Manifest {
        var manifest = sample
        change(&manifest)
        return manifest
    }

    @Test func comesBackAsWritten() throws {
        let bare = Self.changed {
            $0.filter = Manifest.Filter()
            $0.bytes = nil
            $0.objects = 0
            $0.chunks = []
            $0.counts.fifos = 7
        }
        for manifest in [Self.sample, bare] {
            #expect(try Manifest(decoding: manifest.encoded()) == manifest)
        }
    }

    /// Behind its backslash an escaped key may stand anywhere in the order.
    @Test func comparesKeysNotTheirText() throws {
        let manifest = Self.changed { $0.chunks[0].last = "\\b\\tb" }
        #expect(try Manifest(decoding: manifest.encoded()) == manifest)
    }

    @Test func isReadableText() {
        let text = String(decoding: Self.sample.encoded(), as: UTF8.self)
        #expect(text.contains("\n  \"root\" : \"/mnt/bucket\",\n"))
        #expect(text.contains("\"laterThanDays\" : 1.5"))
        #expect(text.hasSuffix("}\n"))
    }

    @Test(arguments: [
        (1, "keys-000001.list"), (999_999, "keys-999999.list"), (1_000_000, "keys-1000000.list"),
    ])
    func numbersItsChunks(index: Int, name: String) {
        #expect(Manifest.chunkName(index) == name)
    }

    static let contradictions = [
        Contradiction("objects is 4, but the chunks have 3 lines") { $0.objects = 4 },
        Contradiction("objects is -1") { $0.objects = -1 },
        Contradiction("bytes is negative") { $0.bytes = -1 },
        Contradiction("first column") { $0.columns = ["size"] },
        Contradiction("first column") { $0.columns = [] },
        Contradiction("chunk 1 is called keys-000002.list") { $0.chunks.swapAt(0, 1) },
        Contradiction("chunk 2 is called ../x") { $0.chunks[1].name = "../x" },
        Contradiction("keys-000001.list has 0 lines") { $0.chunks[0].lines = 0 },
        Contradiction("more lines than bytes") { $0.chunks[0].bytes = 1 },
        Contradiction("the key : there is no key") { $0.chunks[1].last = "" },
        Contradiction("the key \\\\q: the escape") { $0.chunks[1].first = "\\\\q" },
        Contradiction("cannot have 2 lines from b to b") { $0.chunks[0].first = "b" },
        Contradiction("cannot have 2 lines from z to b") { $0.chunks[0].first = "z" },
        Contradiction("cannot have 1 lines from c to") { $0.chunks[1].first = "c" },
        Contradiction("begins before its forerunner ends") { $0.chunks[0].last = "d" },
        Contradiction("too many lines") {
            $0.chunks[0].lines = .max
            $0.chunks[0].bytes = .max
        },
    ]

    @Test(arguments: contradictions)
    func refusesContradictions(_ contradiction: Contradiction) {
        let error = #expect(throws: ManifestError.self) {
            try Manifest(decoding: Self.changed(contradiction.change).encoded())
        }
        #expect(error?.description.contains(contradiction.reason) == true, "\(error as Any)")
    }

    @Test(arguments: ["", "{", "[]", "{\"version\":1}", "{\"version\":\"1\"}", "\u{0}"])
    func refusesWhatIsNoManifest(text: String) {
        let error = #expect(throws: ManifestError.self) {
            try Manifest(decoding: Array(text.utf8))
        }
        #expect(error?.description.contains("damaged") == true, "\(error as Any)")
    }

    @Test func namesTheFieldThatIsMissing() {
        let text = String(decoding: Self.sample.encoded(), as: UTF8.self)
            .replacing("\"columns\"", with: "\"other\"")
        #expect(throws: ManifestError.unreadable("no columns")) {
            try Manifest(decoding: Array(text.utf8))
        }
    }

    @Test func refusesAnotherVersionWhateverElseItHas() {
        #expect(throws: ManifestError.unknownVersion(2)) {
            try Manifest(decoding: Array("{\"version\": 2, \"shards\": []}".utf8))
        }
    }
}
