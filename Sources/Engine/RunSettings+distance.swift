//! What a run does otherwise where its sides are far away.

internal import Migration

extension RunSettings {
    /// How far both sides are away, together, as their quickest answers tell. What a near server may need to think does
    /// not count: a slow one is not helped by more requests at once.
    static func roundTrip(quickest: BothSides<Duration?>) -> Duration {
        [quickest.source, quickest.target].compactMap(\.self).reduce(.zero) { sum, answer in
            sum + max(.zero, answer - Limits.nearAnswerMax)
        }
    }

    /// Takes in how far both sides are away, together.
    ///
    /// What waits costs nothing but its buffers. So where nobody chose the number of transfers there are more of them,
    /// as far as memory and open files suffice without giving up anything else.
    mutating func adapt(to roundTrip: Duration) {
        self.roundTrip = roundTrip
        var more = self
        more.transfers = Limits.transfers(roundTrip: roundTrip)
        guard adaptsTransfers, more.transfers > transfers, let buffers = curlBuffers,
            more.curlBuffers == buffers, (try? OpenFiles.provide(slots: more.slots)) != nil
        else { return }
        self = more
    }

    /// What libcurl may hold for a slot; nil where there is not memory enough.
    private var curlBuffers: Limits.CurlBuffers? {
        Limits.division(
            ofMemory: memoryBytes, slots: slots,
            wholeObjectBytesMax: max(rules.wholeObjectBytesMax, rules.partBytes))?.curl
    }
}
