//! Objects that the target has already: what is replaced, under which condition, and what is left alone.

import Migration
import Testing

@testable import S3

@Suite struct TransferReplacingTests {
    private let new = TestObject("new bytes").aged(10)
    private let old = TestObject("old").aged(100)
    private let refused = refuses(412, "PreconditionFailed")
    private let gone = refuses(404)

    private func play(
        _ mode: OverwriteMode = .changed, _ form: PutObject.IfMatchForm? = .quoted
    ) -> TransferPlay {
        TransferPlay(.play(ifMatch: form, overwrite: mode))
    }

    private func expectLeft(_ outcome: Outcome, _ proof: Proof) {
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == proof)
    }

    // MARK: - Asking first

    @Test func copiesWhatTheTargetDoesNotHave() throws {
        var play = play()
        let outcome = try play.outcome(
            headTarget(gone), get(sends(new)), put(takes(etag: new.etag)))
        #expect(outcome.kind == .copied && !outcome.isReplacement)
        #expect(play.header("if-none-match", of: 2) == "*")
        #expect(play.header("if-match", of: 2) == nil)
    }

    @Test(arguments: [OverwriteMode.changed, .always])
    func readsNothingOfWhatIsTheSame(mode: OverwriteMode) throws {
        var play = play(mode)
        expectLeft(
            try play.outcome(headTarget(shows(new.aged(100))), headSource(shows(new))), .same)
    }

    @Test(arguments: [(.quoted, "\"%\""), (.unquoted, "%")] as [(PutObject.IfMatchForm, String)])
    func replacesWhatIsOlder(form: PutObject.IfMatchForm, text: String) throws {
        var play = play(.changed, form)
        let outcome = try play.outcome(
            headTarget(shows(old)), headSource(shows(new)), get(sends(new)),
            put(takes(etag: new.etag)))
        #expect(outcome.kind == .copied && outcome.isReplacement)
        #expect(outcome.proof == .etag)
        #expect(play.header("if-match", of: 3) == text.replacing("%", with: old.etag ?? ""))
        #expect(play.header("if-none-match", of: 3) == nil)
        // The digest was computed by us before it was sent.
        #expect(play.hashCount == 1)
    }

    /// Each age is told by its server's own clock; within the doubt of a second each, nothing is replaced.
    @Test(
        arguments: [
            (100, 10, true), (14, 10, true), (13, 10, true), (12, 10, false), (11, 10, false),
            (10, 10, false), (9, 10, false), (1, 1000, false),
        ], [0, 7200, -86_400] as [Int64])
    func comparesAgesNotDates(ages: (Int64, Int64, Bool), ahead: Int64) throws {
        let found = TestObject("old").aged(ages.0, clockAhead: ahead)
        let source = TestObject("new bytes").aged(ages.1)
        var play = play()
        let head = [headTarget(shows(found)), headSource(shows(source))]
        guard ages.2 else {
            return expectLeft(try play.outcome(of: head), .differs)
        }
        let outcome = try play.outcome(
            of: head + [get(sends(source)), put(takes(etag: source.etag))])
        #expect(outcome.isReplacement)
    }

    /// A client may have written while the target took its time: nobody knows at which moment it told the age.
    @Test(arguments: [(0, true), (40, false)] as [(Int64, Bool)])
    func doubtsSlowAnswers(seconds: Int64, isReplaced: Bool) throws {
        let other = TestObject("other").aged(120)
        var play = play()
        let looks =
            asked + [
                put(refused).taking(.seconds(100)),
                headTarget(shows(other)).taking(.seconds(seconds)),
            ]
        guard isReplaced else { return expectLeft(try play.outcome(of: looks), .differs) }
        let outcome = try play.outcome(
            of: looks + [headSource(shows(new)), put(takes(etag: new.etag))])
        #expect(outcome.isReplacement)
    }

    @Test func leavesAloneWhatHasNoAge() throws {
        var play = play()
        expectLeft(
            try play.outcome(headTarget(shows(TestObject("old"))), headSource(shows(new))),
            .differs)
    }

    /// Of one size, and ETags that both look like MD5s: the bytes tell whether one of them is none.
    @Test(arguments: [true, false])
    func readsWhereOnlyTheBytesCanTell(isSame: Bool) throws {
        let source = TestObject("abc").with(etag: md5Text([9])).aged(10)
        let found = TestObject(isSame ? "abc" : "xyz").aged(100)
        var play = play()
        let asks = [headTarget(shows(found)), headSource(shows(source)), get(sends(source))]
        if isSame {
            return expectLeft(try play.outcome(of: asks), .same)
        }
        // The digest of our own is not the source's ETag, so it is read again before anything is replaced.
        let outcome = try play.outcome(
            of: asks + [get(sends(source)), put(takes(etag: md5Text(source.bytes)))])
        #expect(outcome.isReplacement && outcome.proof == .md5)
        #expect(
            play.header("content-md5", of: 4) == BodyDigest.md5(MD5.digest(of: source.bytes)).base64
        )
    }

    /// The ETags can never be compared: then the age decides.
    @Test(arguments: [(100, true), (1, false)] as [(Int64, Bool)])
    func replacesByAgeWhereNothingCanBeCompared(age: Int64, isReplaced: Bool) throws {
        let found = TestObject("abc").with(etag: partsETag).aged(age)
        let source = TestObject("xyz").aged(10)
        var play = play()
        let asks = [headTarget(shows(found)), headSource(shows(source))]
        if isReplaced {
            let outcome = try play.outcome(
                of: asks + [get(sends(source)), put(takes(etag: source.etag))])
            #expect(outcome.isReplacement)
        } else {
            expectLeft(try play.outcome(of: asks), .size)
        }
    }

    @Test func alwaysReplacesWhatIsNewer() throws {
        var play = play(.always)
        let outcome = try play.outcome(
            headTarget(shows(TestObject("newer"))), headSource(shows(new)), get(sends(new)),
            put(takes(etag: new.etag)))
        #expect(outcome.isReplacement)
        #expect(play.header("if-match", of: 3) == "\"\(md5Text(Array("newer".utf8)))\"")
    }

    @Test func leavesTheSourcesSilenceToTheGET() throws {
        var play = play()
        let outcome = try play.outcome(
            headTarget(shows(old)), headSource(refuses(404)), get(refuses(404, "NoSuchKey")))
        #expect(outcome.kind == .skippedSource)
    }

    @Test func asksAgainAfterFaults() throws {
        var play = play()
        let outcome = try play.outcome(
            headTarget(breaks()), headTarget(refuses(503)), headTarget(reply(200)),
            headTarget(shows(old)), headSource(breaks()), headTarget(shows(new)),
            headSource(shows(new)))
        expectLeft(outcome, .same)
        var denied = self.play()
        #expect(try denied.outcome(headTarget(refuses(403))).failure?.words == "head denied")
    }

    // MARK: - Somebody writes meanwhile

    private var asked: [Scripted] {
        [headTarget(shows(old)), headSource(shows(new)), get(sends(new))]
    }

    @Test func leavesAloneWhatWasWrittenMeanwhile() throws {
        var play = play()
        let newest = TestObject("newest").aged(0)
        expectLeft(
            try play.outcome(of: asked + [put(refused), headTarget(shows(newest))]), .differs)
    }

    @Test func replacesWhatIsAnotherButOlderStill() throws {
        var play = play()
        let other = TestObject("other").aged(50)
        let outcome = try play.outcome(
            of: asked + [put(refused), headTarget(shows(other)), put(takes(etag: new.etag))])
        #expect(outcome.isReplacement)
        #expect(play.header("if-match", of: 5) == "\"\(other.etag ?? "")\"")
    }

    /// S3 says 404 where there is nothing to replace, Ceph 412.
    @Test(arguments: [refuses(404, "NoSuchKey"), refuses(412)])
    func writesWhatWasDeletedMeanwhile(answer: @escaping Scripted.Answer) throws {
        var play = play()
        let outcome = try play.outcome(
            of: asked + [put(answer), headTarget(gone), put(takes(etag: new.etag))])
        #expect(outcome.kind == .copied && !outcome.isReplacement)
        #expect(play.header("if-none-match", of: 5) == "*")
    }

    @Test func stopsForAMissingBucket() throws {
        var play = play()
        guard case .stoppedRun = try play.play(asked + [put(refuses(404, "NoSuchBucket"))]) else {
            throw PlayError("the run goes on")
        }
    }

    @Test func knowsItsOwnWriteWhoseAnswerWasLost() throws {
        var play = play()
        let outcome = try play.outcome(
            of: asked + [put(refuses(500, "UnknownError")), put(refused), headTarget(shows(new))])
        #expect(outcome.kind == .copied && outcome.isReplacement && outcome.proof == .etag)
    }

    @Test func givesUpWhereTheTargetNeverHoldsStill() throws {
        var play = play(.always)
        let round = [put(refused), headTarget(shows(old))]
        // The first was decided by the first HEAD.
        let outcome = try play.outcome(of: asked + (0...5).flatMap { _ in round })
        #expect(outcome.failure?.words == "put conflict")
    }

    // MARK: - Digests

    /// An SSE source's ETag looks like an MD5 and is none; a body that is refused for it would destroy the old object.
    @Test func sendsNoDigestThatCouldBeWrong() throws {
        let encrypted = TestObject("new bytes").with(etag: md5Text([7])).aged(10)
        var play = play()
        let outcome = try play.outcome(
            headTarget(shows(old)), headSource(shows(encrypted)), get(sends(encrypted)),
            get(sends(encrypted)), put(takes(etag: md5Text(encrypted.bytes))))
        #expect(outcome.isReplacement && outcome.proof == .md5)
        let digests = play.orders.compactMap { $0.request.headers["content-md5"] }
        #expect(digests == [BodyDigest.md5(MD5.digest(of: encrypted.bytes)).base64])
    }

    @Test func readsAgainWhatWasDamagedOnItsWay() throws {
        let flipped = TestObject("nEw bytes").with(etag: new.etag).aged(10)
        var play = play()
        let outcome = try play.outcome(
            headTarget(shows(old)), headSource(shows(new)), get(sends(flipped)), get(sends(new)),
            put(takes(etag: new.etag)))
        #expect(outcome.isReplacement && outcome.proof == .etag)
        #expect(play.orders.count { $0.request.method == .put } == 1)
    }

    // MARK: - Targets without the condition

    private func unguarded(_ mode: OverwriteMode = .changed, conditional: Bool = true)
        -> TransferPlay
    {
        var rules = TransferRules.play(conditional: conditional, overwrite: mode)
        rules.replacesUnguarded = true
        return TransferPlay(rules)
    }

    @Test(arguments: [OverwriteMode.changed, .always])
    func replacesNothingWithoutPermission(mode: OverwriteMode) throws {
        var play = play(mode, nil)
        expectLeft(
            try play.outcome(headTarget(shows(old)), headSource(shows(new))), .differs)
    }

    @Test(arguments: [true, false])
    func looksJustBefore(conditional: Bool) throws {
        var play = unguarded(conditional: conditional)
        let outcome = try play.outcome(
            of: asked + [headTarget(shows(old)), put(takes(etag: new.etag))])
        #expect(outcome.isReplacement)
        #expect(play.header("if-match", of: 4) == nil)
        #expect(play.header("if-none-match", of: 4) == nil)
    }

    @Test func judgesAnewWhatItSeesJustBefore() throws {
        var left = unguarded()
        expectLeft(
            try left.outcome(of: asked + [headTarget(shows(TestObject("newest").aged(0)))]),
            .differs)
        var again = unguarded()
        let other = TestObject("other").aged(50)
        let outcome = try again.outcome(
            of: asked + [
                headTarget(shows(other)), headTarget(shows(other)), put(takes(etag: new.etag)),
            ])
        #expect(outcome.isReplacement)
        var gone = unguarded()
        let copied = try gone.outcome(
            of: asked + [headTarget(refuses(404)), put(takes(etag: new.etag))])
        #expect(copied.kind == .copied && !copied.isReplacement)
        #expect(gone.header("if-none-match", of: 4) == "*")
    }

    /// A tag that never changes tells nobody's write from another.
    @Test func trustsNoPlaceholder() throws {
        let found = old.with(etag: "00000000000000000000000000000000-1")
        var play = play()
        expectLeft(
            try play.outcome(headTarget(shows(found)), headSource(shows(new))), .differs)
    }

    // MARK: - Most objects exist

    private func likely(mayHaveWritten: Bool = false) -> TransferPlay {
        TransferPlay(.play(ifMatch: .quoted), mayHaveWritten: mayHaveWritten, isLikelyThere: true)
    }

    @Test func asksFirstWhereMostExist() throws {
        var same = likely()
        expectLeft(try same.outcome(headTarget(shows(new)), headSource(shows(new))), .same)
        var other = likely()
        expectLeft(try other.outcome(headTarget(shows(old)), headSource(shows(new))), .differs)
        var absent = likely()
        let outcome = try absent.outcome(
            headTarget(gone), get(sends(new)), put(takes(etag: new.etag)))
        #expect(outcome.kind == .copied)
        var denied = likely()
        #expect(
            try denied.outcome(
                headTarget(refuses(403)), get(sends(new)), put(takes(etag: new.etag))
            ).kind == .copied)
    }

    @Test func comparesTheBytesWhereOnlyTheyCanTell() throws {
        var play = likely()
        let source = TestObject("abc").with(etag: partsETag)
        expectLeft(
            try play.outcome(
                headTarget(shows(TestObject("abc"))), headSource(shows(source)), get(sends(source))),
            .same)
    }

    /// A run that was killed may have written it; what lacks nothing is ours then.
    @Test func knowsItsOwnObjectAfterAResume() throws {
        var whole = likely(mayHaveWritten: true)
        let outcome = try whole.outcome(headTarget(shows(new)), headSource(shows(new)))
        #expect(outcome.kind == .copied && outcome.proof == .etag)
        let tagged = new.with(header: "x-amz-tagging-count", "1")
        var play = likely(mayHaveWritten: true)
        let copied = try play.outcome(
            headTarget(shows(new)), headSource(shows(tagged)), get(sends(tagged)),
            getTags(hasTags([("a", "1")])), put(refused), headTarget(shows(new)))
        #expect(copied.kind == .copied)
    }
}
