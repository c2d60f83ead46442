//! A large object's end: the hard answers of Complete, and whose object the target shows.

import S3
import Testing

@testable import Migration

@Suite struct MultipartCompletingTests {
    private let plain = TestObject("0123456789")
    private var ours: TestObject { plain.inParts() }
    private let others = TestObject("9876543210")
    private var made: Scripted { complete(completes(plain.partsETag())) }
    /// The target shows it, and not only answers with it.
    private var seen: Scripted { headTarget(shows(ours)) }
    private var asks: Scripted { headSource(shows(plain)) }
    private var begun: [Scripted] { [isFree, create(begins("id1"))] }

    /// Plays from the Complete on.
    private func play(
        on rules: TransferRules = .multipart(), _ script: [Scripted]
    ) throws -> (outcome: Outcome, play: MultipartPlay) {
        var play = MultipartPlay(plain, rules)
        let outcome = try play.outcome(of: begun + [asks] + script)
        return (outcome, play)
    }

    private func expectCopied(_ script: Scripted..., proof: Proof = .crc) throws {
        let (outcome, play) = try play(script)
        #expect(outcome.kind == .copied && outcome.proof == proof)
        #expect(outcome.etag == plain.partsETag())
        #expect(play.open == [])
    }

    /// What came over plain http may not be what the source has.
    @Test func claimsTheUploadAloneOfWhatCameUnprotected() throws {
        var rules = TransferRules.multipart()
        rules.sourceIsPlain = true
        let (outcome, play) = try play(on: rules, [made, seen])
        #expect(outcome.logged == "copied upload")
        #expect(play.log.compactMap(\.proof).first == .crc, "what the target checked")
        #expect(rules.proof(.md5, sizeBytes: 0) == .md5, "there is nothing that could be damaged")
    }

    // MARK: - Not at once

    /// The source is asked before each, since a delete must not be undone.
    @Test func completesAgain() throws {
        for fault in [
            refuses(500, "InternalError"), refuses(503, "SlowDown"), fails("InternalError"),
            fails("SlowDown"), reply(200), breaks(), breaks(.stalled),
            reply(200, [], Array("<CompleteMultipartUploadResult>".utf8)),
        ] {
            try expectCopied(complete(fault), asks, made, seen)
            try expectCopied(complete(fault), asks, complete(fault), asks, made, seen)
        }
    }

    /// However often the source still has the object.
    @Test(arguments: [true, false])
    func givesUpInTheEnd(isConditional: Bool) throws {
        for fault in [refuses(500, "InternalError"), fails("InternalError"), breaks()] {
            let check = isConditional ? [] : [isFree]
            let (outcome, play) = try play(
                on: .multipart(conditional: isConditional, retries: 2),
                check + [complete(fault), asks] + check + [complete(fault), asks] + check
                    + [complete(fault)])
            #expect(outcome.failure?.stage == .complete)
            #expect(play.waits.count == 2)
            // It may have been carried out: a later pass will see.
            #expect(play.open == ["completing id1"])
        }
    }

    // MARK: - Whose object is it?

    /// The first Complete made the object, and its answer was lost.
    @Test func knowsItsOwnObject() throws {
        for lost in [breaks(), refuses(500), reply(200)] {
            for second in [
                refuses(404, "NoSuchUpload"), refuses(404, "NoSuchKey"), fails("NoSuchUpload"),
                refuses(412, "PreconditionFailed"), fails("PreconditionFailed"),
            ] {
                try expectCopied(
                    complete(lost), asks, complete(second), headTarget(shows(ours)))
            }
        }
        try expectCopied(
            complete(refuses(412, "PreconditionFailed", resent: 1)), headTarget(shows(ours)))
        // The target may still be at it.
        try expectCopied(
            complete(breaks()), asks, complete(refuses(404, "NoSuchUpload")), isFree, isFree,
            headTarget(shows(ours)))
        // There is a server that says yes twice.
        try expectCopied(complete(breaks()), asks, made, seen)
    }

