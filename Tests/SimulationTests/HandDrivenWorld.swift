//! A world in which one transfer is played by hand: what the tests of the rules about uploads stand on.

import Migration
import S3

struct HandDrivenWorld {
    let world: World
    let key = ObjectKey("k")
    /// What `print` of the world was given.
    let lines = Lines()
    private var flight = 0

    final class Lines {
        var all: [String] = []
    }

    /// The source has an object of 8 bytes, the target nothing.
    init(_ change: (inout Scenario) -> Void = { _ in }) {
        var random = SeededRandom(seed: 1)
        var scenario = Scenario(seed: 1, mutation: nil, &random)
        scenario.source = ServerTraits()
        scenario.target = ServerTraits()
        scenario.listed = []
        scenario.shard = .whole
        scenario.faults = .none
        scenario.deniedAtSource = []
        scenario.deniedAtTarget = []
        scenario.slowness = 0
        change(&scenario)
        world = World(scenario, &random)
        world.capabilities = scenario.capabilities
        world.record.print = { [lines] in lines.all.append($0) }
        write(content: 1, byteCount: 8)
        begin(run: 0)
    }

    var rules: [Rule] { world.record.violations.map(\.rule) }

    func body(_ range: Range<Int64>, content: Int = 1) -> Body {
        Body(content: content, byteCount: range.upperBound)[range]
    }

    /// A client writes the source's object anew.
    func write(content: Int, byteCount: Int64) {
        let body = Body(content: content, byteCount: byteCount)
        let object = Stored(
            serial: world.nextSerial(), author: .client, body: body, etag: hexText(body.md5),
            modified: world.timeOfDay, since: world.now)
        world.source.put(object, at: key, now: world.now)
    }

    /// A transfer begins, in a run of this number.
    func begin(run: Int) {
        world.runningRun = run
        world.record.episodes.append(
            Episode(
                pass: 0, run: run, item: WorkItem(sequence: 0, key: key), begun: world.now))
    }

    /// Sends a request, and lets time pass until its answer is there; nil when it was lost.
    @discardableResult
    func ask(_ request: Request, _ upload: Body? = nil, side: Side = .target) -> Response? {
        let number = send(request, upload, side: side)
        while let (time, event) = world.queue.next() {
            world.now = time
            switch event {
            case .arrives(let flight): world.arrive(flight)
            case .answers(let flight) where flight == number:
                guard
                    let run = world.runningRun,
                    case .answered(let served, _) = world.land(flight, run: run)?.reply
                else { return nil }
                return served.response
            default: break
            }
        }
        return nil
    }

    func send(_ request: Request, _ upload: Body? = nil, side: Side = .target) -> Int {
        let episode = world.record.episodes.count - 1
        world.record.episodes[episode].steps.append(
            Episode.Step(side: side, operation: request.operation, sentAt: world.now))
        let order = ExchangeOrder(
            side, request, upload: upload.map { .object(byteCount: $0.byteCount) } ?? .request)
        return world.send(
            Flight(
                order: order, upload: upload ?? Body(text: request.body),
                run: world.record.episodes[episode].run, slot: 0, episode: episode,
                step: world.record.episodes[episode].steps.count - 1, signedOffsetSeconds: 0))
    }

    // MARK: - Uploads

    var create: Request {
        CreateMultipartUpload.request(bucket: "target", key: key, metadata: HeaderFields())
    }

    func part(_ number: Int, _ id: String, digest: BodyDigest? = nil) -> Request {
        UploadPart.request(
            bucket: "target", key: key, uploadID: id, partNumber: number, digest: digest)
    }

    func abort(_ id: String) -> Request {
        AbortMultipartUpload.request(bucket: "target", key: key, uploadID: id)
    }

    /// With the parts that the server has.
    func complete(_ id: String, condition: PutObject.Condition = .ifAbsent) -> Request {
        let parts = (world.target.uploads[id]?.orderedParts ?? []).map {
            CompleteMultipartUpload.Part(number: $0.number, etag: ETag($0.etag))
        }
        let request = CompleteMultipartUpload.request(
            bucket: "target", key: key, uploadID: id, parts: parts, condition: condition)
        return request
    }

    /// Begins an upload and sends these bytes as its parts.
    func upload(_ bodies: [Body]) throws -> String {
        let create = create
        guard let response = ask(create) else { throw Lost() }
        let id = try CreateMultipartUpload.answer(response, to: create)
        for (index, body) in bodies.enumerated() { ask(part(index + 1, id), body) }
        return id
    }

    struct Lost: Error {}
}
