//! Our own copy that turned out damaged, the only object that may always be replaced.

import Migration
import Testing

@testable import S3

@Suite struct TransferDamageTests {
    private let object = TestObject("hello")
    private let flipped = TestObject("hellO")
    /// A target that checks no digests, so that a damaged body becomes visible.
    private let careless = TransferRules.play(checksMD5: false, ifMatch: .quoted)

    /// The PUT of a body that was turned into another on its way, and how that is seen.
    private var damage: [Scripted] {
        [get(sends(object)), put(takes(etag: flipped.etag)), headTarget(shows(flipped))]
    }

    @Test(arguments: [(.quoted, "\"%\""), (.unquoted, "%")] as [(PutObject.IfMatchForm, String)])
    func replacesItsOwnDamagedCopy(form: PutObject.IfMatchForm, text: String) throws {
        var play = TransferPlay(.play(checksMD5: false, ifMatch: form))
        let outcome = try play.outcome(
            of: damage + [get(sends(object)), put(takes(etag: object.etag))])
        #expect(outcome.kind == .copied && outcome.proof == .etag)
        #expect(!outcome.isReplacement, "nobody else's object was replaced")
        #expect(play.header("if-match", of: 4) == text.replacing("%", with: flipped.etag ?? ""))
        #expect(play.waits.count == 1)
    }

    /// A server that transforms bodies does so each time.
    @Test func givesUpOnATargetThatTransformsBodies() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(of: damage + damage + damage)
        #expect(outcome.failure?.words == "put damaged")
        #expect(outcome.failure?.ourETag?.text == flipped.etag)
        #expect(outcome.etag?.text == flipped.etag)
    }

    @Test func replacesNothingWithoutTheCondition() throws {
        var rules = careless
        rules.target.ifMatchOnPut = nil
        rules.replacesUnguarded = true
        var play = TransferPlay(rules)
        #expect(try play.outcome(of: damage).failure?.words == "put damaged")
    }

    @Test func leavesWhatAClientHasWrittenOverIt() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            of: damage + [
                get(sends(object)), put(refuses(412)), headTarget(shows(TestObject("client's"))),
            ])
        #expect(outcome.kind == .skippedTarget && outcome.proof == .differs)
    }

    @Test func writesAnewWhereItWasDeleted() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(
            of: damage + [
                get(sends(object)), put(refuses(404, "NoSuchKey")), headTarget(refuses(404)),
                put(takes(etag: object.etag)),
            ])
        #expect(outcome.kind == .copied)
        #expect(play.header("if-none-match", of: 6) == "*")
    }

    /// It stays visible, so the loss of its source is no reason to be silent.
    @Test func saysThatItStaysWhenTheSourceIsGone() throws {
        var play = TransferPlay(careless)
        let outcome = try play.outcome(of: damage + [get(refuses(404, "NoSuchKey"))])
        #expect(outcome.failure?.words == "put damaged")
        #expect(outcome.failure?.ourETag?.text == flipped.etag)
    }

    // MARK: - A later pass

    @Test func replacesWhatAnEarlierPassHasLeftDamaged() throws {
        var play = TransferPlay(.play(ifMatch: .quoted), damagedETag: flipped.etag)
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(412)), headTarget(shows(flipped)),
            put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied && !outcome.isReplacement)
        #expect(play.header("if-match", of: 3) == "\"\(flipped.etag ?? "")\"")
    }

    @Test(arguments: [TestObject("other"), TestObject("hello")])
    func replacesJustThatVeryObject(found: TestObject) throws {
        var play = TransferPlay(.play(ifMatch: .quoted), damagedETag: flipped.etag)
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(412)), headTarget(shows(found)))
        #expect(outcome.kind == .skippedTarget)
        #expect(outcome.proof == (found.bytes == object.bytes ? .same : .differs))
    }

    @Test func needsTheConditionForIt() throws {
        var play = TransferPlay(.play(), damagedETag: flipped.etag)
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(412)), headTarget(shows(flipped)))
        #expect(outcome.kind == .skippedTarget && outcome.proof == .differs)
    }

    // MARK: - ETags that say nothing

    /// A server under a mounted file system may give every object the same tag.
    @Test(arguments: ["00000000000000000000000000000000-1", "00000000000000000000000000000000"])
    func takesAPlaceholderForNoDigest(placeholder: String) throws {
        let nameless = TestObject("hello").with(etag: placeholder)
        var whole = TransferPlay()
        let outcome = try whole.outcome(get(sends(nameless)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied && outcome.proof == .md5)
        #expect(
            whole.header("content-md5", of: 1)
                == BodyDigest.md5(MD5.digest(of: object.bytes)).base64)
        // Two objects with the same placeholder need not be the same.
        var play = TransferPlay()
        let found = TestObject("HELLO").with(etag: placeholder)
        let skipped = try play.outcome(
            get(sends(nameless)), put(refuses(412)), headTarget(shows(found)))
        #expect(skipped.kind == .skippedTarget && skipped.proof == .size)
    }
}
