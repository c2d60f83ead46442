//! When digests disagree: which of the two ends is wrong, and what is said of it.

import Migration
import S3
import Testing

/// The target checks Content-MD5 and refuses.
@Suite struct RefusedBodyTests {
    private let object = TestObject("hello")
    private let refused = refuses(400, "BadDigest")
    /// What a damaged connection makes of it.
    private let damaged = TestObject("hellO").with(etag: TestObject("hello").etag)

    @Test func putsAgainWhatWasDamagedOnItsWayToTheTarget() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), put(refused), put(takes(etag: object.etag)))
        #expect(outcome.proof == .etag)
        #expect(play.hashCount == 1)
    }

    @Test func readsAgainWhatWasDamagedOnItsWayToUs() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.proof == .etag)
        #expect(play.header("if-match", of: 2) == "\"\(object.etag ?? "")\"")
        #expect(play.buffer == object.bytes)
        #expect(play.header("content-md5", of: 3) == "XUFAKrxLKna5cZ2REBfFkg==")
    }

    /// Twice the same bytes: the ETag is no MD5 (SSE), and our own sum takes its place.
    @Test func trustsBytesThatComeTwice() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(damaged)),
            put(takes(etag: md5Text(damaged.bytes))))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .md5)
        #expect(play.header("content-md5", of: 3) != "XUFAKrxLKna5cZ2REBfFkg==")
    }

    /// Over plain http the same bit may have turned over twice.
    @Test func claimsTheUploadAloneOfWhatCameUnprotected() throws {
        var rules = TransferRules.play
        rules.sourceIsPlain = true
        var play = TransferPlay(rules)
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(damaged)),
            put(takes(etag: md5Text(damaged.bytes))))
        #expect(outcome.logged == "copied upload")
        play = TransferPlay(rules)
        let proved = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(proved.logged == "copied etag", "the source's own digest is as good as ever")
    }

    /// Once the source's ETag is known to be no MD5, the same ETag at the target proves nothing.
    @Test func provesNothingByAnETagThatIsNoMD5() throws {
        var play = TransferPlay(.play(checksMD5: false, etagIsMD5: false))
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(damaged)),
            put(takes(etag: object.etag)), headTarget(shows(damaged)))
        #expect(outcome.proof == .size)
    }

    @Test func givesUpOnASourceThatNeverSendsTheSame() throws {
        var play = TransferPlay(.play(retries: 2))
        func other(_ text: String) -> TestObject { TestObject(text).with(etag: object.etag) }
        let script = (0..<3).flatMap { round in
            [get(sends(other("hell\(round)"))), put(refused), get(sends(other("hall\(round)")))]
        }
        let outcome = try play.outcome(of: script)
        #expect(outcome.failure?.words == "get mismatch")
    }

    @Test func givesUpWhereTheTargetRefusesWhatIsRight() throws {
        var play = TransferPlay(.play(retries: 2))
        let outcome = try play.outcome(
            get(sends(object)), put(refused), put(refused), put(refused))
        #expect(outcome.failure?.words == "put mismatch")
    }

    @Test func givesUpWhereTheTargetRefusesOurOwnSumToo() throws {
        var play = TransferPlay(.play(retries: 1))
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(damaged)), put(refused), put(refused))
        #expect(outcome.failure?.words == "put mismatch")
    }

    @Test func beginsAgainWhenTheObjectChangedMeanwhile() throws {
        let next = TestObject("next!")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(refuses(412)), get(sends(next)),
            put(takes(etag: next.etag)))
        #expect(outcome.proof == .etag)
        #expect(play.buffer == next.bytes)
    }

    /// The buffer may have been lost between the two readings; what was learned is not.
    @Test func readsAgainIntoNewMemory() throws {
        var play = TransferPlay()
        play.grantsKeep = [false, false]
        let outcome = try play.outcome(
            get(sends(damaged)), put(refused), get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.proof == .etag)
    }
}

