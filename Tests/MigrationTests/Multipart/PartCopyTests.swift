//! One part's way: what is asked for, what is believed, and what ends it.

import S3
import Testing

@testable import Migration

@Suite struct PartCopyTests {
    private let object = TestObject("0123456789")

    private func takesPart(_ number: Int = 2) -> Scripted {
        putPart(takes(etag: object.partETag(number).text))
    }

    // MARK: - The usual way

    @Test(arguments: [(1, "bytes=0-3", 4), (2, "bytes=4-7", 4), (3, "bytes=8-9", 2)])
    func copiesItsBytes(number: Int, range: String, byteCount: Int64) throws {
        var play = PartPlay(object, part: number)
        let outcome = try play.outcome(get(sends(object)), takesPart(number))
        #expect(outcome.receipt == PartReceipt(etag: object.partETag(number), digest: nil))
        #expect(play.reservations == [byteCount])
        #expect(play.buffer == object.part(number))
        let (read, write) = (play.orders[0].request, play.orders[1].request)
        #expect(read.headers["range"] == range)
        #expect(read.headers["if-match"] == "\"\(object.etag ?? "")\"")
        #expect(write.query.contains { $0.name == "partNumber" && $0.value == "\(number)" })
        #expect(write.query.contains { $0.name == "uploadId" && $0.value == "id1" })
        guard case .object(byteCount) = play.orders[1].upload else {
            Issue.record("another body than the part")
            return
        }
    }

    /// There is a server that answers a range with 200, and the right bytes.
    @Test func takesARangeWhateverTheStatusSays() throws {
        var play = PartPlay(object)
        let outcome = try play.outcome(get(sends(object, .partialAs200)), takesPart())
        #expect(outcome.words == "copied")
    }

    /// An object of one part may come whole.
    @Test func takesAWholeObjectForItsOnlyPart() throws {
        let small = TestObject("abc")
        var play = PartPlay(small, part: 1)
        let outcome = try play.outcome(
            get(sends(small, .whole)), putPart(takes(etag: small.etag)))
        #expect(outcome.words == "copied")
    }

    @Test(arguments: BodyDigest.Algorithm.allCases)
    func tellsTheTargetWhatToExpect(algorithm: BodyDigest.Algorithm) throws {
        var play = PartPlay(object, digest: algorithm)
        let outcome = try play.outcome(get(sends(object)), takesPart())
        let digest = algorithm.digest(of: object.part(2))
        #expect(play.hashes == [algorithm])
        #expect(outcome.receipt?.digest == digest)
        let request = play.orders[1].request
        let expected = UploadPart.request(
            bucket: "to", key: ObjectKey("k"), uploadID: "id1", partNumber: 2, digest: digest)
        for name in ["x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "content-md5"] {
            #expect(request.headers[name] == expected.headers[name], "\(name)")
        }
        let sent = ["x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "content-md5"].filter {
            request.headers[$0] != nil
        }
        let isInHeader = algorithm != .sha256
        #expect(sent.count == (isInHeader ? 1 : 0))
        if case .sha256(let hash) = request.payloadHash {
            #expect(hash == SHA256.digest(of: object.part(2)))
        } else {
            #expect(isInHeader, "the signature does not cover the body")
        }
    }

    // MARK: - Again

    @Test(arguments: [
        breaks(), breaks(.stalled), breaks(.tls), breaks(.overflow), refuses(500, "InternalError"),
        refuses(503, "SlowDown"), refuses(429), refuses(408), refuses(502),
        reply(206, [("content-range", "nonsense")]), reply(206),
    ])
    func readsAgain(after fault: @escaping Scripted.Answer) throws {
        var play = PartPlay(object)
        let outcome = try play.outcome(get(fault), get(fault), get(sends(object)), takesPart())
        #expect(outcome.words == "copied")
        #expect(play.waits.count == 2)
        #expect(play.reservations == [4, 4, 4])
    }

    @Test(arguments: [
        breaks(), breaks(.stalled), refuses(500), refuses(503, "SlowDown"), refuses(429),
        refuses(400, "BadDigest"), refuses(400, "RequestTimeout"), refuses(409), takes(etag: nil),
    ])
    func writesAgain(after fault: @escaping Scripted.Answer) throws {
        var play = PartPlay(object, digest: .crc32c)
        let outcome = try play.outcome(
            get(sends(object)), putPart(fault), putPart(fault), takesPart())
        #expect(outcome.words == "copied")
        #expect(play.waits.count == 2)
        #expect(play.hashes.count == 1, "the bytes are still the same")
    }

