//! The decisions of the reading ahead, without a thread.

import Testing

@testable import Finder

struct ReadAheadTests {
    /// A directory with these entries; those that end in a slash are directories.
    static func contents(_ names: [String]) -> DirectoryContents {
        DirectoryContents(listing: DirectoryListingTests.listing(names.map { Array($0.utf8) }))
    }

    static let bigName = String(repeating: "x", count: 5000)

    /// A plan with what the threads around it know: which child or branch a path is.
    struct Plan {
        var ahead: ReadAhead
        private(set) var children: [String: ReadAhead.Child] = [:]
        private(set) var branches: [String: Int] = [:]

        /// The writer has read the root.
        init(_ names: String..., bytesMax: Int = 1 << 20) {
            ahead = ReadAhead(bytesMax: bytesMax)
            branches[""] = ahead.begin(with: contents(names)).branch
        }

        /// What a reader is given.
        mutating func claim() -> String? {
            var bytes = Array("what was read before".utf8)
            guard case .read(let child)? = ahead.nextAssignment(path: &bytes) else { return nil }
            let path = String(decoding: bytes, as: UTF8.self)
            children[path] = child
            return path
        }

        mutating func finish(_ path: String, _ names: String...) throws {
            let child = try #require(children[path])
            ahead.finish(child, path: Array(path.utf8), contents(names))
        }

        /// What the writer is given for a subdirectory: how many directories, 0 if it reads it, nil if it waits.
        mutating func take(_ path: String, of parent: String = "", _ ordinal: Int) throws -> Int? {
            let child = ReadAhead.Child(branch: try #require(branches[parent]), ordinal: ordinal)
            switch ahead.take(child) {
            case nil: return nil
            case .unclaimed:
                children[path] = child
                return 0
            case .directories(let directories):
                branches[path] = directories.last?.branch
                return directories.count
            }
        }
    }

    @Test func hasNoWorkBeforeTheRootIsRead() {
        var ahead = ReadAhead(bytesMax: 1000)
        #expect(!ahead.hasWork)
        var path: [UInt8] = []
        #expect(ahead.nextAssignment(path: &path) == nil)
    }

