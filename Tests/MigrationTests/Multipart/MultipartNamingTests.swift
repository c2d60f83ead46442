//! What may be said of an object in parts that the target does not show under the ETag of its parts.

import S3
import Testing

@testable import Migration

@Suite struct MultipartNamingTests {
    private let plain = TestObject("0123456789")
    private var ours: TestObject { plain.inParts() }
    private let others = TestObject("9876543210")

    /// Its parts agreed with the source's ETag; the target was never heard to call the object so.
    @Test func claimsNoETagThatTheTargetNeverShowed() throws {
        for look in [isFree, headTarget(shows(TestObject("newer")))] {
            var rules = TransferRules.multipart()
            rules.sourceIsPlain = true
            var play = MultipartPlay(ours, rules)
            let outcome = try play.outcome(
                headSource(tells(ours, parts: 3, firstBytes: 4)), isFree, create(begins("id1")),
                headSource(shows(ours)), complete(completes(nil)), look)
            #expect(outcome.logged == "copied md5", "the parts' MD5s are the source's own word")
            #expect(outcome.etag == nil)
        }
    }

    /// Of one part the MD5 is known, so that a client's object is not taken for ours under another name.
    @Test func knowsTheWholeByItsOnlyPart() throws {
        let ours = plain.inParts(of: 10)
        var rules = TransferRules.multipart()
        rules.partBytes = 10
        for (seen, etag) in [(plain, plain.etag), (others, plain.partsETag(of: 10).text)] {
            var play = MultipartPlay(ours, rules)
            let outcome = try play.outcome(
                headSource(tells(ours, parts: 1, firstBytes: 10)), isFree, create(begins("id1")),
                headSource(shows(ours)), complete(completes(ETag("strange"))),
                headTarget(shows(seen)))
            #expect(outcome.logged == "copied md5")
            #expect(outcome.etag?.text == (seen.etag == plain.etag ? etag : "strange"))
        }
    }
}
