//! What happened, as the invariants need it and a reader of the trace wants it.

import Migration
import S3

/// One transfer of one object, with all its exchanges.
struct Episode: Sendable {
    struct Step: Sendable {
        var side: Side
        var operation: String
        var sentAt: Instant
        var mishap: Mishap?
        var servedAt: Instant?
        var status: Int?
        /// What the server had when it acted.
        var seen: Stored?
        /// What it had then, if it wrote.
        var wrote: Stored?

        /// A HEAD of the source's first part, which tells nothing of the object that is copied.
        var isForLayout = false
        /// It met nobody, and soon after it there was somebody again.
        var looksLikeNoOutage = false

        var readsObject: Bool { ["GetObject", "HeadObject"].contains(operation) }
    }

    var pass: Int
    var run: Int
    var item: WorkItem
    var begun: Instant
    var ended: Instant?
    var outcome: Outcome?
    var steps: [Step] = []

    /// The sequence number of what belongs to no object of its run.
    static let cleanup = -1

    /// It went in parts.
    var isLarge: Bool { steps.contains { Self.ofParts.contains($0.operation) } }

    private static let ofParts: Set<String> = [
        "CreateMultipartUpload", "ListParts", "UploadPart", "CompleteMultipartUpload",
        "AbortMultipartUpload",
    ]
}

extension World {
    /// An object is begun, by this run for the first time.
    func beginEpisode(_ item: WorkItem, run: Int) -> Int {
        record.episodes.append(Episode(pass: passNumber, run: run, item: item, begun: now))
        record.note(now, "begin \(item.key) #\(record.episodes.count - 1)")
        return record.episodes.count - 1
    }

    /// The episode of an object that a run has begun.
    func episode(of item: WorkItem, run: Int) -> Int? {
        record.episodes.lastIndex { $0.run == run && $0.item.sequence == item.sequence }
    }

    /// The abort of an upload that nobody needs, which tells its key with its first request.
    func beginCleanup(_ order: ExchangeOrder, run: Int) -> Int {
        let key = order.request.key ?? ObjectKey(order.request.value("prefix") ?? "")
        return beginEpisode(WorkItem(sequence: Episode.cleanup, key: key), run: run)
    }
}

/// What has to hold, whatever happens.
enum Rule: String, Sendable {
    case overwrote = "nothing existing is overwritten"
    case cameBack = "nothing that a client deleted comes back"
    case tagged = "a client's object keeps its tags"
    case strayed = "only this host's keys are touched"
    case untrueCopy = "a line that says copied is true"
    case untrueSkip = "a line that says skipped is true"
    case lostAnswer = "what we wrote ourselves is no skip"
    case baselessFailure = "nothing fails without a reason"
    case missing = "every object that no client touched is at the target"
    case forgotten = "no outcome is forgotten"
    case doneAgain = "nothing that is logged is done again"
    case logForm = "the logs have the right form and order"
    case watermark = "the last key of migrate.log is a true watermark"
    case logTruth = "the logs tell what happened"
    case mixture = "the target never shows a mixture of two versions"
    case leftover = "no upload of ours is left"
    case foreignUpload = "the uploads of others are never touched"
    case sentAgain = "a part that was acknowledged is not sent again"
    case counts = "the counts add up"
    case memory = "the bound on memory holds"
    case endless = "everything ends"
    case probe = "the probe finds out what the target does"
}

struct Violation: Sendable {
    var rule: Rule
    var message: String
}

/// The world's book: nothing in it decides anything.
struct Record {
    var episodes: [Episode] = []
    /// How many keys a resumed run found in `ahead.log`.
    var knownCount = 0
    /// How many requests met nobody because a side was down.
    var outageFaultCount = 0
    private(set) var violations: [Violation] = []
    /// Where the trace goes; nil for nowhere.
    var print: ((String) -> Void)?

    mutating func violated(_ rule: Rule, _ message: String) {
        let violation = Violation(rule: rule, message: message)
        print?(oneLine("  VIOLATED \(rule.rawValue): \(violation.message)"))
        violations.append(violation)
    }

    func note(_ now: Instant, _ text: @autoclosure () -> String) {
        guard let print else { return }
        let time = String(now.elapsed.milliseconds)
        print(
            String(repeating: " ", count: max(0, 8 - time.count)) + time + " ms  " + oneLine(text())
        )
    }

    /// Keys may hold line ends.
    private func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
