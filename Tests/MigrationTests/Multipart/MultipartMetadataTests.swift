//! A large object's metadata before targets that refuse, drop or change some of it.

import S3
import Testing

@testable import Migration

@Suite struct MultipartMetadataTests {
    private let object = TestObject("0123456789").with(header: "x-amz-meta-owner", "alice")

    private func ends(_ shown: TestObject) -> [Scripted] {
        [
            headSource(shows(object)), complete(completes(object.partsETag())),
            headTarget(shows(shown.inParts())),
        ]
    }

    private var dropping: TransferRules {
        var rules = TransferRules.multipart()
        rules.dropsRefusedMetadata = true
        return rules
    }

    private func sent(_ play: MultipartPlay, _ name: String) -> [String?] {
        play.orders.filter { $0.title == "target CreateMultipartUpload" }
            .map { $0.request.headers[name] }
    }

    @Test func failsAndNamesTheMetadata() throws {
        var play = MultipartPlay(object)
        let outcome = try play.outcome(isFree, create(refuses(400, "InvalidRequest")))
        #expect(outcome.failure?.stage == .create)
        #expect(outcome.failure?.message.contains("metadata: x-amz-meta-owner;") == true)
        #expect(play.open == [])
    }

    @Test func leavesOutWhatTheOperatorLetsGo() throws {
        var play = MultipartPlay(object, dropping)
        let outcome = try play.outcome(
            of: [isFree, create(refuses(400, "InvalidRequest")), create(begins("id1"))]
                + ends(object))
        #expect(sent(play, "x-amz-meta-owner") == ["alice", nil])
        #expect((outcome.kind, outcome.losses) == (.copied, .metadata))
        #expect(play.open == [])
    }

    @Test func leavesOutTagsThatCreateIsRefusedFor() throws {
        var play = MultipartPlay(object, tags: [ObjectTag(key: "a", value: "1")])
        let outcome = try play.outcome(
            of: [isFree, create(refuses(400, "InvalidTag")), create(begins("id1"))] + ends(object))
        #expect(sent(play, "x-amz-tagging") == ["a=1", nil])
        #expect((outcome.kind, outcome.losses) == (.copied, .tags))
    }

    @Test func marksWhatTheTargetDropped() throws {
        let expiring = object.with(header: "expires", "5d")
        for (shown, losses) in [(expiring, Losses()), (object, .metadata)] {
            var play = MultipartPlay(expiring)
            let outcome = try play.outcome(
                of: [isFree, create(begins("id1"))] + ends(shown))
            #expect(outcome.losses == losses)
        }
    }

    /// The ETag alone would do for a proof; the metadata has to be seen all the same.
    @Test func looksAlthoughCompleteToldTheSourcesETag() throws {
        let expiring = object.with(header: "expires", "5d").inParts()
        var play = MultipartPlay(expiring)
        let outcome = try play.outcome(
            isFreeOf(expiring, told: 4), isFree, create(begins("id1")), headSource(shows(expiring)),
            complete(completes(expiring.partsETag())), headTarget(shows(object.inParts())))
        #expect((outcome.losses, outcome.proof) == (.metadata, .etag))
    }

    private func isFreeOf(_ object: TestObject, told bytes: Int) -> Scripted {
        headSource(tells(object, parts: 3, firstBytes: bytes))
    }

    /// A run that dropped metadata was killed; the next one cannot know it but from the object.
    @Test(arguments: [true, false])
    func looksAtWhatAnEarlierRunCreated(isWhole: Bool) throws {
        let record = uploadRecord(
            "k", .open, id: "id1", begunAt: targetDate.secondsSince1970, facts: object.facts)
        var play = MultipartPlay(object, earlier: [record])
        let outcome = try play.outcome(
            of: [isFree, listParts(hasParts([]))]
                + ends(isWhole ? object : TestObject("0123456789")))
        #expect(outcome.losses == (isWhole ? [] : .metadata))
    }
}
