//! From the buffer into the target: what the PUT says, and what has to be asked before it.

import Migration
import S3
import Testing

@Suite struct TransferWritingTests {
    private let object = TestObject("hello")

    @Test func putsOnlyWhereNothingIsAndWithTheSourcesMD5() throws {
        var play = TransferPlay()
        _ = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(play.header("if-none-match", of: 1) == "*")
        #expect(play.header("content-md5", of: 1) == "XUFAKrxLKna5cZ2REBfFkg==")
        #expect(play.header("content-type", of: 1) == "text/plain")
        guard case .object(let byteCount) = play.orders[1].upload else {
            throw PlayError("the PUT does not send the buffer")
        }
        #expect(byteCount == 5)
    }

    @Test func carriesMetadataUnchanged() throws {
        let rich = object.with(header: "x-amz-meta-colour", " blau ")
            .with(header: "expires", "never").with(header: "content-encoding", "gzip,aws-chunked")
            .with(header: "x-secret-of-the-server", "1")
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(rich)), put(takes(etag: object.etag)), headTarget(shows(rich)))
        #expect(play.header("x-amz-meta-colour", of: 1) == " blau ")
        #expect(play.header("expires", of: 1) == "never")
        #expect(play.header("content-encoding", of: 1) == "gzip")
        #expect(play.header("x-secret-of-the-server", of: 1) == nil)
    }

    /// The ETag of an object in parts is no MD5, so the PUT carries ours.
    @Test(arguments: [partsETag, "opaque", nil] as [String?])
    func sendsItsOwnMD5WhereTheETagIsNone(etag: String?) throws {
        var source = object
        source.etag = etag
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(source)), put(takes(etag: object.etag)))
        #expect(play.header("content-md5", of: 1) == "XUFAKrxLKna5cZ2REBfFkg==")
        #expect(play.hashCount == 1)
        #expect(outcome.proof == .md5)
        #expect(outcome.etag?.text == object.etag)
    }

    @Test func sendsABodyWithoutAnotherGETAfterAFault() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(503, "SlowDown")), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.header("if-none-match", of: 2) == "*")
    }

    @Test func doesNotTake200WithAnErrorForACopy() throws {
        let error = reply(
            200, [("etag", "\"\(object.etag ?? "")\"")],
            Array("<Error><Code>InternalError</Code></Error>".utf8))
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(error), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.waits.count == 1)
    }
}

/// Where the target ignores conditions, a HEAD just before the PUT takes their place.
@Suite struct WeakTargetTests {
    private let object = TestObject("hello")
    private let weak = TransferRules.play(conditional: false)

    @Test func asksBeforeItPuts() throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(play.header("if-none-match", of: 2) == nil)
    }

    @Test func writesAgainWhatAFailedPutLeftWithoutItsMetadata() throws {
        var play = TransferPlay(weak)
        var bare = object
        bare.headers = []
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)), put(refuses(500)),
            headTarget(shows(bare)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == [])
    }

    @Test func saysWhatATargetNeverShows() throws {
        var play = TransferPlay(weak)
        var bare = object
        bare.headers = []
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)), put(refuses(500)),
            headTarget(shows(bare)), put(refuses(500)), headTarget(shows(bare)))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .metadata)
    }

    @Test(arguments: [
        (TestObject("hello"), Proof.same), (TestObject("other"), .differs),
        (TestObject("longer object"), .differs), (TestObject("hello").with(etag: nil), .size),
    ])
    func leavesWhatIsThereAlone(found: TestObject, proof: Proof) throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(get(sends(object)), headTarget(shows(found)))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == proof)
        #expect(outcome.etag?.text == found.etag)
    }

    @Test func asksAnewBeforeEachAttempt() throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)), put(refuses(500)),
            headTarget(refuses(503)), headTarget(refuses(404)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
    }

    @Test func knowsItsOwnObjectAgainAfterALostAnswer() throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)), put(breaks()), headTarget(shows(object)))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .etag)
    }

    @Test func failsWhereItMayNotAsk() throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(get(sends(object)), headTarget(refuses(403)))
        #expect(outcome.failure?.words == "head denied")
    }

    @Test func asksAgainWhenAHEADTellsNoSize() throws {
        var play = TransferPlay(weak)
        let outcome = try play.outcome(
            get(sends(object)), headTarget(reply(200)), headTarget(refuses(404)),
            put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
    }
}

/// A client's delete is not undone: after a second the source is asked whether it still has the object.
@Suite struct SourceRecheckTests {
    private let object = TestObject("hello")
    private let slow = Duration.milliseconds(1001)

    @Test func asksNobodyWithinASecond() throws {
        var play = TransferPlay(.play(conditional: false))
        _ = try play.outcome(
            get(sends(object)), headTarget(refuses(404)).taking(.milliseconds(900)),
            put(takes(etag: object.etag)))
    }

    @Test func asksTheSourceAfterASecond() throws {
        var play = TransferPlay(.play(conditional: false))
        let outcome = try play.outcome(
            get(sends(object)), headTarget(refuses(404)).taking(slow), headSource(shows(object)),
            put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
    }

    @Test func asksBeforeALateRetryToo() throws {
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(object)), put(breaks()).taking(.seconds(60)), headSource(shows(object)),
            put(takes(etag: object.etag)))
    }

    @Test func beginsAgainWhenTheObjectIsAnother() throws {
        let other = TestObject("other")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(500)).taking(slow), headSource(shows(other)),
            get(sends(other)), put(takes(etag: other.etag)))
        #expect(outcome.etag?.text == other.etag)
        #expect(play.buffer == other.bytes)
    }

    @Test func skipsAnObjectThatIsGoneByTheGETsWords() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(500)).taking(slow), headSource(refuses(404)),
            get(refuses(404, "NoSuchKey")))
        #expect(outcome.kind == .skippedSource)
    }

    /// A source whose HEAD denies what its GET sends must not keep the transfer busy for ever.
    @Test func endsWhereHEADAndGETContradictEachOther() throws {
        var play = TransferPlay()
        let round = [
            get(sends(object)), put(refuses(500)).taking(slow), headSource(refuses(404)),
        ]
        let outcome = try play.outcome(of: (0...Limits.restartsMax).flatMap { _ in round })
        #expect(outcome.kind == .failed)
    }

    @Test func asksAgainAfterAFault() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(500)).taking(slow), headSource(breaks()),
            headSource(shows(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        var denied = TransferPlay()
        let failed = try denied.outcome(
            get(sends(object)), put(refuses(500)).taking(slow), headSource(refuses(403)))
        #expect(failed.failure?.words == "recheck denied")
    }
}
