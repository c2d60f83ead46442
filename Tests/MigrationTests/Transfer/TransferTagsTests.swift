//! An object's tags: on the PUT, behind it, or marked as lost.

import Migration
import S3
import Testing

@Suite struct TransferTagsTests {
    private let object = TestObject("hello").with(header: "x-amz-tagging-count", "2")

    @Test func carriesTagsOnThePut() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("colour", "dark blue"), ("a", "1/2")])),
            put(takes(etag: object.etag)))
        #expect(play.header("x-amz-tagging", of: 2) == "colour=dark%20blue&a=1%2F2")
        #expect(outcome.losses == [])
    }

    @Test func writesTagsAfterwardsWhereThePutCannotCarryThem() throws {
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("colour", "dark blue")])),
            put(takes(etag: object.etag)), putTags(reply(200)))
        #expect(play.header("x-amz-tagging", of: 2) == nil)
        let body = String(decoding: play.orders[3].request.body, as: UTF8.self)
        #expect(body.contains("<Key>colour</Key><Value>dark blue</Value>"))
        #expect(outcome.losses == [])
        #expect(outcome.proof == .etag)
    }

    @Test func marksTagsThatTheTargetDoesNotKeep() throws {
        var play = TransferPlay(.play(tagging: .none))
        let outcome = try play.outcome(get(sends(object)), put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .tags)
    }

    @Test(arguments: [403, 405, 501])
    func marksTagsThatTheSourceDoesNotShow(status: Int) throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), getTags(refuses(status, "AccessDenied")),
            put(takes(etag: object.etag)))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .tags)
    }

    @Test func asksForNoTagsWhereThereAreNone() throws {
        let plain = TestObject("hello").with(header: "x-amz-tagging-count", "0")
        var play = TransferPlay()
        _ = try play.outcome(get(sends(plain)), put(takes(etag: plain.etag)))
    }

    @Test func beginsAgainWhenTheObjectVanishedBeforeItsTagsWereRead() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(
            get(sends(object)), getTags(refuses(404, "NoSuchKey")), get(refuses(404, "NoSuchKey")))
        #expect(outcome.kind == .skippedSource)
    }

    @Test func asksAgainForTagsThatCannotBeRead() throws {
        let garbage = reply(200, [], Array("<Tagging><TagSet><Tag>".utf8))
        var play = TransferPlay()
        _ = try play.outcome(
            get(sends(object)), getTags(garbage), getTags(hasTags([("a", "1")])),
            put(takes(etag: object.etag)))
        #expect(play.header("x-amz-tagging", of: 3) == "a=1")
        var hopeless = TransferPlay(.play(retries: 1))
        let failed = try hopeless.outcome(get(sends(object)), getTags(garbage), getTags(garbage))
        #expect(failed.failure?.words == "get-tags bad-answer")
    }

    @Test func marksTagsThatTheTargetRefuses() throws {
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("a", "1")])), put(takes(etag: object.etag)),
            putTags(refuses(400, "InvalidTag")))
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == .tags)
    }

    @Test(arguments: [refuses(503, "SlowDown"), refuses(429), refuses(500), breaks()])
    func writesTagsAgain(after fault: @escaping Scripted.Answer) throws {
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("a", "1")])), put(takes(etag: object.etag)),
            putTags(fault), putTags(reply(204)))
        #expect(outcome.losses == [])
    }

    @Test func putsTheTagsOnItsOwnObjectWhoseAnswerWasLost() throws {
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("a", "1")])), put(breaks()), put(refuses(412)),
            headTarget(shows(object)), putTags(reply(200)))
        #expect(outcome.kind == .copied)
    }

    @Test func leavesTheTagsOfAnothersObjectAlone() throws {
        var play = TransferPlay(.play(tagging: .afterwards))
        let outcome = try play.outcome(
            get(sends(object)), getTags(hasTags([("a", "1")])), put(refuses(412)),
            headTarget(shows(object)))
        #expect(outcome.kind == .skippedTarget)
    }
}
