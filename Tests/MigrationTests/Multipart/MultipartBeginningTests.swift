//! A large object's beginning: its layout, the target's word that the key is free, and the upload.

import S3
import Testing

@testable import Migration

@Suite struct MultipartBeginningTests {
    private let plain = TestObject("0123456789")
    private var parted: TestObject { plain.inParts() }

    /// What the target answers is believed if it is what the source says; else it has to show it.
    private func ends(_ object: TestObject, _ told: ETag? = nil) -> [Scripted] {
        let etag = told ?? object.partsETag()
        let seen = headTarget(shows(object.with(etag: etag.text)))
        return [headSource(shows(object)), complete(completes(etag))]
            + (etag.text == object.etag ? [] : [seen])
    }

    // MARK: - The usual way

    @Test func copiesAnObjectInPartsOfItsOwn() throws {
        let tagged = plain.with(header: "cache-control", "no-store")
        var play = MultipartPlay(tagged, tags: [])
        let outcome = try play.outcome(of: [isFree, create(begins("id1"))] + ends(tagged))
        #expect(outcome.kind == .copied)
        #expect(outcome.proof == .crc)
        #expect(outcome.etag == tagged.partsETag())
        #expect(outcome.sizeBytes == 10)
        let request = try #require(play.order("target CreateMultipartUpload")?.request)
        #expect(request.headers["cache-control"] == "no-store")
        #expect(request.headers["x-amz-checksum-algorithm"] == "CRC32C")
        let last = try #require(play.order("target CompleteMultipartUpload")?.request)
        #expect(last.headers["if-none-match"] == "*")
        #expect(last.queryValue("uploadId") == "id1")
        let xml = String(decoding: last.body, as: UTF8.self)
        #expect(xml.components(of: "<PartNumber>") == 3)
        #expect(xml.contains("<ChecksumCRC32C>"))
    }