    @Test func givesDirectoriesInKeyOrder() {
        var plan = Plan("b/", "a/", "a-b/")
        for path in ["a-b/", "a/", "b/", nil] { #expect(plan.claim() == path) }
    }

    @Test func givesTheNearestFirstWhenALateOneComes() throws {
        var plan = Plan("a/", "b/", "c/")
        #expect(plan.claim() == "a/")
        #expect(plan.claim() == "b/")
        try plan.finish("b/", "y/", "z/")
        #expect(plan.claim() == "b/y/")
        try plan.finish("a/", "x/")
        for path in ["a/x/", "b/z/", "c/", nil] { #expect(plan.claim() == path) }
    }

    @Test func theWriterWaitsForWhoHasBegun() throws {
        var plan = Plan("a/")
        #expect(plan.claim() == "a/")
        #expect(try plan.take("a/", 0) == nil)
        try plan.finish("a/", "f")
        #expect(try plan.take("a/", 0) == 1)
    }

    @Test func theWriterReadsWhatNobodyHasBegun() throws {
        var plan = Plan("a/", "b/")
        #expect(try plan.take("a/", 0) == 0)
        // It is the writer's now: the readers get the next one.
        #expect(plan.claim() == "b/")
        try plan.finish("a/", "f")
        #expect(try plan.take("a/", 0) == 1)
    }

    @Test func theWriterTakesNeighboursUpToWhatIsNotReadOrIsDeeper() throws {
        var plan = Plan("a/", "b/", "c/", "d/", "e/")
        for path in ["a/", "b/", "c/", "d/", "e/"] { #expect(plan.claim() == path) }
        for path in ["a/", "b/", "d/"] { try plan.finish(path, "f") }
        #expect(try plan.take("b/", 0) == 2)
        try plan.finish("c/", "f", "sub/")
        #expect(try plan.take("c/", 2) == 1, "c/sub/ comes before d/")
        #expect(try plan.take("c/sub/", of: "c/", 0) == 0)
        try plan.finish("c/sub/")
        #expect(try plan.take("c/sub/", of: "c/", 0) == 1)
        try plan.finish("e/")
        #expect(try plan.take("e/", 3) == 2)
        #expect(plan.ahead.bytesDone == 0)
    }

    @Test func theWriterTakesFewLargeNeighbours() throws {
        var plan = Plan("a/", "b/", "c/")
        let large = (0..<10_000).map { "file-\($0)" }
        for path in ["a/", "b/", "c/"] {
            #expect(plan.claim() == path)
            plan.ahead.finish(
                try #require(plan.children[path]), path: Array(path.utf8), Self.contents(large))
        }
        #expect(try plan.take("a/", 0) == 1)
        #expect(plan.ahead.bytesDone > 0)
    }

    @Test func theWriterIsWokenForWhatItWaitsForWhenNothingElseIsUnderWay() throws {
        var plan = Plan("a/", "b/", "c/")
        for path in ["a/", "b/", "c/"] { #expect(plan.claim() == path) }
        #expect(!plan.ahead.shouldWakeWriter, "it does not wait")
        #expect(try plan.take("a/", 0) == nil)
        try plan.finish("b/", "f")
        #expect(!plan.ahead.shouldWakeWriter, "it waits for another")
        try plan.finish("a/", "f")
        #expect(!plan.ahead.shouldWakeWriter, "more will come soon")
        try plan.finish("c/", "f")
        #expect(plan.ahead.shouldWakeWriter)
        #expect(try plan.take("a/", 0) == 3)
        #expect(!plan.ahead.shouldWakeWriter)
    }

    @Test func theWriterIsWokenForMuch() throws {
        var plan = Plan("a/", "b/")
        #expect(plan.claim() == "a/")
        #expect(plan.claim() == "b/")
        #expect(try plan.take("a/", 0) == nil)
        let much = (0..<10_000).map { "file-\($0)" }
        plan.ahead.finish(
            try #require(plan.children["a/"]), path: Array("a/".utf8), Self.contents(much))
        #expect(plan.ahead.shouldWakeWriter, "though b/ is still being read")
    }

    @Test func readersRestAtTheBoundUntilHalfIsTaken() throws {
        var plan = Plan("a/", "b/", "c/", "d/", bytesMax: 8000)
        #expect(plan.claim() == "a/")
        try plan.finish("a/", Self.bigName, "sub/")
        #expect(plan.claim() == "a/sub/")
        try plan.finish("a/sub/", Self.bigName)
        #expect(plan.ahead.bytesDone > 8000)
        #expect(plan.claim() == nil)
        #expect(try plan.take("a/", 0) == 1)
        #expect(plan.claim() == nil, "more than half is still there")
        #expect(try plan.take("a/sub/", of: "a/", 0) == 1)
        #expect(plan.ahead.bytesDone == 0)
        #expect(plan.claim() == "b/")
    }

    @Test func theWriterNeverRests() throws {
        var plan = Plan("a/", "b/", "c/", bytesMax: 1)
        #expect(plan.claim() == "a/")
        #expect(try plan.take("a/", 0) == nil)
        try plan.finish("a/", "x/")
        #expect(plan.ahead.shouldWakeWriter)
        #expect(plan.claim() == nil)
        #expect(try plan.take("a/", 0) == 1)
        #expect(try plan.take("a/x/", of: "a/", 0) == 0)
    }

    @Test func stopsReaders() {
        var plan = Plan("a/")
        plan.ahead.stop()
        #expect(!plan.ahead.hasWork)
        var path: [UInt8] = []
        #expect(plan.ahead.nextAssignment(path: &path) == .end)
    }

    @Test func trapsWhenTheWriterIsLost() async {
        await #expect(processExitsWith: .failure) {
            var plan = ReadAheadTests.Plan("a/", "b/")
            _ = try plan.take("b/", 1)
        }
    }
}
