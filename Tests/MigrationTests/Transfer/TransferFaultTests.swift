//! Every class of fault at every step: again from where it was, or the end with the right words.

import Migration
import S3
import Testing

/// A place on an object's way where an exchange can fail.
struct Place: CustomTestStringConvertible, Sendable {
    var stage: Stage
    var title: String
    /// What leads there.
    var before: @Sendable () -> [Scripted]
    var fails: @Sendable (@escaping Scripted.Answer) -> Scripted
    /// What follows when the same step is tried again and works, to the copy.
    var after: @Sendable () -> [Scripted]
    var rules = TransferRules.play

    var testDescription: String { title }

    /// A HEAD's 404 has no words, and tags that are gone are read again with their object.
    var takes404ForTheObject: Bool {
        ["get-tags", "head", "recheck", "settle", "measure"].contains(title)
    }

    static let object = TestObject("hello")
    static let tagged = object.with(header: "x-amz-tagging-count", "1")
    static let tags = hasTags([("a", "1")])
    static let written = put(takes(etag: object.etag))

    static let all: [Place] = [
        Place(
            stage: .get, title: "get", before: { [] }, fails: get,
            after: { [get(sends(object)), written] }),
        Place(
            stage: .getTags, title: "get-tags", before: { [get(sends(tagged))] }, fails: getTags,
            after: { [getTags(tags), written] }),
        Place(
            stage: .head, title: "head", before: { [get(sends(object))] }, fails: headTarget,
            after: { [headTarget(refuses(404)), written] }, rules: .play(conditional: false)),
        Place(
            stage: .recheck, title: "recheck",
            before: { [get(sends(object)), put(refuses(409)).taking(.seconds(2))] },
            fails: headSource, after: { [headSource(shows(object)), written] }),
        Place(
            stage: .put, title: "put", before: { [get(sends(object))] }, fails: put,
            after: { [written] }),
        Place(
            stage: .settle, title: "settle", before: { [get(sends(object)), put(refuses(412))] },
            fails: headTarget, after: { [headTarget(refuses(404)), written] }),
        Place(
            stage: .settle, title: "measure",
            before: { [get(sends(object)), put(takes(etag: nil))] }, fails: headTarget,
            after: { [headTarget(shows(object))] }, rules: .play(checksMD5: false)),
        Place(
            stage: .putTags, title: "put-tags",
            before: { [get(sends(tagged)), getTags(tags), written] }, fails: putTags,
            after: { [putTags(reply(200))] }, rules: .play(tagging: .afterwards)),
    ]
}

/// A way in which an exchange can fail, and the class it is of.
struct Blow: CustomTestStringConvertible, Sendable {
    var faultClass: FaultClass
    var title: String
    var answer: @Sendable () -> Scripted.Answer

    var testDescription: String { title }

    init(
        _ faultClass: FaultClass, _ title: String,
        _ answer: @escaping @Sendable () -> Scripted.Answer
    ) {
        self.faultClass = faultClass
        self.title = title
        self.answer = answer
    }

    static let passing = [
        Blow(.transport, "broken") { breaks(.broken) },
        Blow(.stalled, "stalled") { breaks(.stalled) },
        Blow(.tls, "tls") { breaks(.tls) },
        Blow(.badAnswer, "overflow") { breaks(.overflow) },
        Blow(.server, "500") { refuses(500, "InternalError") },
        Blow(.server, "502 of a proxy") { refuses(502) },
        Blow(.server, "RequestTimeout") { refuses(400, "RequestTimeout") },
        Blow(.throttled, "503") { refuses(503, "SlowDown") },
        Blow(.throttled, "429") { refuses(429) },
        Blow(.skew, "skew") { refuses(403, "RequestTimeTooSkewed") },
        Blow(.conflict, "409") { refuses(409, "OperationAborted") },
    ]

    static let fatal = [
        Blow(.fatal, "NoSuchBucket") { refuses(404, "NoSuchBucket") },
        Blow(.fatal, "InvalidAccessKeyId") { refuses(403, "InvalidAccessKeyId") },
        Blow(.fatal, "redirect") { refuses(301, "PermanentRedirect") },
        Blow(.expired, "ExpiredToken") { refuses(400, "ExpiredToken") },
    ]
}

@Suite struct TransferFaultTests {
    private func retries(_ place: Place, _ count: Int) -> TransferRules {
        var rules = place.rules
        rules.retries = RetryPolicy(retriesMax: count)
        return rules
    }

    @Test(arguments: Place.all, Blow.passing)
    func triesTheSameStepAgain(place: Place, blow: Blow) throws {
        var play = TransferPlay(place.rules)
        play.waitsTakeTime = false
        let failure = place.fails(blow.answer())
        let outcome = try play.outcome(of: place.before() + [failure, failure] + place.after())
        #expect(outcome.kind == .copied)
        #expect(outcome.losses == [])
    }

