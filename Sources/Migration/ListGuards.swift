//! Notices early that the lists, or the network, cannot be right, before a million objects say so one by one.

public import S3

/// Watches the outcomes as they come for what no single object can show.
public struct ListGuards: Sendable {
    private let allowsMissing: Bool
    private let unreachableMax: Int
    private var seen = 0
    private var missing = 0
    private var alikeInRow = 0
    private var hasAlarmed = false
    private let failuresMax: Int?
    private var failures = 0
    private var handled = 0
    /// The reason of the last failures in a row, and how many they are.
    private var lastReason: Reason?
    private var sameInRow = 0

    /// What two failures have in common that are of one kind.
    private struct Reason: Equatable, Sendable {
        var side: Side
        var faultClass: FaultClass
        var status: Int?
        var code: String?
    }

    /// - Parameters:
    ///   - allowsMissing: the operator knows that the lists are old (`--allow-missing`).
    ///   - slots: the transfers of the whole run: so many may fail at one moment for one reason.
    ///   - failuresMax: the run ends when so many objects have failed (`--max-failures`); nil for no such bound.
    public init(allowsMissing: Bool, slots: Int, failuresMax: Int? = nil) {
        self.allowsMissing = allowsMissing
        self.failuresMax = failuresMax
        self.unreachableMax = slots * Limits.unreachablePerSlot
    }

    /// Takes an outcome; gives the reason to stop the run, once.
    public mutating func take(_ outcome: Outcome, of key: ObjectKey) -> String? {
        let alarms = [
            sampleAlarm(outcome, key), missingAlarm(outcome), unreachableAlarm(outcome),
            sameReasonAlarm(outcome), failuresAlarm(outcome),
        ]
        guard !hasAlarmed, let alarm = alarms.lazy.compactMap(\.self).first else { return nil }
        hasAlarmed = true
        return alarm
    }

    /// A key that the target's lists have is not copied, so one that the target has not is lost without a word.
    private mutating func sampleAlarm(_ outcome: Outcome, _ key: ObjectKey) -> String? {
        guard outcome.kind == .exist, outcome.proof == .missing, !allowsMissing else { return nil }
        return
            "the target has not the object '\(KeyListLine.escaped(key))', which its lists have: what else they "
            + "have and the target has not would not be copied\n"
            + "  check that --dest-folder holds the lists of --dest-bucket (and not the source's), and make new "
            + "ones if they are old; if clients have deleted such objects since then, go on with --allow-missing"
    }

    /// The first hundred objects, or a thousand in a row, that fail for one reason: so will all the others.
    private mutating func sameReasonAlarm(_ outcome: Outcome) -> String? {
        handled += 1
        // A verification's findings are none, and a folder of archived objects is no reason to leave out the others.
        guard outcome.kind == .failed, let failure = outcome.failure,
            ![.archived, .tooLarge].contains(failure.faultClass)
        else {
            (lastReason, sameInRow) = (nil, 0)
            return nil
        }
        let reason = Reason(
            side: failure.stage.side, faultClass: failure.faultClass, status: failure.status,
            code: failure.code)
        sameInRow = reason == lastReason ? sameInRow + 1 : 1
        lastReason = reason
        let isStart = handled == sameInRow && sameInRow >= Limits.alikeFirst
        guard isStart || sameInRow >= Limits.alikeInRow else { return nil }
        let said = [failure.status.map { "HTTP \($0)" }, failure.code, failure.message]
            .compactMap(\.self).joined(separator: " ")
        return "\(reason.side.rawValue): \(sameInRow) objects in a row failed for one reason: "
            + "\(failure.faultClass.rawValue), \(said)\n  check what they have in common; what failed is "
            + "in failed.log"
    }

    private mutating func failuresAlarm(_ outcome: Outcome) -> String? {
        guard outcome.kind == .failed else { return nil }
        failures += 1
        guard failures == failuresMax else { return nil }
        return
            "\(failures) objects have failed, which is what --max-failures allows; see failed.log"
    }

    private mutating func missingAlarm(_ outcome: Outcome) -> String? {
        guard !allowsMissing, seen < Limits.missingSample else { return nil }
        guard outcome.kind != .exist else { return nil }
        seen += 1
        missing += outcome.kind.isWithoutSource ? 1 : 0
        let isFirstOfAll = missing == seen && missing == Limits.missingFirstMax
        guard isFirstOfAll || missing == Limits.missingSampleMax + 1 else { return nil }
        return
            "\(missing) of the first \(seen) objects are missing from the source\n"
            + "  check that --src-folder holds the lists of --src-bucket, and that the keys begin where "
            + "the bucket does; if the lists are just old, go on with --allow-missing"
    }

    private mutating func unreachableAlarm(_ outcome: Outcome) -> String? {
        guard let failure = outcome.failure, let check = ListGuards.check(failure) else {
            alikeInRow = 0
            return nil
        }
        alikeInRow += 1
        guard alikeInRow == unreachableMax else { return nil }
        let code = failure.code.map { "\($0): " } ?? ""
        return
            "\(failure.stage.side.rawValue): \(alikeInRow) objects in a row failed for a reason that is "
            + "not theirs (\(code)\(failure.message))\n  check \(check); what failed is in failed.log"
    }

    /// What to check when object after object fails like this; nil when it is the object's own fault.
    private static func check(_ failure: Failure) -> String? {
        switch (failure.faultClass, failure.code) {
        case (.transport, _), (.stalled, _): "the network, and that the server is up"
        case (.tls, _): "the server's certificate"
        case (_, "SignatureDoesNotMatch"): "whether key and secret are still good"
        default: nil
        }
    }
}

extension Outcome.Kind {
    /// Whether the source did not have what its lists have.
    fileprivate var isWithoutSource: Bool {
        switch self {
        case .skippedSource, .gone, .extra: true
        case .copied, .exist, .skippedTarget, .failed, .same, .differs, .missing: false
        }
    }
}