    /// A second Complete met the first, which the target was still working on.
    @Test func knowsItsOwnObjectAfterAConflict() throws {
        try expectCopied(
            complete(breaks()), asks, complete(refuses(409, "OperationAborted")),
            abort(refuses(404, "NoSuchUpload")), headTarget(shows(ours)))
    }

    @Test func leavesAnothersObjectAlone() throws {
        for (object, word) in [(others, "differs"), (plain, "same"), (TestObject("0"), "differs")] {
            let (outcome, play) = try play([
                complete(refuses(412, "PreconditionFailed")), headTarget(shows(object)),
                abort(reply(204)),
            ])
            #expect(outcome.logged == "skip-up \(word)")
            #expect(play.open == [])
            #expect(!play.trace.contains("target PutObjectTagging"))
        }
        // Equal parts that we never completed are somebody else's.
        let (outcome, _) = try play([
            complete(refuses(412, "PreconditionFailed")), headTarget(shows(ours)),
            abort(reply(204)),
        ])
        #expect(outcome.kind == .skippedTarget)
    }

    /// The object that refused ours was deleted meanwhile.
    @Test func beginsAnewWhereNothingIsThere() throws {
        for refusal in [refuses(412, "PreconditionFailed"), refuses(404, "NoSuchUpload")] {
            let (outcome, play) = try play([
                complete(refusal), isFree, abort(reply(204)), isFree, create(begins("id2")), asks,
                made, seen,
            ])
            #expect(outcome.kind == .copied)
            #expect(play.partsOrders.map(\.uploadID) == ["id1", "id2"])
            #expect(play.open == [])
        }
    }

    @Test func asksAgainWhoseObjectItIs() throws {
        for fault in [breaks(), refuses(500), reply(200)] {
            try expectCopied(
                complete(breaks()), asks, complete(refuses(412)), headTarget(fault),
                headTarget(shows(ours)))
        }
    }

    @Test func beginsAnewAfterAConflictButNotForEver() throws {
        let conflict = complete(refuses(409, "ConditionalRequestConflict"))
        let round = [conflict, abort(reply(204)), isFree, create(begins("id1")), asks]
        let (outcome, play) = try play(round + [made, seen])
        #expect(outcome.kind == .copied)
        #expect(play.open == [])
        let rounds = Array(repeating: round, count: Limits.restartsMax).flatMap { $0 }
        let (failed, _) = try self.play(rounds + [conflict])
        #expect(failed.failure?.faultClass == .conflict)
    }

    // MARK: - Parts that are not there

    @Test func sendsWhatTheTargetHasNot() throws {
        let (outcome, play) = try play([
            complete(refuses(400, "InvalidPart")),
            listParts(hasParts([(1, plain.part(1)), (3, plain.part(3))])), asks, made, seen,
        ])
        #expect(outcome.kind == .copied)
        #expect(play.partsOrders.map(\.numbers) == [[1, 2, 3], [2]])
        #expect(play.partsOrders.map(\.uploadID) == ["id1", "id1"])
    }

    @Test func doesNotListForEver() throws {
        let all = listParts(hasParts((1...3).map { ($0, plain.part($0)) }))
        let rounds = Array(
            repeating: [complete(fails("InvalidPart")), all, asks], count: Limits.restartsMax
        ).flatMap { $0 }
        // The code tells nothing of a later success, so the fault is one of the server's.
        let (outcome, _) = try play(
            on: .multipart(retries: 0),
            rounds + [complete(refuses(400, "InvalidPart")), abort(reply(204))])
        #expect(outcome.failure?.words == "complete refused")
    }

