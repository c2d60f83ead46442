//! Notices early that the lists, or the network, cannot be right, before a million objects say so one by one.

public import S3

/// Watches the outcomes as they come for what no single object can show.
public struct ListGuards: Sendable {
    private let allowsMissing: Bool
    private let unreachableMax: Int
    private var seen = 0
    private var missing = 0
    private var hasAlarmedOfMissing = false
    private var alikeInRow = 0
    private var hasAlarmedOfSample = false

    /// - Parameters:
    ///   - allowsMissing: the operator knows that the lists are old (`--allow-missing`).
    ///   - slots: the transfers of the whole run: so many may fail at one moment for one reason.
    public init(allowsMissing: Bool, slots: Int) {
        self.allowsMissing = allowsMissing
        self.unreachableMax = slots * Limits.unreachablePerSlot
    }

    /// Takes an outcome; gives the reason to stop the run, once.
    public mutating func take(_ outcome: Outcome, of key: ObjectKey) -> String? {
        sampleAlarm(outcome, key) ?? missingAlarm(outcome) ?? unreachableAlarm(outcome)
    }

    /// A key that the target's lists have is not copied, so one that the target has not is lost without a word.
    private mutating func sampleAlarm(_ outcome: Outcome, _ key: ObjectKey) -> String? {
        guard outcome.kind == .exist, outcome.proof == .missing else { return nil }
        guard !allowsMissing, !hasAlarmedOfSample else { return nil }
        hasAlarmedOfSample = true
        return
            "the target has not the object '\(KeyListLine.escaped(key))', which its lists have: what else they "
            + "have and the target has not would not be copied\n"
            + "  check that --dest-folder holds the lists of --dest-bucket (and not the source's), and make new "
            + "ones if they are old; if clients have deleted such objects since then, go on with --allow-missing"
    }

    private mutating func missingAlarm(_ outcome: Outcome) -> String? {
        guard !allowsMissing, seen < Limits.missingSample else { return nil }
        guard outcome.kind != .exist else { return nil }
        seen += 1
        missing += outcome.kind.isWithoutSource ? 1 : 0
        let isFirstOfAll = missing == seen && missing == Limits.missingFirstMax
        guard isFirstOfAll || missing == Limits.missingSampleMax + 1, !hasAlarmedOfMissing else {
            return nil
        }
        hasAlarmedOfMissing = true
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
