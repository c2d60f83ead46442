//! More transfers and bytes under way where the sides are far away, and no more than there is room for.

import Migration
import S3
import Testing

@testable import Engine

@Suite struct DistanceTests {
    private func settings(memory: Int64 = 1 << 30) throws -> RunSettings {
        let side = try SideSettings(
            endpoint: Endpoint("http://127.0.0.1:1"), bucket: "bucket", region: "us-east-1",
            credentials: Credentials(accessKey: "key", secret: "secret"))
        var settings = RunSettings(
            source: side, target: side, sourceFolders: [], targetFolders: [],
            rules: TransferRules(sourceBucket: "bucket", targetBucket: "bucket"), shard: .whole,
            threads: 2, memoryBytes: memory, program: "test")
        settings.adaptsTransfers = true
        return settings
    }

    @Test(arguments: [(0, 32), (1, 35), (10, 64), (30, 128), (500, 128)])
    func farSidesGetMoreTransfers(milliseconds: Int, transfers: Int) throws {
        var settings = try settings()
        settings.adapt(to: .milliseconds(milliseconds))
        #expect(settings.transfers == transfers)
        #expect(settings.roundTrip == .milliseconds(milliseconds))
    }

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

    @Test func whatWasChosenStays() throws {
        var settings = try settings()
        (settings.transfers, settings.adaptsTransfers) = (8, false)
        settings.adapt(to: .milliseconds(100))
        #expect(settings.transfers == 8)
    }

    /// Where libcurl's buffers would have to shrink, large objects would pay for the small ones.
    @Test func littleMemoryIsNotDividedFurther() throws {
        var settings = try settings(memory: 128 << 20)
        settings.adapt(to: .milliseconds(100))
        #expect(settings.transfers == 32)
    }

    @Test(arguments: [(0, 32), (5, 48), (10, 64), (70, 256), (10_000, 256), (-5, 32)])
    func farSidesGetMoreBytes(milliseconds: Int, mebibytes: Int64) {
        let bytes = Limits.partBytesInFlightMax(roundTrip: .milliseconds(milliseconds))
        #expect(bytes == mebibytes << 20)
    }
}
