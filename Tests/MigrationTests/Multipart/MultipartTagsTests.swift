//! Tags that a large object gets when it is there, where the target takes none before.

import S3
import Testing

@testable import Migration

@Suite struct MultipartTagsTests {
    private let plain = TestObject("0123456789")
    private var ours: TestObject { plain.inParts() }
    private let tags = [ObjectTag(key: "a", value: "1")]
    /// Made, and shown by the target.
    private var made: [Scripted] {
        [
            isFree, create(begins("id1")), headSource(shows(plain)),
            complete(completes(plain.partsETag())), headTarget(shows(ours)),
        ]
    }

    /// Plays from the object on.
    private func play(_ script: Scripted...) throws -> (outcome: Outcome, play: MultipartPlay) {
        var play = MultipartPlay(plain, .multipart(tagging: .afterwards), tags: tags)
        let outcome = try play.outcome(of: made + script)
        return (outcome, play)
    }

    @Test func putsTagsBehindTheObject() throws {
        let (outcome, play) = try play(putTags(reply(200)))
        #expect(outcome.losses == [])
        #expect(play.trace.suffix(2) == ["target PutObjectTagging", "record completed"])
    }

    @Test(arguments: [refuses(403, "AccessDenied"), refuses(400, "InvalidTag"), refuses(501)])
    func marksTagsThatTheTargetRefuses(answer: @escaping Scripted.Answer) throws {
        let (outcome, _) = try play(putTags(answer))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .tags)
    }

    @Test func writesTagsAgain() throws {
        for fault in [breaks(), refuses(500), refuses(503), fails("InternalError")] {
            let (outcome, _) = try play(putTags(fault), putTags(reply(200)))
            #expect(outcome.losses == [])
        }
    }

    /// The target shows the object before each try that comes late, and is not asked for ever.
    @Test func givesUpTheTagsInTheEnd() throws {
        var play = MultipartPlay(plain, .multipart(tagging: .afterwards), tags: tags, seed: 3)
        var count = 0
        let slow = { (script: [Scripted]) in script.map { $0.taking(.seconds(2)) } }
        let script =
            made
            + slow(
                (0..<Limits.retriesDefault).flatMap { _ in
                    [putTags(refuses(500)), headTarget(shows(ours))]
                }) + [putTags(refuses(500))]
        let outcome = try play.outcome(of: script)
        count = play.orders.count { $0.title == "target PutObjectTagging" }
        #expect(count == Limits.retriesDefault + 1)
        #expect(outcome.failure?.words == "put-tags server")
        #expect(play.open == ["completing id1"])
    }

    /// While we waited a client wrote the key: it is theirs, and so are its tags.
    @Test(arguments: [TestObject("9876543210"), TestObject("newer")])
    func leavesTheTagsOfAnothersObjectAlone(newer: TestObject) throws {
        let (outcome, _) = try play(
            putTags(refuses(500)).taking(.seconds(2)), headTarget(shows(newer)))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .tags)
        #expect(outcome.etag == plain.partsETag())
    }
}