    @Test func signsByTheServersClockAfterAComplaint() throws {
        let skewed = refuses(
            403, "RequestTimeTooSkewed", headers: [("date", "Thu, 01 Jan 2026 00:00:00 GMT")])
        var play = PartPlay(object)
        _ = try play.outcome(
            get(skewed), get(sends(object)), putPart(skewed), takesPart())
        #expect(play.clocks.map(\.side) == [.source, .target])
    }

    /// A good reading ends a row of failures; those of the writing count anew.
    @Test func countsEachStepsFailures() throws {
        var play = PartPlay(object, .multipart(retries: 2))
        let outcome = try play.outcome(
            get(breaks()), get(breaks()), get(sends(object)), putPart(breaks()), putPart(breaks()),
            takesPart())
        #expect(outcome.words == "copied")
    }

    @Test(arguments: [0, 1, 3])
    func givesUpInTheEnd(retries: Int) throws {
        var reading = PartPlay(object, .multipart(retries: retries))
        let reads = Array(repeating: get(breaks()), count: retries + 1)
        guard case .finished(.failed(let failure)) = try reading.play(reads) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.words == "get transport")
        #expect(failure.attempts == retries + 1)
        var writing = PartPlay(object, .multipart(retries: retries))
        let writes = Array(repeating: putPart(refuses(500)), count: retries + 1)
        guard case .finished(.failed(let late)) = try writing.play([get(sends(object))] + writes)
        else {
            Issue.record("no failure")
            return
        }
        #expect(late.words == "part server")
    }

    @Test(arguments: [(403, "AccessDenied", "denied"), (403, "InvalidObjectState", "archived")])
    func givesUpAtOnceWhatIsRefused(status: Int, code: String, word: String) throws {
        var play = PartPlay(object)
        #expect(try play.outcome(get(refuses(status, code))).words == "failed get \(word)")
    }

    @Test(arguments: [(404, "NoSuchBucket"), (403, "InvalidAccessKeyId"), (400, "ExpiredToken")])
    func stopsTheRun(status: Int, code: String) throws {
        for script in [
            [get(refuses(status, code))], [get(sends(object)), putPart(refuses(status, code))],
        ] {
            var play = PartPlay(object)
            guard case .stoppedRun(let failure) = try play.play(script) else {
                Issue.record("the run goes on")
                continue
            }
            #expect(failure.code == code)
        }
    }

    // MARK: - Another object

    private var newer: TestObject {
        var newer = TestObject("abcdefghij")
        newer.lastModified = "Thu, 01 Jan 2026 00:00:09 GMT"
        return newer
    }

    @Test func seesThatTheSourceChanged() throws {
        var sameTag = newer
        sameTag.etag = object.etag
        var sameTime = newer
        sameTime.lastModified = object.lastModified
        let shorter = TestObject("0123").with(etag: object.etag)
        for answer in [
            refuses(412, "PreconditionFailed"), refuses(416, "InvalidRange"),
            refuses(404, "NoSuchKey"), sends(newer), sends(sameTag), sends(sameTime),
            sends(newer, .whole), sends(shorter, .whole),
        ] {
            var play = PartPlay(object)
            #expect(try play.outcome(get(answer)).words == "changed")
        }
    }

    /// Only the words "no such key" mean that it is gone.
    @Test func aBare404IsNoDelete() throws {
        var play = PartPlay(object)
        #expect(try play.outcome(get(refuses(404))).words == "failed get refused")
    }

    /// One whole object may come from a cache; a source that always sends it cannot be read in parts.
    @Test func refusesToCopyFromASourceWithoutRanges() throws {
        let whole = get(sends(object, .whole))
        var play = PartPlay(object)
        #expect(
            try play.outcome(whole, whole, get(sends(object)), takesPart()).words == "copied")
        var hopeless = PartPlay(object)
        guard case .failed(let failure) = try hopeless.outcome(whole, whole, whole) else {
            Issue.record("a part was made of the whole")
            return
        }
        #expect(failure.words == "get refused")
        #expect(failure.message.contains("--multipart-threshold"))
    }

    /// The bytes of another place would make a mixture of the right size.
    @Test(arguments: ["bytes 0-3/10", "bytes 5-8/10", "bytes 4-6/10"])
    func doesNotTakeOtherBytes(range: String) throws {
        let count = range.hasPrefix("bytes 4-6") ? 3 : 4
        let headers = object.headerFields(length: count) + [("content-range", range)]
        let wrong = get(reply(206, headers, Array(repeating: 0, count: count)))
        var play = PartPlay(object, .multipart(retries: 1))
        #expect(try play.outcome(wrong, wrong).words == "failed get bad-answer")
        var recovers = PartPlay(object)
        #expect(try recovers.outcome(wrong, get(sends(object)), takesPart()).words == "copied")
        #expect(recovers.buffer == object.part(2))
    }

    /// The head tells of more than came.
    @Test func doesNotTakeFewerBytesThanWereTold() throws {
        let headers = object.headerFields(length: 4) + [("content-range", "bytes 4-7/10")]
        var play = PartPlay(object)
        let outcome = try play.outcome(
            get(reply(206, headers, [1, 2, 3])), get(sends(object)), takesPart())
        #expect(outcome.words == "copied")
    }

    // MARK: - The target's word

    /// Where no digest is checked, the target's tag of the part has to be our MD5.
    @Test func noticesADamagedPart() throws {
        var play = PartPlay(object, digest: .md5)
        let outcome = try play.outcome(
            get(sends(object)), putPart(takes(etag: md5Text([1]))), takesPart())
        #expect(outcome.words == "copied")
        var hopeless = PartPlay(object, digest: .md5, .multipart(retries: 0))
        #expect(
            try hopeless.outcome(get(sends(object)), putPart(takes(etag: md5Text([1])))).words
                == "failed part mismatch")
        // Elsewhere its tags say nothing.
        var other = PartPlay(object, digest: .md5, .multipart(partETagIsMD5: false))
        #expect(
            try other.outcome(get(sends(object)), putPart(takes(etag: "x"))).receipt?.etag.text
                == "x")
    }

    @Test(arguments: ["NoSuchUpload", "NoSuchKey"])
    func tellsOfALostUpload(code: String) throws {
        var play = PartPlay(object)
        let outcome = try play.outcome(get(sends(object)), putPart(refuses(404, code)))
        #expect(outcome.words == "gone part refused")
    }

    @Test(
        arguments: [
            (400, "EntityTooLarge"), (413, nil), (400, "EntityTooSmall"), (400, "InvalidArgument"),
        ]
            as [(Int, String?)])
    func tellsOfARefusedSize(status: Int, code: String?) throws {
        var play = PartPlay(object)
        let outcome = try play.outcome(get(sends(object)), putPart(refuses(status, code)))
        #expect(outcome.words == "size part refused")
    }

    // MARK: - The second reading

    private var known: [Int: PartReceipt] {
        [2: PartReceipt(etag: object.partETag(2), digest: nil)]
    }

    @Test func sendsNothingTwiceThatWasReadAlike() throws {
        var play = PartPlay(object, known: known)
        #expect(try play.outcome(get(sends(object))).receipt == known[2])
        #expect(play.hashes == [.md5])
    }

    @Test func sendsAgainWhatWasReadOtherwise() throws {
        let damaged = [2: PartReceipt(etag: ETag(md5Text([1])), digest: nil)]
        var play = PartPlay(object, known: damaged)
        let outcome = try play.outcome(get(sends(object)), takesPart())
        #expect(outcome.receipt?.etag == object.partETag(2))
        #expect(play.orders[1].request.headers["content-md5"] != nil)
    }

    /// An upload that was created for a CRC takes no part without one.
    @Test func aSecondReadingKeepsTheUploadsDigest() throws {
        let damaged = [2: PartReceipt(etag: ETag(md5Text([1])), digest: .crc32c(1))]
        var play = PartPlay(object, digest: .crc32c, known: damaged)
        let outcome = try play.outcome(get(sends(object)), takesPart())
        #expect(play.hashes == [.md5, .crc32c])
        #expect(play.orders[1].request.headers["x-amz-checksum-crc32c"] != nil)
        #expect(play.orders[1].request.headers["content-md5"] == nil)
        #expect(outcome.receipt?.digest == BodyDigest.Algorithm.crc32c.digest(of: object.part(2)))
    }
}
