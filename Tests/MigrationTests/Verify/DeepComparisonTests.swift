//! What a verification says of an object that it reads at both sides.

import Migration
import S3
import Testing

@Suite struct DeepComparisonTests {
    private let object = TestObject.sized(2500)

    private func deep(retries: Int = 2) -> ComparisonPlay {
        ComparisonPlay(.content, pieceBytes: 1000, retries: retries)
    }

    /// One piece from both sides.
    private func piece(_ source: TestObject, _ target: TestObject) -> [Scripted] {
        [get(sends(source)), getTarget(sends(target))]
    }

    private func pieces(_ source: TestObject, _ target: TestObject, _ count: Int) -> [Scripted] {
        (0..<count).flatMap { _ in piece(source, target) }
    }

    @Test func readsBothPieceByPiece() throws {
        var play = deep()
        let outcome = try play.outcome(of: looks(object, object) + pieces(object, object, 3))
        #expect(outcome.kind == .same)
        #expect(outcome.proof == .sha256)
        let gets = play.orders.dropFirst(2)
        #expect(
            gets.compactMap { $0.request.headers["range"] } == [
                "bytes=0-999", "bytes=0-999", "bytes=1000-1999", "bytes=1000-1999",
                "bytes=2000-2499", "bytes=2000-2499",
            ])
        #expect(gets.allSatisfy { $0.request.headers["if-match"] == "\"\(object.etag ?? "")\"" })
        #expect(play.reservations == [1000, 1000, 1000, 1000, 500, 500])
    }

    @Test func readsNothingOfAnEmptyObject() throws {
        var play = deep()
        let empty = TestObject([])
        #expect(try play.outcome(of: looks(empty, empty)).proof == .sha256)
    }

    @Test func theBytesDecideAndNotTheETags() throws {
        var play = deep()
        let other = object.with(etag: md5Text([1]))
        let outcome = try play.outcome(of: looks(object, other) + pieces(object, other, 3))
        #expect(outcome.kind == .same)
        #expect(outcome.etag?.text == other.etag)
    }

    /// The second look begins at the piece that was other: the ones before it were the same, of these very objects.
    @Test func findsABitThatWasFlippedBehindAnETag() throws {
        var play = deep()
        let rotten = object.flipped(at: 1700)
        let outcome = try play.outcome(
            of: looks(object, rotten) + pieces(object, rotten, 2) + looks(object, rotten)
                + piece(object, rotten))
        #expect(outcome.kind == .differs)
        #expect(outcome.failure?.words == "verify content")
        #expect(outcome.failure?.message.hasPrefix("the bytes 1000-1999 of 2500") == true)
        #expect(play.waits.count == 1)
    }

    /// A bit that was flipped on the way, once, is not the object's.
    @Test func readsAgainWhatCameOtherOnce() throws {
        var play = deep()
        let flipped = object.flipped(at: 0)
        let outcome = try play.outcome(
            of: looks(object, object) + piece(object, flipped) + looks(object, object)
                + pieces(object, object, 3))
        #expect(outcome.kind == .same)
    }

    @Test func beginsAnewWithAnotherObject() throws {
        var play = deep()
        let new = TestObject.sized(1500, salt: 3)
        let outcome = try play.outcome(
            of: looks(object, object) + piece(object, object)
                + [get(refuses(412, "PreconditionFailed"))]
                + looks(new, new) + pieces(new, new, 2))
        #expect(outcome.kind == .same)
        #expect(outcome.sizeBytes == 1500)
    }

    static let changes: [Scripted.Answer] = [
        refuses(412), refuses(416), refuses(404, "NoSuchKey"),
        sends(TestObject(Array(repeating: 7, count: 2500))),
        sends(TestObject.sized(2500).with(lastModified: "Fri, 02 Jan 2026 00:00:00 GMT")),
    ]

    @Test(arguments: changes.indices, [Side.source, .target])
    func looksAgainAtWhatChanges(change: Int, side: Side) throws {
        var play = deep()
        let answer = DeepComparisonTests.changes[change]
        let blow = side == .source ? [get(answer)] : [get(sends(object)), getTarget(answer)]
        let outcome = try play.outcome(
            of: looks(object, object) + blow + looks(object, object) + pieces(object, object, 3))
        #expect(outcome.kind == .same)
    }

    @Test func givesUpWhatAlwaysChanges() throws {
        var play = deep(retries: 10)
        let round = looks(object, object) + [get(sends(object)), getTarget(refuses(412))]
        let script = (0...Limits.restartsMax).flatMap { _ in round }
        #expect(try play.outcome(of: script).failure?.words == "verify-target changed")
    }

    @Test func triesAgain() throws {
        var play = deep()
        let outcome = try play.outcome(
            of: looks(object, object) + [
                get(breaks()), get(sends(object)), getTarget(refuses(503)),
                getTarget(sends(object, atMost: 10)), getTarget(sends(object)),
            ] + pieces(object, object, 2))
        #expect(outcome.kind == .same)
        #expect(play.waits.count == 3)
    }

    @Test(arguments: [RangeManner.whole, .partialAs200])
    func takesAnyAnswerWithTheBytesThatItWants(manner: RangeManner) throws {
        var play = deep()
        let small = TestObject("small")
        let outcome = try play.outcome(
            of: looks(small, small) + [get(sends(small, manner)), getTarget(sends(small, manner))])
        #expect(outcome.proof == .sha256)
    }

    @Test func saysThatRangesAreIgnored() throws {
        var play = deep()
        let outcome = try play.outcome(of: looks(object, object) + [get(sends(object, .whole))])
        #expect(outcome.failure?.words == "verify-source refused")
        #expect(outcome.failure?.message.contains("--part-size") == true)
    }

    @Test(arguments: [(403, "AccessDenied", "denied"), (403, "InvalidObjectState", "archived")])
    func givesUpWhatCannotBeRead(status: Int, code: String, faultClass: String) throws {
        var play = deep()
        let outcome = try play.outcome(of: looks(object, object) + [get(refuses(status, code))])
        #expect(outcome.failure?.words == "verify-source \(faultClass)")
    }

    @Test func theSizeAndTheMetadataComeFirst() throws {
        var play = deep()
        let short = TestObject.sized(2400)
        let outcome = try play.outcome(of: looks(object, short) + looks(object, short))
        #expect(outcome.failure?.words == "verify size")
    }
}
