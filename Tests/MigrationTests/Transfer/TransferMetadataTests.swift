//! An object's metadata before targets that refuse, drop or change some of it.

import Migration
import S3
import Testing

@Suite struct TransferMetadataTests {
    private let plain = TestObject("hello").with(header: "x-amz-meta-owner", "alice")
    private let redirected = TestObject("hello").with(header: "x-amz-meta-owner", "alice")
        .with(header: "x-amz-website-redirect-location", "/other")

    private func dropping() -> TransferRules {
        var rules = TransferRules.play
        rules.dropsRefusedMetadata = true
        return rules
    }

    @Test(arguments: [(400, "InvalidRequest"), (400, "MetadataTooLarge"), (431, nil), (501, nil)])
    func failsAndNamesTheMetadata(status: Int, code: String?) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(plain)), put(refuses(status, code)))
        #expect(outcome.failure?.words == "put refused")
        let message = outcome.failure?.message ?? ""
        #expect(message.contains("perhaps for its metadata: x-amz-meta-owner;"), "\(message)")
        #expect(message.contains("--drop-refused-metadata"))
    }

    /// LocalStack says 500 to an Expires that is no date, so it is tried again, and nothing is left out: any server
    /// that is ill says 500 too.
    @Test func failsAfterAllRetriesWhereTheTargetFails() throws {
        let object = plain.with(header: "expires", "5d")
        var rules = dropping()
        rules.retries = RetryPolicy(retriesMax: 1)
        var play = TransferPlay(rules)
        let outcome = try play.outcome(
            get(sends(object)), put(refuses(500, "InternalError")),
            put(refuses(500, "InternalError")))
        #expect(outcome.failure?.words == "put server")
        let message = outcome.failure?.message ?? ""
        #expect(message.contains("because (perhaps for its metadata: x-amz-meta-owner, expires)"))
    }

    @Test func saysNothingOfMetadataWhereThereIsNone() throws {
        let bare = TestObject("hello")
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(bare)), put(refuses(400, "InvalidArgument")))
        #expect(outcome.failure?.message == "because")
    }

    /// Nor of a refusal that has another reason.
    @Test(arguments: [(403, "AccessDenied"), (405, nil)])
    func blamesNoMetadata(status: Int, code: String?) throws {
        var play = TransferPlay(dropping())
        let outcome = try play.outcome(get(sends(plain)), put(refuses(status, code)))
        #expect(outcome.failure?.message.contains("metadata") == false)
    }

    @Test func leavesOutWhatTheOperatorLetsGo() throws {
        var play = TransferPlay(dropping())
        let outcome = try play.outcome(
            get(sends(plain)), put(refuses(400, "InvalidRequest")), put(takes(etag: plain.etag)))
        #expect(play.header("x-amz-meta-owner", of: 1) == "alice")
        #expect(play.header("x-amz-meta-owner", of: 2) == nil)
        #expect(play.header("content-type", of: 2) == "text/plain")
        #expect((outcome.kind, outcome.losses, outcome.proof) == (.copied, .metadata, .etag))
    }

    @Test func leavesOutTheRedirectFirst() throws {
        var play = TransferPlay(dropping())
        let outcome = try play.outcome(
            get(sends(redirected)), put(refuses(501, "NotImplemented")),
            put(takes(etag: redirected.etag)))
        #expect(play.header("x-amz-meta-owner", of: 2) == "alice")
        #expect(play.header("x-amz-website-redirect-location", of: 2) == nil)
        #expect(outcome.losses == .metadata)
        var both = TransferPlay(dropping())
        _ = try both.outcome(
            get(sends(redirected)), put(refuses(501)), put(refuses(400)),
            put(takes(etag: redirected.etag)))
        #expect(both.header("x-amz-meta-owner", of: 3) == nil)
    }

    @Test func failsWhereNothingIsLeftToLeaveOut() throws {
        var play = TransferPlay(dropping())
        let outcome = try play.outcome(get(sends(plain)), put(refuses(400)), put(refuses(400)))
        #expect(outcome.failure?.words == "put refused")
        #expect(outcome.failure?.message.contains("even without its metadata") == true)
        #expect(outcome.failure?.message.contains("--drop") == false)
    }

    /// Control characters: libcurl cannot write them as HTTP, whatever the target would say.
    @Test func leavesOutWhatCannotBeSent() throws {
        var play = TransferPlay(dropping())
        let outcome = try play.outcome(
            get(sends(plain)), put(breaks(.unsendable)), put(takes(etag: plain.etag)))
        #expect((outcome.kind, outcome.losses) == (.copied, .metadata))
    }

    @Test func beginsWithAllOfItWhenTheObjectChanged() throws {
        var play = TransferPlay(dropping())
        let changed = TestObject("hello, changed").with(header: "x-amz-meta-owner", "bob")
        let outcome = try play.outcome(
            get(sends(plain)), put(refuses(400)).taking(.seconds(5)),
            headSource(shows(changed)), get(sends(changed)), put(takes(etag: changed.etag)))
        #expect(play.header("x-amz-meta-owner", of: 4) == "bob")
        #expect(outcome.losses == [])
    }

    // MARK: - Tags

    @Test(arguments: [
        ("InvalidTag", "because"), ("InvalidArgument", "The header 'x-amz-tagging' shall be UTF-8"),
    ])
    func leavesOutTagsThatThePutIsRefusedFor(code: String, message: String) throws {
        let xml = "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
        let tagged = TestObject("hello").with(header: "x-amz-tagging-count", "1")
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(tagged)), getTags(hasTags([("a", "1")])),
            put(reply(400, [], Array(xml.utf8))),
            put(takes(etag: tagged.etag)))
        #expect(play.header("x-amz-tagging", of: 3) == nil)
        #expect((outcome.kind, outcome.losses) == (.copied, .tags))
    }

    // MARK: - What the target keeps otherwise

    private static let seldomKept: [(String, String)] = [
        ("expires", "5d"), ("x-amz-website-redirect-location", "/o"), ("x-amz-meta-a_b", "v"),
        ("x-amz-meta-a.b", "v"), ("x-amz-meta-text", "grüße"),
    ]

    @Test(arguments: seldomKept)
    func looksAtWhatIsSeldomKept(name: String, value: String) throws {
        let object = TestObject("hello").with(header: name, value)
        var kept = TransferPlay()
        let whole = try kept.outcome(
            get(sends(object)), put(takes(etag: object.etag)), headTarget(shows(object)))
        #expect((whole.losses, whole.proof) == ([], .etag))
        var dropped = TransferPlay()
        let lacking = try dropped.outcome(
            get(sends(object)), put(takes(etag: object.etag)),
            headTarget(shows(TestObject("hello"))))
        #expect((lacking.losses, lacking.proof) == (.metadata, .etag))
    }

    @Test(arguments: [
        ("x-amz-meta-text", "=?UTF-8?B?5ryi5a2X?="), ("x-amz-meta-a-b", "v"),
        ("cache-control", "no-cache"),
    ])
    func looksAtNothingThatAllKeep(name: String, value: String) throws {
        let object = TestObject("hello").with(header: name, value)
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(play.header(name, of: 1) == value)
        #expect(outcome.losses == [])
    }

    private let expiring = TestObject("hello").with(header: "expires", "5d")

    @Test func looksBeforeItWritesTags() throws {
        let tagged = expiring.with(header: "x-amz-tagging-count", "1")
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(tagged)), getTags(hasTags([("a", "1")])), put(takes(etag: tagged.etag)),
            headTarget(shows(TestObject("hello"))), putTags(reply(200)))
        #expect(outcome.losses == .metadata)
    }

    @Test func whatCannotBeSeenIsNotCalledKept() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(expiring)), put(takes(etag: expiring.etag)),
            headTarget(refuses(403, "AccessDenied")))
        #expect((outcome.kind, outcome.losses) == (.copied, .metadata))
    }

    @Test func leavesWhatSomebodyElseHasWrittenSinceThen() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(expiring)), put(takes(etag: expiring.etag)),
            headTarget(shows(TestObject("another"))))
        #expect((outcome.kind, outcome.losses) == (.copied, []))
    }
}
