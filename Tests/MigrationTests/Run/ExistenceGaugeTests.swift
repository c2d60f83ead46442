//! When most objects exist, the target is asked before they are read.

import S3
import Testing

@testable import Migration

@Suite struct ExistenceGaugeTests {
    private func gauge(_ kinds: [(Outcome.Kind, Int)]) -> ExistenceGauge {
        var gauge = ExistenceGauge()
        for (kind, count) in kinds { for _ in 0..<count { gauge.take(kind) } }
        return gauge
    }

    @Test(
        arguments: [
            ([], false), ([(.skippedTarget, 999)], false), ([(.skippedTarget, 1000)], true),
            ([(.copied, 500), (.skippedTarget, 500)], false),
            ([(.copied, 499), (.skippedTarget, 501)], true),
            ([(.failed, 499), (.skippedSource, 1), (.skippedTarget, 500)], false),
            ([(.skippedTarget, 5000), (.copied, 499)], true),
            ([(.skippedTarget, 5000), (.copied, 500)], false),
            ([(.copied, 5000), (.skippedTarget, 501)], true),
        ] as [([(Outcome.Kind, Int)], Bool)])
    func tellsOfMoreThanHalfOfTheLastThousand(kinds: [(Outcome.Kind, Int)], isHigh: Bool) {
        #expect(gauge(kinds).isHigh == isHigh)
    }

    /// The ledger says so to the objects that it hands out from then on.
    @Test func isReadWhenAnObjectIsHandedOut() {
        var ledger = Ledger(readyMax: 2000)
        for _ in 0..<1002 { ledger.admit(ObjectKey("k"), listedBytes: nil) }
        for item in ledger.take(1001) {
            #expect(!item.isLikelyThere)
            ledger.end(
                item.sequence,
                Ledger.Record(key: item.key, outcome: Outcome(.skippedTarget, proof: .same)),
                at: Instant(elapsed: .zero))
        }
        #expect(ledger.take(1).first?.isLikelyThere == true)
    }
}
