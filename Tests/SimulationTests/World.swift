//! The simulated world outside of the program: two servers, the time, and what is on its way.

import Migration
import S3

final class World {
    var scenario: Scenario
    var source: Store
    var target: Store
    var queue = EventQueue()
    var now = Instant(elapsed: .zero)
    var record = Record()
    /// For the network and its faults; clients and the worker have their own.
    var random: SeededRandom
    var clientRandom: SeededRandom
    var flights: [Int: Flight] = [:]
    var flightCount = 0
    var writeCount = 0
    var contentCount = 0
    /// A server's clock was wrong for some of the time, so that the ages of what it has are, too.
    var clockHasJumped = false
    /// How far the servers' clocks are ahead of the true time.
    var clockOffsetSeconds: [Side: Int64] = [:]
    /// Keys that a client wrote or deleted, at either side, after the beginning.
    var touched: Set<ObjectKey> = []
    var clientActionsLeft: Int
    /// What clients have begun to upload in parts at the target.
    var clientUploads: [ClientUpload] = []
    var uploadBook = UploadBook()
    /// The run that is going on; nil between two.
    var runningRun: Int?
    /// No more faults and clients: what is left to be done must now succeed.
    var isCalm = false
    /// Something went wrong that would go on for ever.
    var isHopeless = false
    /// What the program was told of the target.
    var capabilities = TargetCapabilities()
    /// The keys of the list that is being worked on.
    var listOfPass: [ObjectKey] = []
    var passNumber = 0
    /// Keys that a log had when the present run began.
    var settled: Set<ObjectKey> = []
    /// What the target's lists have.
    var targetListed: Set<ObjectKey> = []

    /// 2023-11-14T22:13:20Z.
    private static let beginning: Int64 = 1_700_000_000

    init(_ scenario: Scenario, _ random: inout SeededRandom) {
        self.scenario = scenario
        source = Store(.source, traits: scenario.source)
        target = Store(.target, traits: scenario.target)
        self.random = random.fork()
        clientRandom = random.fork()
        clientActionsLeft = scenario.clientActionCount
        populate()
    }

    subscript(side: Side) -> Store {
        get { side == .source ? source : target }
        set {
            switch side {
            case .source: source = newValue
            case .target: target = newValue
            }
        }
    }

    /// The true time of day.
    var timeOfDay: Timestamp {
        Timestamp(secondsSince1970: World.beginning + now.elapsed.components.seconds)
    }

    func timeOfDay(at side: Side) -> Timestamp {
        Timestamp(
            secondsSince1970: timeOfDay.secondsSince1970 + clockOffsetSeconds[side, default: 0])
    }

    func nextSerial() -> Int {
        writeCount += 1
        return writeCount
    }

    /// Whether this host, and nobody else, has to handle a key.
    func isOurs(_ key: ObjectKey) -> Bool {
        scenario.shard.contains(key)
            && (!targetListed.contains(key) || scenario.overwrite != .never)
    }

    /// The keys that have to stand in `migrate.log` in the end.
    var keysToLog: [ObjectKey] { scenario.listed.filter(scenario.shard.contains) }
}

// MARK: - Between two runs

extension World {
    /// Lets time pass in which no program runs.
    func pass(_ duration: Duration) {
        let end = now + duration
        var later: [(at: Instant, event: Event)] = []
        while let (time, event) = queue.next() {
            guard time <= end else {
                later.append((time, event))
                break
            }
            now = time
            switch event {
            case .arrives(let flight): arrive(flight)
            case .clientActs: clientActs()
            case .answers, .process: break
            }
        }
        for (time, event) in later { queue.add(event, at: time) }
        now = end
    }
}
