//! What has to hold when an object takes the place of another: it was looked at, and it was older.

import Migration
import S3

extension World {
    /// A write has taken the place of an object.
    func checkReplaced(_ old: Stored, _ flight: Flight) {
        guard case .client = old.author else { return }
        let name = name(flight.episode)
        guard scenario.overwrite != .never else {
            return record.violated(.overwrote, "\(name) took the place of \(old)")
        }
        let steps = record.episodes[flight.episode].steps
        // One that came after the write was sent tells nothing of what it was to find.
        let look = steps[..<flight.step].last {
            $0.operation == "HeadObject" && $0.side == .target && $0.servedAt != nil
        }
        // An object with the tag of the one that was looked at cannot be told from it.
        let wasSeen = look?.seen.map { $0.serial == old.serial || $0.etag == old.etag } ?? false
        let cameBetween = look?.servedAt.map { $0 <= old.since } ?? false
        guard wasSeen else {
            if !cameBetween || isGuarded(flight.order.request, look?.seen) {
                record.violated(.overwrote, "\(name) took the place of \(old), unseen")
            }
            return
        }
        checkOlder(old, look?.seen, steps, name)
    }

    private func checkOlder(
        _ old: Stored, _ seen: Stored?, _ steps: [Episode.Step], _ name: String
    ) {
        guard scenario.overwrite == .changed, !clockHasJumped, seen?.serial == old.serial,
            let source = steps.last(where: {
                $0.side == .source && $0.readsObject && $0.seen != nil
            })?
            .seen
        else { return }
        if old.since >= source.since {
            record.violated(.overwrote, "\(name): \(source) took the place of a newer \(old)")
        }
    }

    /// Whether the program could hold the target to what it had seen: to an object by its tag, if it showed one.
    private func isGuarded(_ request: Request, _ seen: Stored?) -> Bool {
        let isPut = request.operation == "PutObject"
        let canMatch = isPut ? capabilities.ifMatchOnPut != nil : capabilities.ifMatchOnComplete
        let canRefuse = isPut ? capabilities.conditionalPut : capabilities.conditionalComplete
        if request.headers["if-none-match"] != nil { return canRefuse }
        guard let seen else { return canRefuse }
        return canMatch && (canRefuse || request.headers["if-match"] != nil) && seen.etag != nil
    }

    /// Where everything that differs is replaced, nothing is left that differs.
    func checkReplacedInTheEnd(_ copy: Stored, _ wanted: Stored, _ key: ObjectKey) {
        guard scenario.overwrite == .always, !isBodyDoubtful(key), copy.body != wanted.body else {
            return
        }
        record.violated(.missing, "\(key) is still \(copy), and not \(wanted)")
    }
}