    /// The source's parts are smaller than this target takes.
    @Test func dividesAnewWhatIsTooSmall() throws {
        let small = plain.inParts(of: 3)
        var play = MultipartPlay(small)
        let outcome = try play.outcome(
            headSource(tells(small, parts: 4, firstBytes: 3)), isFree, create(begins("id1")),
            headSource(shows(small)), complete(refuses(400, "EntityTooSmall")), abort(reply(204)),
            isFree, create(begins("id2")), headSource(shows(small)), made, seen)
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .crc)
        #expect(play.partsOrders.map(\.plan.partBytes) == [3, 4])
        #expect(play.open == [])
    }

    @Test func failsWhereItsOwnPartsAreTooSmall() throws {
        let (outcome, play) = try play([
            complete(refuses(400, "EntityTooSmall")), abort(reply(204)),
        ])
        #expect(outcome.failure?.words == "complete refused")
        #expect(play.open == [])
    }

    // MARK: - The tag

    /// Ceph tells none.
    @Test func asksForATagThatIsNotTold() throws {
        try expectCopied(complete(completes(nil)), headTarget(shows(ours)))
        try expectCopied(
            complete(completes(nil)), headTarget(breaks()), headTarget(refuses(500)),
            headTarget(shows(ours)))
    }

    /// A server that answers with one tag and shows another: the parts agree, and no more can be said.
    @Test func takesAnotherTagForWhatItIs() throws {
        let strange = ours.with(etag: "strange")
        let (outcome, _) = try play([
            complete(completes(ETag("strange"))), headTarget(shows(strange)),
        ])
        #expect(outcome.logged == "copied crc")
        #expect(outcome.etag?.text == "strange")
        // That of the whole, as rclone has it.
        var told = MultipartPlay(ours)
        let second = try told.outcome(
            headSource(tells(ours, parts: 3, firstBytes: 4)), isFree, create(begins("id1")),
            headSource(shows(ours)), complete(completes(ETag("strange"))),
            headTarget(shows(plain)))
        #expect(second.logged == "copied md5", "the target itself did not say so")
        #expect(second.etag?.text == plain.etag)
    }

    @Test func noticesAnObjectOfAnotherSize() throws {
        let short = TestObject("01234567").with(etag: "strange")
        let (outcome, play) = try play([
            complete(completes(ETag("strange"))), headTarget(shows(short)),
        ])
        #expect(outcome.failure?.words == "complete damaged")
        #expect(outcome.failure?.ourETag?.text == "strange")
        #expect(play.open == [])
    }

    /// What somebody wrote between our Complete and the HEAD is no damage of ours.
    @Test func takesNobodyElsesObjectForDamage() throws {
        let (outcome, _) = try play([
            complete(completes(ETag("strange"))), headTarget(shows(TestObject("newer"))),
        ])
        #expect(outcome.kind == .copied)
        #expect(outcome.etag?.text == "strange")
    }

    @Test func aDeletedCopyWasMade() throws {
        let (outcome, play) = try play([complete(completes(nil)), isFree])
        #expect(outcome.kind == .copied)
        #expect(play.open == [])
    }

    @Test func failsWhereTheObjectCannotBeSeen() throws {
        let (outcome, play) = try play(
            on: .multipart(retries: 1),
            [complete(completes(nil)), headTarget(breaks()), headTarget(breaks())])
        #expect(outcome.failure?.words == "settle transport")
        #expect(play.open == ["completing id1"])
    }

    // MARK: - Without a condition

    @Test func looksJustBeforeWhereTheConditionIsIgnored() throws {
        let (outcome, play) = try play(on: .multipart(conditional: false), [isFree, made, seen])
        #expect(outcome.kind == .copied)
        let request = play.order("target CompleteMultipartUpload")?.request
        #expect(request?.headers["if-none-match"] == nil)
        let (skipped, after) = try self.play(
            on: .multipart(conditional: false), [headTarget(shows(others)), abort(reply(204))])
        #expect(skipped.logged == "skip-up differs")
        #expect(after.open == [])
    }

    @Test func knowsItsOwnObjectWithoutACondition() throws {
        let (outcome, play) = try play(
            on: .multipart(conditional: false),
            [isFree, complete(breaks()), asks, headTarget(shows(ours))])
        #expect(outcome.logged == "copied crc")
        #expect(play.open == [])
    }

    @Test func looksAgainJustBeforeAfterAFault() throws {
        let (outcome, _) = try play(
            on: .multipart(conditional: false),
            [headTarget(breaks()), asks, headTarget(reply(200)), asks, isFree, made, seen])
        #expect(outcome.kind == .copied)
    }

    // MARK: - The source

    @Test func readsAgainWhatChanged() throws {
        var newer = plain
        newer.lastModified = "Thu, 01 Jan 2026 00:00:09 GMT"
        for answer in [shows(others), shows(newer), refuses(404), reply(200)] {
            var play = MultipartPlay(plain)
            let earlier = try play.readsAgain(
                isFree, create(begins("id1")), headSource(answer), abort(reply(204)))
            #expect(earlier.isEmpty)
            #expect(play.open == [])
            #expect(play.waits.count == 1)
        }
    }

    /// Else it would be taken for one that nobody knows, and stand in the way of those that are looked for.
    @Test func takesAlongWhatCouldNotBeAborted() throws {
        var play = MultipartPlay(plain)
        let earlier = try play.readsAgain(
            isFree, create(begins("id1")), headSource(shows(others)),
            abort(refuses(403, "AccessDenied")))
        #expect(earlier.map(\.uploadID) == ["id1"])
        #expect(play.open == ["completing id1"])
    }

    @Test func asksTheSourceAgain() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            of: begun + [headSource(breaks()), headSource(refuses(500)), asks, made, seen])
        #expect(outcome.kind == .copied)
    }

    // MARK: - Two digests disagree

    private var told: [Scripted] {
        [headSource(tells(ours, parts: 3, firstBytes: 4))] + begun
    }
    private var ends: [Scripted] { [headSource(shows(ours)), made] }

    @Test func sendsAPartAgainThatWasDamagedOnItsWay() throws {
        var play = MultipartPlay(ours)
        play.parts = [{ [plain] in $0.copied(plain, damaged: [2]) }]
        let outcome = try play.outcome(of: told + ends)
        #expect(outcome.logged == "copied etag")
        #expect(play.partsOrders.map(\.known.count) == [0, 3])
        #expect(play.partsOrders[1].numbers == [1, 2, 3])
        #expect(play.trace.count { $0 == "record completing" } == 1)
    }

    /// Twice the same bytes: the source's tag is none of MD5s.
    @Test func believesTwoReadingsThatAgree() throws {
        let object = plain.with(etag: "0123456789abcdef0123456789abcdef-3")
        var play = MultipartPlay(object)
        let outcome = try play.outcome(
            of: [headSource(tells(object, parts: 3, firstBytes: 4))] + begun
                + [headSource(shows(object)), made, seen])
        #expect(outcome.logged == "copied md5")
        #expect(play.partsOrders.count == 2)
    }

    /// Other bytes in the second reading, and still not the source's tag: one reading proves nothing.
    @Test func readsAThirdTimeWhatDiffered() throws {
        let object = plain.with(etag: "0123456789abcdef0123456789abcdef-3")
        var play = MultipartPlay(object)
        play.parts = [{ $0.copied(object, damaged: [2]) }]
        let outcome = try play.outcome(
            of: [headSource(tells(object, parts: 3, firstBytes: 4))] + begun
                + [headSource(shows(object)), made, seen])
        #expect(outcome.logged == "copied md5")
        #expect(play.partsOrders.count == 3)
    }

    @Test func failsWhereNoTwoReadingsAgree() throws {
        let object = plain.with(etag: "0123456789abcdef0123456789abcdef-3")
        var play = MultipartPlay(object)
        play.parts = (0...Limits.restartsMax).map { turn in
            { $0.copied(object, damaged: turn.isMultiple(of: 2) ? [2] : []) }
        }
        let outcome = try play.outcome(
            of: [headSource(tells(object, parts: 3, firstBytes: 4))] + begun)
        #expect(outcome.failure?.words == "get mismatch")
        #expect(play.open == ["open id1"], "a later pass may do better")
    }

    /// What was read twice for one upload says nothing of the next one's parts.
    @Test func doubtsEachUploadAnew() throws {
        let object = plain.with(etag: "0123456789abcdef0123456789abcdef-3")
        var play = MultipartPlay(object)
        let again = headSource(shows(object))
        let outcome = try play.outcome(
            of: [headSource(tells(object, parts: 3, firstBytes: 4))] + begun + [
                again, complete(refuses(409)), abort(reply(204)), isFree, create(begins("id2")),
                again, made, seen,
            ])
        #expect(outcome.logged == "copied md5")
        #expect(play.partsOrders.map(\.uploadID) == ["id1", "id1", "id2", "id2"])
    }

    // MARK: - Parts that fail

    @Test func doesWhatAPartsEndAsksFor() throws {
        let gone = Failure(
            stage: .part, faultClass: .refused, status: 404, attempts: 1, message: "m")
        var lost = MultipartPlay(plain)
        lost.parts = [{ [plain] in $0.broken(plain, .uploadGone(gone)) }]
        let first = try lost.outcome(
            of: begun + [abort(refuses(404)), isFree, create(begins("id2")), asks, made, seen])
        #expect(first.kind == .copied && lost.open == [])
        #expect(lost.partsOrders.map(\.numbers) == [[1, 2, 3], [1, 2, 3]])
        var changed = MultipartPlay(plain)
        changed.parts = [{ [plain] in $0.broken(plain, .changed("it changed")) }]
        #expect(try changed.readsAgain(isFree, create(begins("id1")), abort(reply(204))).isEmpty)
        #expect(changed.open == [])
        var refused = MultipartPlay(plain)
        refused.parts = [{ [plain] in $0.broken(plain, .sizeRefused(gone)) }]
        let failed = try refused.outcome(of: begun + [abort(reply(204))])
        #expect(failed.failure?.message.contains("--part-size") == true)
        #expect(refused.open == [])
    }

    @Test func dividesAnewWhatTheTargetRefuses() throws {
        let failure = Failure(stage: .part, faultClass: .refused, attempts: 1, message: "m")
        let small = plain.inParts(of: 3)
        var play = MultipartPlay(small)
        play.parts = [{ [plain] in $0.broken(plain, .sizeRefused(failure)) }]
        let outcome = try play.outcome(
            of: [headSource(tells(small, parts: 4, firstBytes: 3))] + begun + [
                abort(reply(204)), isFree, create(begins("id2")), headSource(shows(small)), made,
                seen,
            ])
        #expect(outcome.logged == "copied crc")
        #expect(play.partsOrders.map(\.plan.partBytes) == [3, 4])
        #expect(play.partsOrders.map(\.digest) == [nil, .crc32c])
    }

    /// The source's parts happen to be as large as our own would be, so there is no other size to try.
    @Test func givesUpASizeThatIsOursToo() throws {
        let failure = Failure(stage: .part, faultClass: .refused, attempts: 1, message: "m")
        var play = MultipartPlay(ours)
        play.parts = [{ [plain] in $0.broken(plain, .sizeRefused(failure)) }]
        let outcome = try play.outcome(of: told + [abort(reply(204))])
        #expect(outcome.failure?.message.contains("--part-size") == true)
        #expect(play.open == [])
    }

    /// What a later pass can go on with is kept, and what would fail again is aborted.
    @Test(arguments: [
        (FaultClass.transport, true), (.server, true), (.denied, false), (.badAnswer, false),
    ])
    func keepsAnUploadThatIsOfUse(faultClass: FaultClass, isKept: Bool) throws {
        let failure = Failure(stage: .part, faultClass: faultClass, attempts: 1, message: "m")
        var play = MultipartPlay(plain)
        play.parts = [{ [plain] in $0.broken(plain, .failed(failure)) }]
        let outcome = try play.outcome(of: begun + (isKept ? [] : [abort(reply(204))]))
        #expect(outcome.failure?.faultClass == faultClass)
        #expect(play.open == (isKept ? ["open id1"] : []))
    }
}
