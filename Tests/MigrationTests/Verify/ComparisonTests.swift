//! What a verification says of an object without reading it: each word, and that a difference is looked at twice.

import Migration
import S3
import Testing

@Suite struct ComparisonTests {
    private let object = TestObject("hello")
    private let gone = refuses(404, "NoSuchKey")

    // MARK: - The same

    @Test func saysWhatIsTheSame() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(of: looks(object, object))
        #expect(outcome.kind == .same)
        #expect(outcome.sizeBytes == 5)
        #expect(outcome.etag?.text == object.etag)
        #expect(outcome.proof == .etag)
        #expect(outcome.losses == [])
        #expect(play.waits.isEmpty)
        #expect(play.wasCounted)
        #expect(outcome.elapsed == .milliseconds(2))
    }

    @Test func lastModifiedIsEachSidesOwn() throws {
        var play = ComparisonPlay()
        let later = object.with(lastModified: "Fri, 02 Jan 2026 00:00:00 GMT")
        #expect(try play.outcome(of: looks(object, later)).kind == .same)
    }

    static let silentTags: [(String?, String?)] = [
        (nil, md5Text([1])), (md5Text([1]), nil), (nil, nil),
        (partsETag, md5Text([1])), (md5Text([1]), partsETag),
        (partsETag, "ffffffffffffffffffffffffffffffff-7"), ("abc", "abd"), ("abc", "abc"),
        ("00000000000000000000000000000000-1", "00000000000000000000000000000000-1"),
        ("00000000000000000000000000000000", md5Text([1])),
    ]

    /// ETags that are no digests of one kind prove nothing, either way.
    @Test(arguments: silentTags)
    func isUnprovedWhereETagsSayNothing(source: String?, target: String?) throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: looks(object.with(etag: source), object.with(etag: target)))
        #expect(outcome.kind == .same)
        #expect(outcome.proof == .size)
    }

    @Test(arguments: [partsETag, md5Text([7])])
    func isProvedByEqualETags(etag: String) throws {
        var play = ComparisonPlay()
        let same = object.with(etag: etag)
        #expect(try play.outcome(of: looks(same, same)).proof == .etag)
    }

    @Test(arguments: [true, false])
    func anETagUnderAKeyOfKMSIsNoMD5(isSource: Bool) throws {
        let sealed = object.with(etag: md5Text([9])).with(
            header: "x-amz-server-side-encryption", "aws:kms")
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: isSource ? looks(sealed, object) : looks(object, sealed))
        #expect(outcome.kind == .same)
        #expect(outcome.proof == .size)
    }

    // MARK: - Differences

    /// The same difference seen twice, some time apart.
    private func difference(_ source: TestObject, _ target: TestObject) throws -> Outcome {
        var play = ComparisonPlay()
        let outcome = try play.outcome(of: looks(source, target) + looks(source, target))
        #expect(play.waits == [.milliseconds(100)])
        #expect(play.wasCounted)
        #expect(outcome.failure?.ourETag == nil, "it is no object of ours")
        return outcome
    }

    @Test func saysThatTheSizesDiffer() throws {
        let outcome = try difference(object, TestObject("hell"))
        #expect(outcome.kind == .differs)
        #expect(outcome.failure?.words == "verify size")
        #expect(
            outcome.failure?.message.hasPrefix("5 bytes at the source, 4 at the target") == true)
        #expect(outcome.proof == nil)
    }

    @Test func saysThatTheETagsDiffer() throws {
        let other = TestObject("hallo")
        let outcome = try difference(object, other)
        #expect(outcome.failure?.words == "verify etag")
        for word in [object.etag, other.etag, "--deep"] {
            #expect(outcome.failure?.message.contains(word ?? "?") == true)
        }
        #expect(outcome.etag?.text == other.etag)
    }

    static let metadata: [(String, [(String, String)], [(String, String)])] = [
        (
            "x-amz-meta-a: 'v' at the source, 'w' at the target", [("x-amz-meta-a", "v")],
            [("x-amz-meta-a", "w")]
        ),
        ("x-amz-meta-a: 'v' at the source, nothing at the target", [("x-amz-meta-a", "v")], []),
        ("x-amz-meta-a: nothing at the source, 'v' at the target", [], [("x-amz-meta-a", "v")]),
        (
            "content-encoding: 'gzip' at the source, nothing at the target",
            [("content-encoding", "gzip")], []
        ),
        (
            "x-amz-meta-a: 'v, w' at the source, 'v' at the target",
            [("x-amz-meta-a", "v"), ("x-amz-meta-a", "w")], [("x-amz-meta-a", "v")]
        ),
        (
            "content-type: 'text/plain' at the source, 'text/plain, x/y' at the target", [],
            [("content-type", "x/y")]
        ),
    ]

    @Test(arguments: metadata)
    func saysThatTheMetadataDiffer(
        message: String, source: [(String, String)], target: [(String, String)]
    ) throws {
        func with(_ headers: [(String, String)]) -> TestObject {
            headers.reduce(object) { $0.with(header: $1.0, $1.1) }
        }
        let outcome = try difference(with(source), with(target))
        #expect(outcome.failure?.words == "verify metadata")
        #expect(outcome.failure?.message == message)
    }

    static let equalMetadata: [([(String, String)], [(String, String)])] = [
        (
            [("x-amz-meta-a", "1"), ("x-amz-meta-b", "2")],
            [("x-amz-meta-b", "2"), ("x-amz-meta-a", "1")]
        ),
        // What a copy has whose source has no type, and what travels with no object.
        ([], [("content-type", "binary/octet-stream")]),
        ([("content-type", "")], [("content-type", "binary/octet-stream")]),
        ([("x-amz-request-id", "1")], [("server", "x")]),
        ([("content-encoding", "aws-chunked")], []),
    ]

    @Test(arguments: equalMetadata)
    func takesMetadataForEqual(source: [(String, String)], target: [(String, String)]) throws {
        var bare = object
        bare.headers = []
        var play = ComparisonPlay()
        let (one, other) = (
            source.reduce(bare) { $0.with(header: $1.0, $1.1) },
            target.reduce(bare) { $0.with(header: $1.0, $1.1) }
        )
        #expect(try play.outcome(of: looks(one, other)).kind == .same)
    }

    @Test func marksMetadataThatTheSourceCannotSend() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: looks(object.with(header: "x-amz-missing-meta", "1"), object))
        #expect(outcome.kind == .same)
        #expect(outcome.losses == .metadata)
    }

    // MARK: - Absent

    @Test func saysThatTheTargetHasNothing() throws {
        var play = ComparisonPlay()
        let look = [headSource(shows(object)), headTarget(refuses(404))]
        let outcome = try play.outcome(of: look + look)
        #expect(outcome.kind == .missing)
        #expect(outcome.sizeBytes == 5)
        #expect(outcome.etag == nil)
        #expect(outcome.failure?.words == "verify missing")
    }

    /// A HEAD has no words for what is not there.
    @Test func saysThatBothHaveNothing() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            headSource(refuses(404)), get(gone), headTarget(refuses(404)))
        #expect(outcome.kind == .gone)
        #expect(outcome.failure == nil)
        #expect(play.orders[1].request.headers["range"] == "bytes=0-0")
        #expect(play.orders[1].sink == .object(offset: 0, capacity: 1))
    }

    @Test func saysThatOnlyTheTargetHasIt() throws {
        var play = ComparisonPlay()
        let look = [headSource(refuses(404)), get(gone), headTarget(shows(object))]
        let outcome = try play.outcome(of: look + look)
        #expect(outcome.kind == .extra)
        #expect(outcome.failure == nil)
        #expect(outcome.etag?.text == object.etag)
        #expect(outcome.sizeBytes == 5)
    }

    @Test func anyOther404IsNotBelieved() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(headSource(refuses(404)), get(refuses(404)))
        #expect(outcome.failure?.words == "verify-source refused")
        var run = ComparisonPlay()
        let ending = try run.play([headSource(refuses(404)), get(refuses(404, "NoSuchBucket"))])
        guard case .failure(let failure) = ending else { throw PlayError("the run goes on") }
        #expect(failure.words == "verify-source fatal")
    }

    @Test func takesBackWhatItsFirstByteShows() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: [headSource(refuses(404)), get(sends(object))] + looks(object, object))
        #expect(outcome.kind == .same)
    }

    // MARK: - Clients

    @Test func aWriteBetweenTheTwoQuestionsIsNoDifference() throws {
        var play = ComparisonPlay()
        let new = TestObject("written by a client")
        #expect(try play.outcome(of: looks(object, new) + looks(new, new)).kind == .same)
    }

    @Test func aDeleteBetweenTheTwoQuestionsIsNoLoss() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            headSource(shows(object)), headTarget(refuses(404)),
            headSource(refuses(404)), get(gone), headTarget(refuses(404)))
        #expect(outcome.kind == .gone)
    }

    /// Two different differences in a row are none yet.
    @Test func onlyTheSameDifferenceCounts() throws {
        var play = ComparisonPlay()
        let (one, two) = (TestObject("one"), TestObject("22"))
        let outcome = try play.outcome(
            of: looks(object, one) + looks(object, two) + looks(object, two))
        #expect(outcome.failure?.words == "verify size")
        #expect(outcome.failure?.message.contains("2 at the target") == true)
    }

    /// The same words about another write are no second look at the first.
    @Test func theSameDifferenceOfAnotherWriteDoesNotCount() throws {
        var play = ComparisonPlay()
        let other = TestObject("hell")
        let later = other.with(lastModified: "Fri, 02 Jan 2026 00:00:00 GMT")
        let outcome = try play.outcome(
            of: looks(object, other) + looks(object, later)
                + looks(object, later))
        #expect(outcome.failure?.words == "verify size")
    }

    @Test func givesUpAnObjectThatNeverRests() throws {
        var play = ComparisonPlay(retries: 10)
        let script = (0...(Limits.restartsMax + 1)).flatMap {
            looks(object, TestObject(String(repeating: "x", count: 10 + $0)))
        }
        let outcome = try play.outcome(of: script)
        #expect(outcome.kind == .failed)
        #expect(outcome.failure?.words == "verify-source changed")
        #expect(!play.wasCounted)
    }

    // MARK: - Tags

    private func tagged(_ count: Int) -> TestObject {
        object.with(header: "x-amz-tagging-count", "\(count)")
    }

    @Test(arguments: [(1, 1), (1, 0), (0, 1)])
    func comparesTagsWhereASideHasSome(source: Int, target: Int) throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: looks(tagged(source), tagged(target)) + [
                getTags(hasTags([("a", "1"), ("b", "2")])),
                getTargetTags(hasTags([("b", "2"), ("a", "1")])),
            ])
        #expect(outcome.kind == .same)
    }

    @Test func saysThatTheTagsDiffer() throws {
        var play = ComparisonPlay()
        let look =
            looks(tagged(1), tagged(1)) + [
                getTags(hasTags([("a", "1")])), getTargetTags(hasTags([("a", "2")])),
            ]
        let outcome = try play.outcome(of: look + look)
        #expect(outcome.failure?.words == "verify tags")
        #expect(outcome.failure?.message == "tags: a=1 at the source, a=2 at the target")
        #expect(outcome.losses == [])
    }

    /// It refuses the question, or takes it for another one.
    @Test(arguments: [refuses(501, "NotImplemented"), reply(200, [], Array("the body".utf8))])
    func saysThatTheTagsAreLost(answer: @escaping Scripted.Answer) throws {
        var play = ComparisonPlay()
        let look =
            looks(tagged(1), object) + [
                getTags(hasTags([("a", "1")])), getTargetTags(answer),
            ]
        let outcome = try play.outcome(of: look + look)
        #expect(outcome.failure?.words == "verify tags")
        #expect(outcome.losses == .tags)
    }

    @Test func readsTagsAgainThatCameSpoilt() throws {
        var play = ComparisonPlay()
        let tags = hasTags([("a", "1")])
        let outcome = try play.outcome(
            of: looks(tagged(1), tagged(1)) + [
                getTags(reply(200)), getTags(tags), getTargetTags(reply(200)),
                getTargetTags(refuses(200, "InternalError")), getTargetTags(tags),
            ])
        #expect(outcome.kind == .same)
        #expect(play.waits.count == 3)
    }

    @Test func cannotCompareTagsThatTheSourceKeepsBack() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            of: looks(tagged(1), object) + [getTags(refuses(403, "AccessDenied"))])
        #expect(outcome.failure?.words == "verify-source denied")
    }

    @Test(arguments: [Side.source, .target])
    func looksAgainWhenTheObjectVanishedBeforeItsTags(side: Side) throws {
        var play = ComparisonPlay()
        let first = looks(tagged(1), tagged(1))
        let tags =
            side == .source
            ? [getTags(gone)] : [getTags(hasTags([("a", "1")])), getTargetTags(gone)]
        #expect(try play.outcome(of: first + tags + looks(object, object)).kind == .same)
    }

    // MARK: - Faults

    @Test func triesAgain() throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(
            headSource(breaks()), headSource(refuses(503)), headSource(shows(object)),
            headTarget(reply(200)), headTarget(breaks(.stalled)), headTarget(shows(object)))
        #expect(outcome.kind == .same)
        #expect(play.waits.count == 4)
    }

    static let hopeless: [([Scripted], String)] = [
        ([headSource(refuses(403))], "verify-source denied"),
        ([headSource(shows(TestObject("x"))), headTarget(refuses(403))], "verify-target denied"),
        (Array(repeating: headSource(breaks()), count: 3), "verify-source transport"),
        (
            [headSource(shows(TestObject("x")))]
                + Array(repeating: headTarget(refuses(500)), count: 3),
            "verify-target server"
        ),
    ]

    @Test(arguments: hopeless)
    func givesUp(script: [Scripted], words: String) throws {
        var play = ComparisonPlay()
        let outcome = try play.outcome(of: script)
        #expect(outcome.kind == .failed)
        #expect(outcome.failure?.words == words)
    }

    @Test func stopsTheRun() throws {
        var play = ComparisonPlay()
        guard case .failure(let failure) = try play.play([headSource(refuses(301))]) else {
            throw PlayError("the run goes on")
        }
        #expect(failure.words == "verify-source fatal")
    }

    @Test func asksTheBucketsOfItsSides() throws {
        var play = ComparisonPlay()
        _ = try play.outcome(of: looks(object, object))
        #expect(play.orders.map(\.request.bucket) == ["from", "to"])
        #expect(play.orders.map(\.request.method) == [.head, .head])
    }
}
