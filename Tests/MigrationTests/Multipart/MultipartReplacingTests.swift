//! A large object before another of its key: replaced under a condition, or left alone.

import S3
import Testing

@testable import Migration

@Suite struct MultipartReplacingTests {
    private let plain = TestObject("0123456789")
    private let old = TestObject("9876543210").aged(100)
    private let newest = TestObject("newest").aged(0)
    private var ours: TestObject { plain.inParts() }
    private var made: Scripted { complete(completes(plain.partsETag())) }
    private var seen: Scripted { headTarget(shows(ours)) }
    private var asks: Scripted { headSource(shows(plain)) }
    private let begun = create(begins("id1"))
    private let refused = complete(refuses(412, "PreconditionFailed"))

    private func play(
        _ mode: OverwriteMode = .changed, conditional: Bool = true, matches: Bool = true,
        damagedETag: ETag? = nil
    ) -> MultipartPlay {
        let rules = TransferRules.multipart(
            conditional: conditional, ifMatch: .unquoted, ifMatchOnComplete: matches,
            overwrite: mode)
        return MultipartPlay(plain, rules, damagedETag: damagedETag, sourceAge: 10)
    }

    private func condition(of play: MultipartPlay) -> [String?] {
        let completes = play.orders.filter { $0.title == "target CompleteMultipartUpload" }
        return completes.map {
            $0.request.headers["if-match"] ?? $0.request.headers["if-none-match"]
        }
    }

    @Test func replacesWhatIsOlder() throws {
        var play = play()
        let outcome = try play.outcome(headTarget(shows(old)), begun, asks, made, seen)
        #expect(outcome.kind == .copied && outcome.isReplacement)
        #expect(condition(of: play) == [old.etag])
        #expect(play.open == [])
    }

    @Test func looksJustBeforeWhereCompleteKnowsNoCondition() throws {
        var play = play(conditional: false, matches: false)
        let outcome = try play.outcome(
            headTarget(shows(old)), begun, asks, headTarget(shows(old)), made, seen)
        #expect(outcome.isReplacement)
        #expect(condition(of: play) == [nil])
        var changed = self.play(conditional: false, matches: false)
        let skipped = try changed.outcome(
            headTarget(shows(old)), begun, asks, headTarget(shows(newest)), abort(reply(204)))
        #expect(skipped.logged == "skip-up differs")
        #expect(changed.open == [])
    }

    @Test func leavesAloneWhatIsNewer() throws {
        var play = play()
        #expect(try play.outcome(headTarget(shows(newest))).logged == "skip-up differs")
        var always = self.play(.always)
        #expect(
            try always.outcome(headTarget(shows(newest)), begun, asks, made, seen).isReplacement)
    }

    /// Nothing was there when the parts were sent; then a client wrote.
    @Test func judgesWhatWasWrittenMeanwhile() throws {
        var left = play()
        let outcome = try left.outcome(
            isFree, begun, asks, refused, headTarget(shows(newest)), abort(reply(204)))
        #expect(outcome.logged == "skip-up differs")
        #expect(condition(of: left) == ["*"])
        var replaced = play()
        let copied = try replaced.outcome(
            headTarget(shows(TestObject("x").aged(200))), begun, asks, refused,
            headTarget(shows(old)), asks, made, seen)
        #expect(copied.isReplacement)
        #expect(condition(of: replaced) == [md5Text(Array("x".utf8)), old.etag])
    }

    @Test func completesWhereItWasDeletedMeanwhile() throws {
        var play = play()
        let outcome = try play.outcome(
            headTarget(shows(old)), begun, asks, complete(refuses(412)), isFree, asks, made, seen)
        #expect(outcome.kind == .copied && !outcome.isReplacement)
        #expect(condition(of: play) == [old.etag, "*"])
    }

    @Test func beginsAnewWhereTheUploadIsGone() throws {
        var play = play()
        let outcome = try play.outcome(
            headTarget(shows(old)), begun, asks, complete(refuses(404, "NoSuchUpload")),
            headTarget(shows(old)), abort(refuses(404, "NoSuchUpload")), headTarget(shows(old)),
            create(begins("id2")), asks, made, seen)
        #expect(outcome.isReplacement)
        #expect(play.open == [])
    }

    @Test func givesUpWhereTheTargetNeverHoldsStill() throws {
        var play = play(.always)
        let round = [asks, refused, headTarget(shows(old))]
        let outcome = try play.outcome(
            of: [headTarget(shows(old)), begun] + (0..<5).flatMap { _ in round })
        #expect(outcome.failure?.words == "complete conflict")
    }

    @Test(arguments: [true, false])
    func replacesADamagedCopyOfAnEarlierPass(isVery: Bool) throws {
        let etag = isVery ? old.etag : md5Text([1])
        var play = play(.never, damagedETag: etag.map { ETag($0) })
        guard isVery else {
            return #expect(try play.outcome(headTarget(shows(old))).logged == "skip-up differs")
        }
        let outcome = try play.outcome(headTarget(shows(old)), begun, asks, made, seen)
        #expect(outcome.kind == .copied && !outcome.isReplacement)
        #expect(condition(of: play) == [old.etag])
    }
}
