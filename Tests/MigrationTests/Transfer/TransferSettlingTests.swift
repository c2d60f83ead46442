//! A 412 and its truth: whose object refused ours.

import Migration
import S3
import Testing

@Suite struct TransferSettlingTests {
    private static let object = TestObject("hello")
    private let object = Self.object
    private let refused = refuses(412, "PreconditionFailed")

    @Test func skipsWhatIsTheSame() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(shows(object)))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == .same)
        #expect(outcome.sizeBytes == 5)
        #expect(play.hashCount == 0)
    }

    @Test func skipsWhatHasAnotherSizeWithoutHashing() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(shows(TestObject("longer"))))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == .differs)
        #expect(outcome.etag?.text == md5Text(Array("longer".utf8)))
        #expect(play.hashCount == 0)
    }

    @Test func skipsWhatHasOtherBytes() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(shows(TestObject("other"))))
        #expect(outcome.proof == .differs)
    }

    /// What the target's and the source's ETags tell of two objects of one size.
    @Test(
        arguments: [
            (partsETag, partsETag, Proof.same), (partsETag, object.etag, .same),
            (partsETag, md5Text([1]), .differs), (object.etag, partsETag, .size),
            (object.etag, "opaque", .size), (object.etag, nil, .size), (nil, object.etag, .same),
            // The same for all, perhaps.
            ("constant", "constant", .size),
        ] as [(String?, String?, Proof)])
    func comparesByWhatTheETagsCanTell(source: String?, target: String?, proof: Proof) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object.with(etag: source))), put(refused),
            headTarget(shows(object.with(etag: target))))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == proof)
    }

    // MARK: - Our own object

    /// The ways in which a PUT of ours can have been carried out without our knowing.
    static let lostAnswers: [(String, [Scripted])] = [
        ("a broken connection", [put(breaks()), put(refuses(412))]),
        ("a stalled one", [put(breaks(.stalled)), put(refuses(412))]),
        ("500", [put(refuses(500, "InternalError")), put(refuses(412))]),
        ("503", [put(refuses(503, "SlowDown")), put(refuses(412))]),
        ("504 of a proxy", [put(refuses(504)), put(refuses(412))]),
        (
            "200 with an error",
            [put(reply(200, [], Array("<Error></Error>".utf8))), put(refuses(412))]
        ),
        ("a request that libcurl sent twice", [put(refuses(412, resent: 1))]),
    ]

    @Test(arguments: lostAnswers)
    func knowsItsOwnObject(name: String, writes: [Scripted]) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            of: [get(sends(object))] + writes + [headTarget(shows(object))])
        #expect(outcome.kind == .copied, "\(name)")
        #expect(outcome.proof == .etag)
        #expect(outcome.etag?.text == object.etag)
    }

    @Test func knowsItsOwnObjectByItsOwnMD5() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object.with(etag: partsETag))), put(breaks()), put(refused),
            headTarget(shows(object)))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .md5)
    }

    /// A run that was killed may have written what no log tells of.
    @Test(arguments: [true, false])
    func knowsItsOwnObjectAfterAResume(mayHaveWritten: Bool) throws {
        var play = TransferPlay(mayHaveWritten: mayHaveWritten)
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(shows(object)))
        #expect(outcome.kind == (mayHaveWritten ? .copied : .skippedTarget))
    }

    @Test func doesNotClaimWhatIsNotItsOwn() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(breaks()), put(refused),
            headTarget(shows(TestObject("other"))))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == .differs)
    }

    /// A refusal is proof that nothing was written.
    @Test(arguments: [409, 429])
    func doesNotClaimAfterARefusal(status: Int) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(status)), put(refused), headTarget(shows(object)))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == .same)
    }

    // MARK: - No answer to who it was

    @Test func putsAgainWhenTheOtherHasVanished() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(refuses(404)),
            put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.waits.count == 1)
    }

    @Test func givesUpWhereTheTargetContradictsItself() throws {
        var play = TransferPlay(.play(retries: 2))
        let round = [put(refused), headTarget(refuses(404))]
        let outcome = try play.outcome(of: [get(sends(object))] + round + round + round)
        #expect(outcome.failure?.words == "settle conflict")
        #expect(outcome.failure?.status == 412)
    }

    @Test func asksAgainWithoutAnotherPUT() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), headTarget(refuses(503)), headTarget(breaks()),
            headTarget(reply(200)), headTarget(shows(object)))
        #expect(outcome.proof == .same)
        #expect(play.waits.count == 3)
    }

    @Test func failsWhereItMayNotAsk() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object)), put(refused), headTarget(refuses(403)))
        #expect(outcome.failure?.words == "settle denied")
        #expect(outcome.failure?.stage.side == .target)
    }
}
