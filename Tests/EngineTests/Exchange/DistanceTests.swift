//! More bytes under way where the sides are far away.

import Migration
import Testing

@testable import Engine

@Suite struct DistanceTests {
    @Test func whatAServerThinksIsNoDistance() {
        func roundTrip(_ source: Int?, _ target: Int?) -> Duration {
            RunSettings.roundTrip(
                quickest: BothSides(
                    source: source.map { .milliseconds($0) },
                    target: target.map { .milliseconds($0) }))
        }
        #expect(roundTrip(1, 5) == .zero)
        #expect(roundTrip(25, 3) == .milliseconds(20))
        #expect(roundTrip(21, 22) == .milliseconds(33))
        #expect(roundTrip(nil, nil) == .zero)
    }

    @Test(arguments: [(0, 32), (5, 48), (10, 64), (70, 256), (10_000, 256), (-5, 32)])
    func farSidesGetMoreBytes(milliseconds: Int, mebibytes: Int64) {
        let bytes = Limits.partBytesInFlightMax(roundTrip: .milliseconds(milliseconds))
        #expect(bytes == mebibytes << 20)
    }
}
