//! What a run does otherwise where its sides are far away.

internal import Migration

extension RunSettings {
    /// Takes in how long both sides take to answer, together.
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