    /// What is about to be done is on the disk before it is done, and the books are empty at the end.
    @Test func writesDownBeforehandWhatItDoes() throws {
        var play = MultipartPlay(plain)
        _ = try play.outcome(of: [isFree, create(begins("id1"))] + ends(plain))
        #expect(
            play.trace == [
                "target HeadObject", "record intent", "target CreateMultipartUpload", "record open",
                "parts 1 2 3", "record completing", "source HeadObject",
                "target CompleteMultipartUpload", "target HeadObject", "record completed",
            ])
        #expect(play.open == [])
        let (intent, completing) = (play.log[0], play.log[2])
        #expect(intent.begunAt == targetDate)
        #expect(intent.isOf(plain.facts) && intent.partBytes == 4 && intent.digest == .crc32c)
        #expect(completing.targetETag == plain.partsETag() && completing.proof == .crc)
        #expect(Set(play.log.dropFirst().map(\.uploadID)) == ["id1"])
    }

    /// The search for a lost upload goes by the target's clock, which went on since it answered.
    @Test func countsTheTimeOnFromTheTargetsClock() throws {
        let useless = uploadRecord("k", .open, id: "id0", facts: TestObject("0").facts)
        var play = MultipartPlay(plain, earlier: [useless])
        _ = try play.outcome(
            of: [
                isFree.taking(.seconds(9)), abort(reply(204)).taking(.seconds(30)),
                create(begins("id1")),
            ] + ends(plain))
        let begun = try #require(play.log.first { $0.state == .intent }?.begunAt)
        #expect(begun.secondsSince1970 - targetDate.secondsSince1970 == 30)
    }

    // MARK: - The layout

    @Test func takesTheSourcesLayoutAndNeedsNoDigest() throws {
        let odd = plain.inParts(of: 3)
        var play = MultipartPlay(odd)
        let outcome = try play.outcome(
            of: [
                headSource(tells(odd, parts: 4, firstBytes: 3)), isFree, create(begins("id1")),
            ] + ends(odd, odd.partsETag(of: 3)))
        #expect(play.orders[0].request.queryValue("partNumber") == "1")
        #expect(play.partsOrders[0].plan == PartPlan(sizeBytes: 10, partBytes: 3))
        #expect(play.partsOrders[0].digest == nil)
        #expect(outcome.proof == .etag)
        #expect(outcome.etag?.text == odd.etag)
    }

    /// Servers that do not know part numbers: with the whole object, or with any error. The parts of a guessed layout
    /// carry a digest, since their ETags may not come out alike.
    @Test func guessesWhatIsNotTold() throws {
        for answer in [
            shows(parted), refuses(400), refuses(403), refuses(404), refuses(416), refuses(500),
            refuses(501), reply(200),
        ] {
            var play = MultipartPlay(parted)
            let outcome = try play.outcome(
                of: [headSource(answer), isFree, create(begins("id1"))] + ends(parted))
            #expect(play.partsOrders[0].plan.count == 3)
            #expect(play.partsOrders[0].digest == .crc32c)
            #expect(outcome.proof == .etag)
        }
    }

    /// A guess that is wrong costs the comparison, and nothing else.
    @Test func aWrongGuessIsNoDoubt() throws {
        let uneven = plain.with(etag: partsETag)
        var rules = TransferRules.multipart()
        rules.partBytes = 5
        var play = MultipartPlay(plain.with(etag: String(partsETag.dropLast()) + "3"), rules)
        let object = play.object
        let outcome = try play.outcome(
            of: [headSource(shows(object)), isFree, create(begins("id1"))] + ends(object))
        #expect(play.partsOrders.count == 1)
        #expect(outcome.proof == .crc)
        _ = uneven
    }

    /// Parts of several sizes, or of too many: the object gets a layout of ours.
    @Test(arguments: [(4, 3), (3, 10), (3, 11), (2, 4)])
    func doesNotTakeALayoutThatDoesNotAgree(count: Int, firstBytes: Int) throws {
        let object = plain.with(etag: "0123456789abcdef0123456789abcdef-3")
        var rules = TransferRules.multipart()
        rules.partBytes = 6
        var play = MultipartPlay(object, rules)
        let parts = object.partsETag(of: 6)
        let outcome = try play.outcome(
            of: [
                headSource(tells(object, parts: count == 4 ? 3 : count, firstBytes: firstBytes)),
                isFree, create(begins("id1")),
            ] + ends(object, parts))
        let isGuessed = play.partsOrders[0].plan.partBytes != 6
        #expect(!isGuessed || count == 4 && firstBytes == 3)
        #expect(outcome.kind == .copied)
    }

    /// A server that was told to allow more parts than S3 does is no reason to trap.
    @Test func takesNoLayoutOfTooManyParts() throws {
        let large = TestObject.sized(10_001)
        let object = large.with(etag: "0123456789abcdef0123456789abcdef-10001")
        var rules = TransferRules.multipart()
        rules.partBytes = 5000
        for answer in [tells(object, parts: 10_001, firstBytes: 1), shows(object)] {
            var play = MultipartPlay(object, rules)
            let outcome = try play.outcome(
                of: [headSource(answer), isFree, create(begins("id1"))]
                    + ends(object, object.partsETag(of: 5000)))
            #expect(play.partsOrders[0].plan.count == 3)
            #expect(outcome.proof == .crc)
        }
    }

    /// The tag of a mounted file system says nothing, so nothing is asked.
    @Test func asksNothingAboutAPlaceholder() throws {
        let object = plain.with(etag: String(repeating: "0", count: 32) + "-3")
        var play = MultipartPlay(object)
        let outcome = try play.outcome(of: [isFree, create(begins("id1"))] + ends(object))
        #expect(outcome.proof == .crc)
    }

    /// Parts that would not fit into the memory are divided anew, and the proof column says so.
    @Test func takesNoPartsThatAreTooLargeForTheMemory() throws {
        let object = plain.inParts(of: 6)
        var rules = TransferRules.multipart()
        rules.sourcePartBytesMax = 5
        var play = MultipartPlay(object, rules)
        let outcome = try play.outcome(
            of: [
                headSource(tells(object, parts: 2, firstBytes: 6)), isFree, create(begins("id1")),
            ] + ends(object))
        #expect(play.partsOrders[0].plan.partBytes == 4)
        #expect(outcome.proof == .crc)
    }

    @Test func saysThatTheMemoryIsTooSmall() throws {
        var rules = TransferRules.multipart()
        rules.claimBytesMax = 3
        var play = MultipartPlay(plain, rules)
        let failure = try #require(try play.outcome(of: []).failure)
        #expect(failure.words == "create too-large")
        #expect(failure.message.contains("--memory"))
    }

    @Test func asksForTheLayoutAgain() throws {
        var play = MultipartPlay(parted)
        let outcome = try play.outcome(
            of: [
                headSource(breaks()), headSource(refuses(503)), headSource(refuses(429)),
                headSource(tells(parted, parts: 3, firstBytes: 4)), isFree, create(begins("id1")),
            ] + ends(parted))
        #expect(outcome.proof == .etag)
        #expect(play.waits.count == 3)
    }

    @Test(arguments: [
        (BodyDigest.Algorithm.crc32c, Proof.crc), (.crc64nvme, .crc), (.sha256, .sha256),
        (.md5, .md5),
    ])
    func provesByTheDigestOfEveryPart(digest: BodyDigest.Algorithm, proof: Proof) throws {
        var play = MultipartPlay(plain, .multipart(digest: digest))
        let outcome = try play.outcome(of: [isFree, create(begins("id1"))] + ends(plain))
        #expect(outcome.proof == proof)
        #expect(play.partsOrders[0].digest == digest)
    }

    /// A target that checks nothing: its tags of the parts are compared with our MD5s, if they are such.
    @Test(arguments: [(true, Proof.md5), (false, .size)])
    func provesWhatItCan(partETagIsMD5: Bool, proof: Proof) throws {
        var play = MultipartPlay(plain, .multipart(digest: nil, partETagIsMD5: partETagIsMD5))
        let outcome = try play.outcome(of: [isFree, create(begins("id1"))] + ends(plain))
        #expect(outcome.proof == proof)
    }

    // MARK: - The target has the key

    @Test func sendsNothingWhereTheTargetHasTheKey() throws {
        var same = MultipartPlay(plain)
        #expect(try same.outcome(headTarget(shows(plain))).logged == "skip-up same")
        var differs = MultipartPlay(plain)
        #expect(
            try differs.outcome(headTarget(shows(TestObject("9876543210")))).logged
                == "skip-up differs")
        var shorter = MultipartPlay(plain)
        #expect(
            try shorter.outcome(headTarget(shows(TestObject("0")))).logged == "skip-up differs")
        // Tags of different kinds cannot be compared.
        var unknown = MultipartPlay(plain)
        #expect(try unknown.outcome(headTarget(shows(parted))).logged == "skip-up size")
        var nameless = MultipartPlay(plain)
        #expect(
            try nameless.outcome(headTarget(reply(200, [("content-length", "10")]))).logged
                == "skip-up size")
        #expect(same.log.isEmpty && differs.log.isEmpty)
    }

    @Test func asksTheTargetAgain() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            of: [
                headTarget(breaks()), headTarget(refuses(500)), headTarget(reply(200)), isFree,
                create(begins("id1")),
            ] + ends(plain))
        #expect(outcome.kind == .copied)
        var hopeless = MultipartPlay(plain, .multipart(retries: 1))
        #expect(
            try hopeless.outcome(headTarget(breaks()), headTarget(breaks())).failure?.words
                == "head transport")
        #expect(hopeless.log.isEmpty)
    }

    @Test func stopsTheRunWithoutABucket() throws {
        var play = MultipartPlay(plain)
        guard case .stoppedRun = try play.play([headTarget(refuses(404, "NoSuchBucket"))]) else {
            Issue.record("the run goes on")
            return
        }
        #expect(play.log.isEmpty)
    }

    // MARK: - Create

    @Test func carriesTagsOnCreate() throws {
        let tags = [ObjectTag(key: "colour", value: "dark blue")]
        for (tagging, header) in [
            (TargetCapabilities.Tagging.onPut, "colour=dark%20blue"), (.afterwards, nil),
            (.none, nil),
        ] as [(TargetCapabilities.Tagging, String?)] {
            var play = MultipartPlay(plain, .multipart(tagging: tagging), tags: tags)
            let afterwards = tagging == .afterwards ? [putTags(reply(200))] : []
            let outcome = try play.outcome(
                of: [isFree, create(begins("id1"))] + ends(plain) + afterwards)
            #expect(
                play.order("target CreateMultipartUpload")?.request.headers["x-amz-tagging"]
                    == header)
            #expect(outcome.losses == (tagging == .none ? .tags : []))
        }
    }

    @Test(arguments: [(400, "InvalidArgument"), (403, "AccessDenied"), (501, "NotImplemented")])
    func failsWhereCreateIsRefused(status: Int, code: String) throws {
        var play = MultipartPlay(plain)
        let script =
            [isFree, create(refuses(status, code))]
            + (status >= 500 ? [listUploads(hasUploads([]))] : [])
        let outcome = try play.outcome(of: script)
        #expect(outcome.failure?.stage == .create)
        #expect(play.open == [])
    }

    /// Somebody else's upload of the same minute is not ours where ours was refused.
    @Test func looksForNothingWhereCreateWasRefused() throws {
        var play = MultipartPlay(plain)
        _ = try play.outcome(isFree, create(refuses(403, "AccessDenied")))
        #expect(!play.trace.contains("target ListMultipartUploads"))
        #expect(play.log.map(\.state) == [.intent, .ended])
    }

    // MARK: - A lost Create

    /// Its intent stays on the books while the object is copied, and is seen to at the end.
    @Test func seesToALostCreateAtTheEnd() throws {
        for fault in [
            breaks(), breaks(.stalled), refuses(500), refuses(503, "SlowDown"), reply(200),
        ] {
            var play = MultipartPlay(plain)
            let outcome = try play.outcome(
                of: [isFree, create(fault), create(begins("id2"))] + ends(plain) + [
                    listUploads(hasUploads([("id1", 0)])), listParts(hasNoParts),
                    abort(reply(204)),
                ])
            #expect(outcome.kind == .copied)
            #expect(play.orders.last?.request.queryValue("uploadId") == "id1")
            #expect(
                play.log.map(\.state) == [
                    .intent, .intent, .open, .completing, .ended, .completed,
                ])
            #expect(play.open == [])
        }
    }

    /// libcurl sent the request twice: one upload is known, the other may be there.
    @Test func seesToACreateThatWentOutTwice() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            of: [isFree, create(begins("id2", resent: 1))] + ends(plain) + [
                listUploads(hasUploads([("id1", 1)])), listParts(hasNoParts), abort(reply(204)),
            ])
        #expect(outcome.kind == .copied)
        #expect(play.open == [])
    }

    /// Each kept connection that it was sent on broke before the answer.
    @Test func seesToACreateThatWentOutThreeTimes() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            of: [isFree, create(begins("id3", resent: 2))] + ends(plain) + [
                listUploads(hasUploads([("id1", 0), ("id2", 1)])),
                listParts(hasNoParts), abort(reply(204)),
                listParts(hasNoParts), abort(reply(204)), listUploads(hasUploads([])),
            ])
        #expect(outcome.kind == .copied)
        #expect(play.open == [])
    }

    @Test func aCreateThatWentOutThreeTimesAndWasRefusedIsLookedFor() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            isFree, create(refuses(403, "AccessDenied", resent: 2)),
            listUploads(hasUploads([("id1", 0), ("id2", 1)])),
            listParts(hasNoParts), abort(reply(204)), listParts(hasNoParts), abort(reply(204)))
        #expect(outcome.failure?.faultClass == .denied)
        #expect(play.open == ["intent -"], "one line for each is left for the next run to look at")
    }

    /// It went out twice, and neither was answered: there may be two.
    @Test func seesToBothOfACreateThatWentOutTwiceInVain() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            of: [isFree, create(breaks(resent: 1)), create(begins("id3"))] + ends(plain) + [
                listUploads(hasUploads([("id1", 0), ("id2", 1)])),
                listParts(hasNoParts), abort(reply(204)),
                listParts(hasNoParts), abort(reply(204)), listUploads(hasUploads([])),
            ])
        #expect(outcome.kind == .copied)
        #expect(play.open == [])
    }

    /// Until that is done it stands in the log, for the run that comes after a crash.
    @Test func aCreateThatWentOutTwiceStaysOnTheBooks() throws {
        var play = MultipartPlay(plain, .multipart(retries: 0))
        _ = try play.outcome(
            isFree, create(begins("id2", resent: 1)), headSource(breaks()))
        #expect(play.open.sorted() == ["completing id2", "intent -"])
    }

    @Test func aCreateThatWentOutTwiceAndWasRefusedIsLookedFor() throws {
        var play = MultipartPlay(plain)
        let outcome = try play.outcome(
            isFree, create(refuses(403, "AccessDenied", resent: 1)),
            listUploads(hasUploads([("id1", 0)])), listParts(hasNoParts), abort(reply(204)))
        #expect(outcome.failure?.faultClass == .denied)
        #expect(play.open == [])
    }

    /// What a Create begins minutes after its intent would not be found by it.
    @Test func writesALateCreateDownAnew() throws {
        var play = MultipartPlay(plain)
        _ = try play.outcome(
            of: [
                isFree, create(refuses(429)).taking(.seconds(100)), create(breaks()),
                create(begins("id2")),
            ] + ends(plain) + [
                listUploads(hasUploads([("id1", 100)])), listParts(hasNoParts), abort(reply(204)),
            ])
        #expect(
            play.log.map(\.state) == [
                .intent, .ended, .intent, .intent, .open, .completing, .ended, .completed,
            ])
        #expect(play.open == [])
    }

    /// While the target does not answer, nothing can be looked for; a later run will.
    @Test func keepsTheIntentOfAnUnansweredCreate() throws {
        var play = MultipartPlay(plain, .multipart(retries: 2))
        let outcome = try play.outcome(
            isFree, create(breaks()), create(breaks()), create(breaks()))
        #expect(outcome.failure?.words == "create transport")
        #expect(play.open == ["intent -", "intent -", "intent -"])
    }
}

extension Outcome {
    /// Kind and proof, as migrate.log tells them.
    var logged: String { "\(kind.rawValue) \(proof?.rawValue ?? "-")" }
}

extension String {
    /// How often a text occurs.
    func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
