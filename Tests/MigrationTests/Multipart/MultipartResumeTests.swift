//! What an earlier run has left: continued, aborted, searched for, or left alone.

import S3
import Testing

@testable import Migration

@Suite struct MultipartResumeTests {
    private let plain = TestObject("0123456789")

    private func open(_ id: String = "id1", _ state: UploadRecord.State = .open) -> UploadRecord {
        var record = uploadRecord(
            "k", state, id: id, begunAt: targetDate.secondsSince1970, facts: plain.facts)
        if state == .completing || state == .completed {
            record.targetETag = plain.partsETag()
            record.proof = .crc
        }
        return record
    }

    private func intent(after seconds: Int64 = 0) -> UploadRecord {
        uploadRecord(
            "k", .intent, begunAt: targetDate.secondsSince1970 + seconds, facts: plain.facts)
    }

    private var ends: [Scripted] {
        [
            headSource(shows(plain)), complete(completes(plain.partsETag())),
            headTarget(shows(plain.inParts())),
        ]
    }

    private func has(_ numbers: Int...) -> [(number: Int, bytes: [UInt8])] {
        numbers.map { ($0, plain.part($0)) }
    }

    // MARK: - Going on

    @Test func sendsOnlyWhatIsMissing() throws {
        var play = MultipartPlay(plain, earlier: [open()])
        let outcome = try play.outcome(
            of: [isFree, listParts(hasParts(has(1, 3)))] + ends)
        #expect(outcome.kind == .copied)
        #expect(outcome.etag == plain.partsETag())
        #expect(play.partsOrders.map(\.numbers) == [[2]])
        #expect(play.log.map(\.state) == [.completing, .completed])
        #expect(play.open == [])
    }

    @Test func sendsNothingWhereAllIsThere() throws {
        var play = MultipartPlay(plain, earlier: [open()])
        let outcome = try play.outcome(of: [isFree, listParts(hasParts(has(1, 2, 3)))] + ends)
        #expect(outcome.proof == .crc)
        #expect(play.partsOrders.isEmpty)
    }

    /// They were sent without a digest, since the source had told its layout then; now it does not.
    @Test func doubtsPartsThatNoDigestCovers() throws {
        let ours = plain.inParts()
        var record = uploadRecord(
            "k", .open, id: "id1", begunAt: targetDate.secondsSince1970, facts: ours.facts,
            digest: nil)
        record.targetETag = nil
        var play = MultipartPlay(ours, earlier: [record])
        let damaged = has(1) + [(number: 2, bytes: [9, 9, 9, 9])] + has(3)
        let outcome = try play.outcome(
            of: [headSource(refuses(500)), isFree, listParts(hasParts(damaged, crc: false))] + [
                headSource(shows(ours)), complete(completes(plain.partsETag())),
                headTarget(shows(ours)),
            ])
        #expect(play.partsOrders.map(\.numbers) == [[1, 2, 3]])
        #expect(outcome.logged == "copied etag")
    }

    @Test func readsAllPagesOfTheParts() throws {
        var play = MultipartPlay(plain, earlier: [open()])
        _ = try play.outcome(
            of: [
                isFree, listParts(hasParts(has(1), next: 1)), listParts(hasParts(has(2), next: 2)),
                listParts(hasParts(has(3))),
            ] + ends)
        #expect(play.orders[2].request.queryValue("part-number-marker") == "1")
        #expect(play.orders[3].request.queryValue("part-number-marker") == "2")
        #expect(play.partsOrders.isEmpty)
    }