    @Test(arguments: Place.all, Blow.passing)
    func givesUpWithTheStageAndTheClass(place: Place, blow: Blow) throws {
        var play = TransferPlay(retries(place, 3))
        play.waitsTakeTime = false
        let failure = place.fails(blow.answer())
        // A step that failed before on this object has used up one of the attempts.
        let count = place.title == "recheck" ? 3 : 4
        let failures = Array(repeating: failure, count: count)
        let outcome = try play.outcome(of: place.before() + failures)
        #expect(outcome.kind == .failed)
        #expect(outcome.failure?.words == "\(place.stage.rawValue) \(blow.faultClass.rawValue)")
        #expect(outcome.failure?.attempts == 4)
        #expect(play.waits.count == 3)
    }

    @Test(arguments: Place.all, Blow.fatal)
    func stopsTheRunForWhatConcernsAll(place: Place, blow: Blow) throws {
        guard !(blow.title == "NoSuchBucket" && place.takes404ForTheObject) else { return }
        var play = TransferPlay(place.rules)
        let script = place.before() + [place.fails(blow.answer())]
        guard case .stoppedRun(let failure) = try play.play(script)
        else { throw PlayError("the run goes on") }
        #expect(failure.words == "\(place.stage.rawValue) \(blow.faultClass.rawValue)")
    }

    @Test(arguments: Place.all)
    func givesUpAtOnceWhatIsDenied(place: Place) throws {
        var play = TransferPlay(place.rules)
        let denied = place.fails(refuses(403, "AccessDenied"))
        switch place.stage {
        case .getTags:
            #expect(try play.outcome(of: place.before() + [denied, Place.written]).losses == .tags)
        case .putTags:
            #expect(try play.outcome(of: place.before() + [denied]).losses == .tags)
        default:
            let outcome = try play.outcome(of: place.before() + [denied])
            #expect(outcome.failure?.words == "\(place.stage.rawValue) denied")
            #expect(outcome.failure?.status == 403)
            #expect(outcome.failure?.code == "AccessDenied")
        }
    }

    @Test func failsWhatCannotBeWrittenAsHTTP() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(sends(Place.object)), put(breaks(.unsendable)))
        #expect(outcome.failure?.words == "put refused")
        #expect(outcome.failure?.message == "cut")
    }

    @Test func failsAnArchivedObject() throws {
        var play = TransferPlay()
        let outcome = try play.outcome(get(refuses(403, "InvalidObjectState")))
        #expect(outcome.failure?.words == "get archived")
    }

    @Test func stopsTheRunWhereTheTargetIsFull() throws {
        var play = TransferPlay()
        guard
            case .stoppedRun = try play.play(
                [get(sends(Place.object)), put(refuses(403, "QuotaExceeded"))])
        else { throw PlayError("the run goes on") }
    }

    @Test func handsOnTheServersClock() throws {
        var play = TransferPlay()
        let skewed = refuses(
            403, "RequestTimeTooSkewed", headers: [("date", "Thu, 01 Jan 2026 00:00:00 GMT")])
        _ = try play.outcome(
            get(skewed), get(sends(Place.object)), put(skewed), Place.written)
        let now = Timestamp(secondsSince1970: 1_767_225_600)
        #expect(
            play.clocks == [
                ServerClock(side: .source, now: now), ServerClock(side: .target, now: now),
            ])
    }

    @Test func staysAwayAsLongAsTheServerAsks() throws {
        var play = TransferPlay()
        let busy = refuses(503, "SlowDown", headers: [("retry-after", "7")])
        _ = try play.outcome(get(busy), get(sends(Place.object)), Place.written)
        #expect(play.waits == [.seconds(7)])
    }

    @Test func retriesNothingWhenToldSo() throws {
        var play = TransferPlay(.play(retries: 0))
        let outcome = try play.outcome(get(breaks()))
        #expect(outcome.failure?.words == "get transport")
        #expect(outcome.failure?.attempts == 1)
        #expect(outcome.failure?.status == nil)
    }

    /// A success in between begins the count anew; what failed altogether stands in the log.
    @Test func countsFailuresOfAStepInARow() throws {
        var play = TransferPlay(.play(retries: 2))
        let object = TestObject.sized(1_500_000)
        let outcome = try play.outcome(
            get(breaks()), get(breaks()), get(sends(object)), get(breaks()), get(breaks()),
            get(sends(object)), put(breaks()), put(breaks()), put(breaks()))
        #expect(outcome.failure?.words == "put transport")
        #expect(outcome.failure?.attempts == 7)
    }
}
