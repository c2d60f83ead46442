//! From the source into the buffer: ranges, and all that servers make of them.

import Migration
import S3
import Testing

@Suite struct TransferReadingTests {
    private let mib = 1 << 20

    @Test func copiesASmallObjectWithTwoExchanges() throws {
        let object = TestObject("hello")
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .etag)
        #expect(outcome.sizeBytes == 5)
        #expect(outcome.etag?.text == object.etag)
        #expect(outcome.losses == [])
        #expect(outcome.elapsed == .milliseconds(2))
        #expect(play.transfer.wasDownloaded)
        #expect(play.header("range", of: 0) == "bytes=0-1048575")
        #expect(play.header("if-match", of: 0) == nil)
        #expect(play.buffer == object.bytes)
        #expect(play.hashCount == 0)
        #expect(play.orders[0].request.bucket == "from")
        #expect(play.orders[1].request.bucket == "to")
    }

    @Test func readsTheRestPinnedToTheObject() throws {
        let object = TestObject.sized(2 * mib + 17)
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.header("range", of: 1) == "bytes=1048576-2097168")
        #expect(play.header("if-match", of: 1) == "\"\(object.etag ?? "")\"")
        #expect(play.reservations == [Int64(mib), Int64(object.bytes.count)])
        #expect(play.buffer == object.bytes)
    }

    @Test(
        arguments: [
            (nil, 1 << 20), (0, 1 << 20), (5, 1 << 20), (3 << 20, 3 << 20), (64 << 20, 64 << 20),
            (1 << 40, 1 << 20),
        ] as [(Int64?, Int64)])
    func asksFirstForWhatTheListPromises(listed: Int64?, asked: Int64) throws {
        let object = TestObject("hello")
        var play = TransferPlay(listed: listed)
        _ = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(play.header("range", of: 0) == "bytes=0-\(asked - 1)")
        #expect(play.reservations == [asked])
    }

    @Test func believesTheServerAndNotTheList() throws {
        let object = TestObject.sized(mib + 5)
        var play = TransferPlay(listed: 7)
        let outcome = try play.outcome(
            get(sends(object)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.sizeBytes == Int64(mib + 5))
        #expect(play.buffer == object.bytes)
    }

    @Test(arguments: RangeManner.allCases)
    func takesASmallObjectHoweverItIsSent(manner: RangeManner) throws {
        let object = TestObject("hello")
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object, manner)), put(takes(etag: object.etag)))
        #expect(outcome.proof == .etag)
        #expect(play.buffer == object.bytes)
    }

    @Test func takesPartsThatAreCalledWhole() throws {
        let object = TestObject.sized(mib + 100)
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(object, .partialAs200)), get(sends(object, .partialAs200)),
            put(takes(etag: object.etag)))
        #expect(play.buffer == object.bytes)
    }

    @Test func asksForAllWhereRangesAreIgnored() throws {
        let object = TestObject.sized(3 * mib)
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object, .whole)), get(sends(object, .whole)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.orders[1].range == nil)
        #expect(play.header("if-match", of: 1) == "\"\(object.etag ?? "")\"")
        #expect(play.reservations == [Int64(mib), Int64(3 * mib)])
        #expect(play.buffer == object.bytes)
    }

    @Test func asksForAllWhereALaterRangeIsIgnored() throws {
        let object = TestObject.sized(2 * mib)
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(object)), get(sends(object, .whole)), get(sends(object, .whole)),
            put(takes(etag: object.etag)))
        #expect(play.orders[2].range == nil)
        #expect(play.buffer == object.bytes)
    }

    @Test func goesOnWhereAServerSendsLessThanWasAsked() throws {
        let object = TestObject.sized(1000)
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(object, atMost: 400)), get(sends(object, atMost: 400)), get(sends(object)),
            put(takes(etag: object.etag)))
        #expect(play.header("range", of: 2) == "bytes=800-999")
        #expect(play.buffer == object.bytes)
    }

    @Test func readsAnEmptyObjectWithoutARange() throws {
        let object = TestObject("")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(outcome.sizeBytes == 0)
        #expect(outcome.proof == .etag)
        #expect(play.orders[1].range == nil)
    }

    @Test func readsAnObjectThatIsNoLongerEmpty() throws {
        let object = TestObject.sized(2 * mib)
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(TestObject(""))), get(sends(object)), get(sends(object)),
            get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.waits.count == 1)
        #expect(play.buffer == object.bytes)
    }

    // MARK: - Gone, or not to be had

    @Test func skipsAnObjectThatIsGone() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(refuses(404, "NoSuchKey")))
        #expect(outcome.kind == .skippedSource)
        #expect(!play.transfer.wasDownloaded)
    }

    /// Only the words say that the object is gone: such a 404 can be a proxy's, or a wrong path's.
    @Test(arguments: [nil, "NoSuchVersion", "NotFound"] as [String?])
    func failsAtAnyOther404(code: String?) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(refuses(404, code)))
        #expect(outcome.failure?.words == "get refused")
        #expect(outcome.failure?.status == 404)
        #expect(outcome.failure?.code == code)
    }

    @Test func failsAtAnHTMLPageWithItsWords() throws {
        var play = TransferPlay()
        let page = reply(404, [], Array("<html>no such page</html>".utf8))
        let outcome = try play.outcome(get(page))
        #expect(outcome.failure?.message.contains("no such page") == true)
    }

    @Test func stopsTheRunWhereTheBucketIsGone() throws {
        var play = TransferPlay()
        guard case .stoppedRun(let failure) = try play.play([get(refuses(404, "NoSuchBucket"))])
        else { throw PlayError("the run goes on") }
        #expect(failure.words == "get fatal")
        #expect(failure.stage.side == .source)
    }

    @Test func refusesWhatIsTooLargeBeforeItIsRead() throws {
        var rules = TransferRules.play
        rules.wholeObjectBytesMax = 2_000_000
        for manner in RangeManner.allCases {
            var play = TransferPlay(rules)
            let outcome = try play.outcome(get(sends(.sized(2_000_001), manner)))
            #expect(outcome.failure?.words == "get too-large")
            #expect(outcome.sizeBytes == 2_000_001)
            #expect(outcome.failure?.message.contains("--multipart-threshold") == true)
        }
        var play = TransferPlay(rules)
        let object = TestObject.sized(2_000_000)
        #expect(
            try play.outcome(get(sends(object)), get(sends(object)), put(takes(etag: object.etag)))
                .kind == .copied)
    }

    @Test func marksMetadataThatTheSourceCannotSend() throws {
        let object = TestObject("x").with(header: "x-amz-missing-meta", "2")
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.losses == .metadata)
    }

    // MARK: - Answers that cannot be right

    static let badAnswers: [(String, [(String, String)], [UInt8])] = [
        (
            "another range", [("content-range", "bytes 3-7/100"), ("content-length", "5")],
            [1, 2, 3, 4, 5]
        ),
        ("no Content-Range", [("content-length", "5")], [1, 2, 3, 4, 5]),
        ("fewer bytes", [("content-range", "bytes 0-4/5")], [1, 2, 3, 4]),
        ("more bytes", [("content-range", "bytes 0-4/5")], [1, 2, 3, 4, 5, 6]),
        ("an unknown size", [("content-range", "bytes 0-4/*")], [1, 2, 3, 4, 5]),
        (
            "contradicting lengths", [("content-range", "bytes 0-4/5"), ("content-length", "4")],
            [1]
        ),
    ]

    @Test(arguments: badAnswers)
    func readsAgainAfterABadAnswer(
        name: String, headers: [(String, String)], body: [UInt8]
    ) throws {
        let object = TestObject("hello")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(reply(206, headers, body)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied, "\(name)")
        #expect(play.buffer.prefix(5) == object.bytes[...])
        var hopeless = TransferPlay(.play(retries: 1))
        let failed = try hopeless.outcome(
            get(reply(206, headers, body)), get(reply(206, headers, body)))
        #expect(failed.failure?.words == "get bad-answer")
    }

    @Test func doesNotTakeAnErrorFor200() throws {
        let object = TestObject("hello")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(reply(204)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
    }

    // MARK: - Memory and broken connections

    @Test func readsFromTheBeginningWhenTheBufferWasLost() throws {
        let object = TestObject.sized(2 * mib)
        var play = TransferPlay()
        play.grantsKeep = [false, false]
        let outcome = try play.outcome(
            get(sends(object)), get(sends(object)), put(takes(etag: object.etag)))
        #expect(play.header("range", of: 1) == "bytes=0-2097151")
        #expect(play.header("if-match", of: 1) == "\"\(object.etag ?? "")\"")
        #expect(play.buffer == object.bytes)
        #expect(outcome.kind == .copied)
    }

    @Test func goesOnBehindWhatItHasAfterABrokenConnection() throws {
        let object = TestObject.sized(3 * mib)
        var play = TransferPlay()
        _ = try play.outcome(
            get(breaks()), get(sends(object)), get(breaks(.stalled)), get(refuses(503, "SlowDown")),
            get(sends(object)), put(takes(etag: object.etag)))
        #expect(play.header("range", of: 1) == "bytes=0-1048575")
        for index in 2...4 { #expect(play.header("range", of: index) == "bytes=1048576-3145727") }
        #expect(play.buffer == object.bytes)
        #expect(play.waits.count == 3)
    }
}

/// A source that is written while it is read.
@Suite struct TransferChangeTests {
    private static let mib = 1 << 20
    private static let first = TestObject.sized(2 * mib)
    private static let second = TestObject.sized(2 * mib, salt: 7)

    /// The ways in which the second answer tells that the object is another one.
    static let signs: [(String, Scripted.Answer)] = [
        ("412", refuses(412, "PreconditionFailed")),
        ("another ETag", sends(second)),
        ("another size", sends(TestObject(first.bytes + [0], etag: first.etag))),
        ("another time", sends(later(first))),
        ("shorter", sends(TestObject("short"))),
    ]

    private static func later(_ object: TestObject) -> TestObject {
        var object = object
        object.lastModified = "Thu, 01 Jan 2026 00:00:01 GMT"
        return object
    }

    @Test(arguments: signs)
    func beginsAgainAndMixesNothing(name: String, sign: @escaping Scripted.Answer) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(Self.first)), get(sign), get(sends(Self.second)), get(sends(Self.second)),
            put(takes(etag: Self.second.etag)))
        #expect(outcome.proof == .etag, "\(name)")
        #expect(outcome.etag?.text == Self.second.etag)
        #expect(play.buffer == Self.second.bytes)
        #expect(play.header("if-match", of: 2) == nil)
        #expect(play.header("range", of: 2) == "bytes=0-1048575")
    }

    @Test func givesUpAfterFiveRestarts() throws {
        var play = TransferPlay()
        let round = [get(sends(Self.first)), get(refuses(412, "PreconditionFailed"))]
        let outcome = try play.outcome(of: (0...Limits.restartsMax).flatMap { _ in round })
        #expect(outcome.failure?.words == "get changed")
        #expect(play.waits.count == Limits.restartsMax)
        #expect(outcome.failure?.attempts == Limits.restartsMax + 1)
    }

    /// Failures between the restarts neither add to them nor forget them.
    @Test func countsRestartsThroughOtherFailures() throws {
        var play = TransferPlay()
        let round = [
            get(breaks()), get(sends(Self.first)), get(breaks()),
            get(refuses(412, "PreconditionFailed")),
        ]
        let outcome = try play.outcome(of: (0...Limits.restartsMax).flatMap { _ in round })
        #expect(outcome.failure?.words == "get changed")
    }

    @Test func forgetsTheTagsOfTheObjectThatWas() throws {
        let tagged = Self.first.with(header: "x-amz-tagging-count", "1")
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(tagged)), get(sends(tagged)), getTags(hasTags([("a", "1")])),
            put(refuses(503)).taking(.seconds(2)), headSource(shows(Self.second)),
            get(sends(Self.second)), get(sends(Self.second)), put(takes(etag: Self.second.etag)))
        #expect(play.header("x-amz-tagging", of: 3) == "a=1")
        #expect(play.header("x-amz-tagging", of: 7) == nil)
    }
}