    /// Only the page that failed is asked for again: a long list would else never come to its end.
    @Test func goesOnWithTheListAfterAFault() throws {
        for fault in [breaks(), refuses(500), reply(200), reply(200, [], Array("<x/>".utf8))] {
            var play = MultipartPlay(plain, earlier: [open()])
            _ = try play.outcome(
                of: [
                    isFree, listParts(hasParts(has(1), next: 1)), listParts(fault),
                    listParts(hasParts(has(2, 3))),
                ] + ends)
            let lists = play.orders.filter { $0.title == "target ListParts" }
            #expect(
                lists.map { $0.request.queryValue("part-number-marker") } == [nil, "1", "1"])
            #expect(play.partsOrders.isEmpty)
        }
    }

    /// However often the page before it was answered.
    @Test func givesUpAPageThatIsNeverAnswered() throws {
        var play = MultipartPlay(plain, .multipart(retries: 2), earlier: [open()])
        let outcome = try play.outcome(
            isFree, listParts(hasParts(has(1), next: 1)), listParts(refuses(500)),
            listParts(refuses(500)), listParts(refuses(500)))
        #expect(outcome.failure?.words == "list-parts server")
        #expect(play.open == ["open id1"])
    }

    /// The target took a damaged part for good, and who sent it was killed before it saw the part's tag.
    @Test func readsAgainWhatTheTargetHasNotChecked() throws {
        var record = open()
        record.digest = .md5
        let damaged = has(1) + [(number: 2, bytes: [9, 9, 9, 9])]
        var play = MultipartPlay(plain, .multipart(digest: nil), earlier: [record])
        let outcome = try play.outcome(
            of: [isFree, listParts(hasParts(damaged, crc: false))] + ends)
        #expect(play.partsOrders.map(\.numbers) == [[1, 2, 3]])
        #expect(play.partsOrders.map { $0.known.keys.sorted() } == [[1, 2]])
        #expect(outcome.logged == "copied md5")
        var checked = MultipartPlay(plain, .multipart(digest: .md5), earlier: [record])
        _ = try checked.outcome(of: [isFree, listParts(hasParts(has(1, 2), crc: false))] + ends)
        #expect(checked.partsOrders.map(\.numbers) == [[3]], "the target checked those")
    }

    /// Of another size, of no such number, or without the sum that Complete wants repeated.
    @Test func takesNoPartThatIsNotInItsPlace() throws {
        let wrong: [(number: Int, bytes: [UInt8])] = [
            (1, [1, 2, 3]), (2, plain.part(2)), (3, plain.part(3) + [0]), (4, [1]), (10_000, [1]),
        ]
        var play = MultipartPlay(plain, earlier: [open()])
        _ = try play.outcome(of: [isFree, listParts(hasParts(wrong))] + ends)
        #expect(play.partsOrders.map(\.numbers) == [[1, 3]])
        var sumless = MultipartPlay(plain, earlier: [open()])
        _ = try sumless.outcome(
            of: [isFree, listParts(hasParts(has(1, 2, 3), crc: false))] + ends)
        #expect(sumless.partsOrders.map(\.numbers) == [[1, 2, 3]])
    }

    /// The parts that are there decide the layout, whatever --part-size says now.
    @Test func keepsTheUploadsLayout() throws {
        var rules = TransferRules.multipart(digest: .sha256)
        rules.partBytes = 6
        var play = MultipartPlay(plain, rules, earlier: [open()])
        _ = try play.outcome(of: [isFree, listParts(hasParts(has(1)))] + ends)
        #expect(play.partsOrders.map(\.numbers) == [[2, 3]])
        #expect(play.partsOrders[0].digest == .crc32c, "what the upload was created for")
    }

    @Test func beginsAnewWhereTheUploadIsLost() throws {
        for gone in [refuses(404, "NoSuchUpload"), refuses(404, "NoSuchKey"), refuses(404)] {
            var play = MultipartPlay(plain, earlier: [open()])
            let outcome = try play.outcome(
                of: [
                    isFree, listParts(gone), abort(refuses(404, "NoSuchUpload")), isFree,
                    create(begins("id2")),
                ] + ends)
            #expect(outcome.kind == .copied)
            #expect(play.open == [])
        }
    }

    /// What all objects are called at both sides does not make another's object ours.
    @Test func takesNoObjectForItsOwnByAnETagThatIsNoDigest() throws {
        let constant = plain.with(etag: "constant")
        let other = TestObject("9876543210").with(etag: "constant")
        var record = uploadRecord(
            "k", .completing, id: "id1", begunAt: targetDate.secondsSince1970,
            facts: constant.facts)
        record.targetETag = plain.partsETag()
        record.proof = .crc
        var play = MultipartPlay(constant, earlier: [record])
        let outcome = try play.outcome(headTarget(shows(other)), abort(reply(204)))
        #expect(outcome.logged == "skip-up size")
        #expect(play.open == [])
    }

    // MARK: - Uploads of no use

    @Test func abortsTheUploadOfAnotherObject() throws {
        var older = plain
        older.lastModified = "Wed, 31 Dec 2025 00:00:00 GMT"
        let useless = [
            uploadRecord("k", .open, id: "id1", facts: older.facts),
            uploadRecord("k", .open, id: "id1", facts: TestObject("0").facts),
            uploadRecord("k", .open, id: "id1", facts: plain.with(etag: "x").facts),
        ]
        for record in useless {
            var play = MultipartPlay(plain, earlier: [record])
            _ = try play.outcome(of: [isFree, abort(reply(204)), create(begins("id2"))] + ends)
            #expect(play.orders[1].request.queryValue("uploadId") == "id1")
            #expect(play.log[0].state == .ended)
            #expect(play.open == [])
        }
    }

    @Test func abortsPartsThatTheMemoryCannotHold() throws {
        var rules = TransferRules.multipart()
        rules.claimBytesMax = 5
        var large = open()
        large.partBytes = 8
        var play = MultipartPlay(plain, rules, earlier: [large])
        _ = try play.outcome(of: [isFree, abort(reply(204)), create(begins("id2"))] + ends)
        #expect(play.partsOrders[0].plan.partBytes == 4)
    }

    @Test func goesOnWithTheLastOfSeveral() throws {
        var play = MultipartPlay(plain, earlier: [open("a"), open("b")])
        _ = try play.outcome(
            of: [isFree, abort(reply(204)), listParts(hasParts(has(1)))] + ends)
        #expect(play.orders[1].request.queryValue("uploadId") == "a")
        #expect(play.orders[2].request.queryValue("uploadId") == "b")
        #expect(play.open == [])
    }

    /// An upload that cannot be aborted stays on the books, and the object is copied all the same.
    @Test func copiesAlthoughAnUploadCannotBeAborted() throws {
        let stuck = [abort(refuses(403, "AccessDenied"))]
        var play = MultipartPlay(plain, earlier: [open("a"), open("b")])
        let outcome = try play.outcome(
            of: [isFree] + stuck + [listParts(hasParts(has(1)))] + ends)
        #expect(outcome.kind == .copied)
        #expect(play.open == ["open a"])
    }

    @Test func abortsAgainAfterAFault() throws {
        var play = MultipartPlay(plain, earlier: [open("a"), open("b")])
        _ = try play.outcome(
            of: [
                isFree, abort(breaks()), abort(refuses(500)), abort(reply(204)),
                listParts(hasParts(has(1))),
            ] + ends)
        #expect(play.open == [])
    }

    @Test func abortsWhatIsLeftWhereTheTargetHasTheKey() throws {
        var play = MultipartPlay(plain, earlier: [open("a")])
        let outcome = try play.outcome(headTarget(shows(plain)), abort(reply(204)))
        #expect(outcome.kind == .skippedTarget)
        #expect(play.open == [])
    }

    // MARK: - Our own earlier Complete

    @Test func knowsWhatAnEarlierRunCompleted() throws {
        let ours = plain.inParts()
        var play = MultipartPlay(plain, earlier: [open("a", .completing)])
        let outcome = try play.outcome(headTarget(shows(ours)))
        #expect(outcome.logged == "copied crc")
        #expect(outcome.etag == plain.partsETag())
        #expect(play.open == [])
    }

    /// The run was killed between its upload's last line and the object's.
    @Test func knowsWhatAnEarlierRunHadNoTimeToLog() throws {
        var play = MultipartPlay(plain, earlier: [open("a", .completed)])
        let outcome = try play.outcome(headTarget(shows(plain.inParts())))
        #expect(outcome.logged == "copied crc")
        #expect(play.log.isEmpty)
        var deleted = MultipartPlay(plain, earlier: [open("a", .completed)])
        let again = try deleted.outcome(of: [isFree, create(begins("b"))] + ends)
        #expect(again.kind == .copied)
        #expect(!deleted.trace.contains("target AbortMultipartUpload"))
        var replaced = MultipartPlay(plain, earlier: [open("a", .completed)])
        #expect(
            try replaced.outcome(headTarget(shows(TestObject("9876543210")))).kind == .skippedTarget
        )
    }

    @Test func tagsWhatAnEarlierRunCompleted() throws {
        var play = MultipartPlay(
            plain, .multipart(tagging: .afterwards), tags: [ObjectTag(key: "a", value: "1")],
            earlier: [open("a", .completing)])
        let outcome = try play.outcome(headTarget(shows(plain.inParts())), putTags(reply(200)))
        #expect(outcome.logged == "copied crc")
        #expect(outcome.losses == [])
    }

    /// Another's object, or one whose tag nobody knows.
    @Test func claimsNothingThatIsNotOurs() throws {
        var nameless = open("a", .completing)
        nameless.targetETag = nil
        let cases: [(UploadRecord, Scripted.Answer)] = [
            (open("a", .completing), shows(TestObject("9876543210"))),
            (open("a"), shows(plain.inParts())),
            // Two tags that nobody knows are not the same.
            (nameless, reply(200, [("content-length", "10")])),
        ]
        for (record, answer) in cases {
            var play = MultipartPlay(plain, earlier: [record])
            let outcome = try play.outcome(headTarget(answer), abort(refuses(404, "NoSuchUpload")))
            #expect(outcome.kind == .skippedTarget)
            #expect(play.open == [])
        }
    }

    /// Our copy of an object that the source seems to have no more: that is asked once again, and then believed.
    @Test(arguments: [UploadRecord.State.completing, .completed])
    func readsAgainWhatItSeemsToHaveCopiedOtherwise(state: UploadRecord.State) throws {
        var stale = uploadRecord("k", state, id: "a", facts: TestObject("0123456789abc").facts)
        stale.targetETag = plain.partsETag()
        var play = MultipartPlay(plain, .multipart(retries: 0), earlier: [stale])
        #expect(try play.readsAgain(headTarget(shows(plain.inParts()))) == [stale])
        #expect(play.log.isEmpty)
        var again = MultipartPlay(plain, earlier: [stale], restarts: 1)
        let aborts = state == .completing ? [abort(refuses(404, "NoSuchUpload"))] : []
        let outcome = try again.outcome(of: [headTarget(shows(plain.inParts()))] + aborts)
        #expect(outcome.kind == .skippedTarget)
    }

    /// The run was killed while the target worked on its Complete, which ends after the next run has asked.
    @Test func knowsACompleteThatEndedLate() throws {
        var play = MultipartPlay(plain, earlier: [open("a", .completing)])
        let outcome = try play.outcome(
            isFree, listParts(hasParts(has(1, 2, 3))), headSource(shows(plain)),
            complete(refuses(404, "NoSuchUpload")), headTarget(shows(plain.inParts())))
        #expect(outcome.logged == "copied crc")
        var earlier = MultipartPlay(plain, earlier: [open("a", .completing)])
        let second = try earlier.outcome(
            isFree, listParts(refuses(404, "NoSuchUpload")), abort(refuses(404, "NoSuchUpload")),
            headTarget(shows(plain.inParts())))
        #expect(second.logged == "copied crc")
        #expect(play.open == [] && earlier.open == [])
    }

    // MARK: - Intents

    @Test func abortsWhatAnIntentHasLeft() throws {
        for seconds in [-2, 0, 3, 120] as [Int64] {
            var play = MultipartPlay(plain, earlier: [intent()])
            _ = try play.outcome(
                of: [
                    isFree, listUploads(hasUploads([("lost", seconds)])), listParts(hasNoParts),
                    abort(reply(204)), create(begins("id2")),
                ] + ends)
            #expect(play.orders[3].request.queryValue("uploadId") == "lost")
            #expect(play.open == [])
            #expect(play.warnings.isEmpty)
        }
    }

    /// Of another time, of another key, with a part, or gone meanwhile.
    @Test func leavesAloneWhatIsNotSurelyOurs() throws {
        let others: [[Scripted]] = [
            [listUploads(hasUploads([]))], [listUploads(hasUploads([("x", -3), ("y", 121)]))],
            [listUploads(hasUploads([("x", 0)], key: "k2"))],
            [listUploads(hasUploads([("x", 0)])), listParts(hasParts([(1, [1])]))],
            [listUploads(hasUploads([("x", 0)])), listParts(refuses(404, "NoSuchUpload"))],
        ]
        for script in others {
            var play = MultipartPlay(plain, earlier: [intent()])
            _ = try play.outcome(of: [isFree] + script + [create(begins("id2"))] + ends)
            #expect(!play.trace.contains("target AbortMultipartUpload"))
            #expect(play.open == [])
        }
    }

    @Test func saysWhereItCannotTell() throws {
        var play = MultipartPlay(plain, earlier: [intent()])
        _ = try play.outcome(
            of: [
                isFree, listUploads(hasUploads([("x", 0), ("y", 1)])), create(begins("id2")),
            ] + ends)
        #expect(!play.trace.contains("target AbortMultipartUpload"))
        #expect(play.warnings.count == 1)
        #expect(play.warnings[0].contains("2 uploads of k"))
    }

    /// A target that tells no time: nothing can be surely ours.
    @Test func leavesAllAloneWithoutATime() throws {
        let timeless = uploadRecord("k", .intent, facts: plain.facts)
        var play = MultipartPlay(plain, earlier: [timeless])
        _ = try play.outcome(
            of: [isFree, listUploads(hasUploads([("x", 0)])), create(begins("id2"))] + ends)
        #expect(!play.trace.contains("target AbortMultipartUpload"))
    }

    /// The upload whose Create was answered in the same minute is known; the other is the lost one.
    @Test func tellsTheLostUploadFromTheKnownOne() throws {
        var play = MultipartPlay(plain, earlier: [intent(), open("known")])
        _ = try play.outcome(
            of: [
                isFree, listUploads(hasUploads([("lost", 0), ("known", 1)])),
                listParts(hasNoParts), abort(reply(204)), listParts(hasParts(has(1))),
            ] + ends)
        #expect(play.orders[3].request.queryValue("uploadId") == "lost")
        #expect(play.warnings.isEmpty)
        #expect(play.open == [])
    }

    @Test func searchesAllPages() throws {
        let first = reply(
            200, [],
            Array(
                ("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                    + "<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>m</NextUploadIdMarker>"
                    + "</ListMultipartUploadsResult>").utf8))
        var play = MultipartPlay(plain, earlier: [intent()])
        _ = try play.outcome(
            of: [
                isFree, listUploads(first), listUploads(hasUploads([("lost", 0)])),
                listParts(hasNoParts), abort(reply(204)), create(begins("id2")),
            ] + ends)
        #expect(play.orders[2].request.queryValue("upload-id-marker") == "m")
        #expect(play.open == [])
    }

    /// A search that fails begins anew, with nothing counted twice.
    @Test func searchesAgainAfterAFault() throws {
        for fault in [breaks(), refuses(500), refuses(503)] {
            var play = MultipartPlay(plain, earlier: [intent()])
            _ = try play.outcome(
                of: [
                    isFree, listUploads(hasUploads([("lost", 0)])), listParts(fault),
                    listUploads(hasUploads([("lost", 0)])), listParts(hasNoParts), abort(fault),
                    listUploads(hasUploads([("lost", 0)])), listParts(hasNoParts),
                    abort(reply(204)), create(begins("id2")),
                ] + ends)
            #expect(play.open == [])
        }
    }

    /// A target that lists no uploads keeps the intent on the books.
    @Test func copiesAlthoughNothingCanBeSearched() throws {
        var play = MultipartPlay(plain, earlier: [intent()])
        let outcome = try play.outcome(
            of: [isFree, listUploads(refuses(403, "AccessDenied")), create(begins("id2"))] + ends)
        #expect(outcome.kind == .copied)
        #expect(play.open == ["intent -"])
    }
}
