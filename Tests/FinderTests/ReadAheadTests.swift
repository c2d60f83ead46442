//! The decisions of the reading ahead, without a thread.

import Testing

@testable import Finder

struct ReadAheadTests {
    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// A directory with these entries; those that end in a slash are directories.
    static func contents(_ names: String...) -> DirectoryContents {
        DirectoryContents(listing: DirectoryListingTests.listing(names.map { Array($0.utf8) }))
    }

    static let big = contents(String(repeating: "x", count: 5000))

    /// A plan whose writer has taken the root.
    static func begun(_ names: String..., bytesMax: Int = 1 << 20) -> ReadAhead {
        var plan = ReadAhead(bytesMax: bytesMax)
        let root = DirectoryContents(
            listing: DirectoryListingTests.listing(names.map { Array($0.utf8) }))
        #expect(plan.take([])?.isUnclaimed == true)
        plan.finish([], root)
        #expect(plan.take([])?.isUnclaimed == false)
        return plan
    }

    @Test func hasNoWorkBeforeTheRootIsRead() {
        var plan = ReadAhead(bytesMax: 1000)
        #expect(!plan.hasWork)
        #expect(plan.nextAssignment() == nil)
    }

    @Test func givesDirectoriesInKeyOrder() {
        var plan = Self.begun("b/", "a/", "a-b/")
        let order = ["a-b/", "a/", "b/"]
        for path in order { #expect(plan.nextAssignment() == .read(Self.bytes(path))) }
        #expect(plan.nextAssignment() == nil)
    }

    @Test func givesTheNearestFirstWhenALateOneComes() {
        var plan = Self.begun("a/", "b/", "c/")
        #expect(plan.nextAssignment() == .read(Self.bytes("a/")))
        #expect(plan.nextAssignment() == .read(Self.bytes("b/")))
        plan.finish(Self.bytes("b/"), Self.contents("y/", "z/"))
        #expect(plan.nextAssignment() == .read(Self.bytes("b/y/")))
        plan.finish(Self.bytes("a/"), Self.contents("x/"))
        let rest = ["a/x/", "b/z/", "c/"]
        for path in rest { #expect(plan.nextAssignment() == .read(Self.bytes(path))) }
        #expect(plan.nextAssignment() == nil)
    }

    @Test func theWriterWaitsForWhoHasBegun() {
        var plan = Self.begun("a/")
        #expect(plan.nextAssignment() == .read(Self.bytes("a/")))
        #expect(plan.take(Self.bytes("a/")) == nil)
        plan.finish(Self.bytes("a/"), Self.contents("f"))
        #expect(plan.take(Self.bytes("a/"))?.isUnclaimed == false)
    }

    @Test func theWriterReadsWhatNobodyHasBegun() {
        var plan = Self.begun("a/", "b/")
        #expect(plan.take(Self.bytes("a/"))?.isUnclaimed == true)
        // It is the writer's now: the readers get the next one.
        #expect(plan.nextAssignment() == .read(Self.bytes("b/")))
    }

    @Test func readersRestAtTheBoundUntilHalfIsTaken() {
        var plan = Self.begun("a/", "b/", "c/", "d/", bytesMax: 8000)
        #expect(plan.nextAssignment() == .read(Self.bytes("a/")))
        plan.finish(Self.bytes("a/"), Self.big)
        #expect(plan.nextAssignment() == .read(Self.bytes("b/")))
        plan.finish(Self.bytes("b/"), Self.big)
        #expect(plan.bytesDone > 8000)
        #expect(plan.nextAssignment() == nil)
        #expect(plan.take(Self.bytes("a/"))?.isUnclaimed == false)
        #expect(plan.nextAssignment() == nil, "more than half is still there")
        #expect(plan.take(Self.bytes("b/"))?.isUnclaimed == false)
        #expect(plan.bytesDone == 0)
        #expect(plan.nextAssignment() == .read(Self.bytes("c/")))
    }

    @Test func theWriterNeverRests() {
        var plan = Self.begun("a/", "b/", "c/", bytesMax: 1)
        // Reading the root has reached the bound, taking it has undone that.
        #expect(plan.nextAssignment() == .read(Self.bytes("a/")))
        plan.finish(Self.bytes("a/"), Self.contents("x/"))
        #expect(plan.nextAssignment() == nil)
        #expect(plan.take(Self.bytes("a/"))?.isUnclaimed == false)
        #expect(plan.take(Self.bytes("a/x/"))?.isUnclaimed == true)
    }

    @Test func stopsReaders() {
        var plan = Self.begun("a/")
        plan.stop()
        #expect(!plan.hasWork)
        #expect(plan.nextAssignment() == .end)
    }

    @Test func trapsWhenTheWriterIsLost() async {
        await #expect(processExitsWith: .failure) {
            var plan = ReadAheadTests.begun("a/", "b/")
            _ = plan.take(Array("b/".utf8))
        }
    }
}

extension ReadAhead.Answer {
    var isUnclaimed: Bool {
        if case .unclaimed = self { true } else { false }
    }
}