/// The target took the body without a check and shows another ETag than the source.
@Suite struct UnprovedCopyTests {
    private let object = TestObject("hello")
    private let careless = TransferRules.play(checksMD5: false)
    private let damaged = TestObject("hellO").with(etag: TestObject("hello").etag)

    @Test func needsNoMoreWhereTheETagIsTheSources() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.proof == .etag)
    }

    @Test func believesATargetThatChecks() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: "opaque")))
        #expect(outcome.proof == .md5)
        #expect(outcome.etag?.text == "opaque")
    }

    @Test func readsAgainWhenTheTargetHasWhatWeHad() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(damaged)), put(takes(etag: md5Text(damaged.bytes))), get(sends(damaged)))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .md5)
    }

    @Test func tellsOfADamagedObjectThatBecameVisible() throws {
        var play = TransferPlay(careless)
        let visible = md5Text(damaged.bytes)
        let outcome = try play.outcome(
            get(sends(damaged)), put(takes(etag: visible)), get(sends(object)))
        #expect(outcome.failure?.words == "put damaged")
        #expect(outcome.failure?.ourETag?.text == visible)
        #expect(outcome.etag?.text == visible)
    }

    @Test(arguments: ["opaque", partsETag, nil] as [String?])
    func measuresWhatItCannotProve(etag: String?) throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: etag)),
            headTarget(shows(object.with(etag: etag ?? "opaque"))))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .size)
    }

    /// Where ETags are MD5s, one of other bytes is not explained away.
    @Test(arguments: [true, false])
    func tellsOfAnETagOfOtherBytes(checksMD5: Bool) throws {
        let other = object.with(etag: md5Text([1]))
        var play = TransferPlay(.play(checksMD5: checksMD5))
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: other.etag)), headTarget(shows(other)))
        #expect(outcome.failure?.words == "put damaged")
        #expect(outcome.failure?.ourETag?.text == other.etag)
    }

    /// Where the probe saw ETags that only look like MD5s, they prove nothing and damage nothing.
    @Test func bearsETagsThatOnlyLookLikeMD5s() throws {
        let other = object.with(etag: md5Text([1]))
        var checked = TransferPlay(.play(etagIsMD5: false))
        #expect(
            try checked.outcome(get(sends(object)), put(takes(etag: other.etag))).proof == .md5)
        var unchecked = TransferPlay(.play(checksMD5: false, etagIsMD5: false))
        let outcome = try unchecked.outcome(
            get(sends(object)), put(takes(etag: other.etag)), headTarget(shows(other)))
        #expect(outcome.proof == .size)
    }

    /// Somebody has written or deleted the key since our PUT: it was ours, and nothing more is known.
    @Test(arguments: [refuses(404), shows(TestObject("a client's").with(etag: "new"))])
    func leavesAnObjectThatIsNoLongerOurs(answer: @escaping Scripted.Answer) throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: "opaque")), headTarget(answer))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == nil)
        #expect(outcome.etag?.text == "opaque")
    }

    @Test func takesTheProofFromTheHEADWhereThePUTToldNoETag() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: nil)), headTarget(shows(object)))
        #expect(outcome.proof == .etag)
        #expect(outcome.etag?.text == object.etag)
    }

    @Test func tellsOfAnObjectOfAnotherSize() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: "opaque")),
            headTarget(shows(TestObject("hell").with(etag: "opaque"))))
        #expect(outcome.failure?.words == "put damaged")
        #expect(outcome.failure?.ourETag?.text == "opaque")
        #expect(outcome.failure?.message.contains("4 bytes of 5") == true)
    }

    @Test func asksAgainAfterAFault() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            get(sends(object)), put(takes(etag: nil)), headTarget(breaks()), headTarget(reply(200)),
            headTarget(shows(object)))
        #expect(outcome.kind == .copied)
        var hopeless = TransferPlay(careless)
        let failed = try hopeless.outcome(
            get(sends(object)), put(takes(etag: nil)), headTarget(refuses(403)))
        #expect(failed.failure?.words == "settle denied")
    }
}
