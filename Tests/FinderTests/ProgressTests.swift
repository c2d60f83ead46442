//! What is told during a listing and after it.

import Glibc
import Linux
import Migration
import Testing

@testable import Finder

struct ProgressTests {
    @Test(arguments: [
        (0, "obj=3 dirs=2 found=50 (50000.0/s) 0h:00m:00s"),
        (4, "obj=3 dirs=2 found=50 (12.5/s) 0h:00m:04s"),
        (7384, "obj=3 dirs=2 found=50 (0.0/s) 2h:03m:04s"),
    ])
    func isOneLine(seconds: Int, line: String) {
        let progress = Progress(
            objects: 3, directories: 2, found: 50, elapsed: .seconds(seconds))
        #expect(progress.line == line)
    }

    @Test func tickerTicksUntilItIsStopped() throws {
        let ticks = Monitor(0)
        let ticker = try Ticker(every: .zero) { ticks.withLock { $0 += 1 } }
        while ticks.withLock({ $0 }) < 3 { sched_yield() }
        ticker.stop()
        let after = ticks.withLock { $0 }
        usleep(2000)
        #expect(ticks.withLock { $0 } == after)
    }

    @Test func aStoppedTickerDoesNotWaitForItsTime() throws {
        let clock = ContinuousClock()
        let time = try clock.measure { try Ticker(every: .seconds(60)) {}.stop() }
        #expect(time < .seconds(30))
    }

    @Test func summaryCountsEverythingThatIsNotListed() {
        var manifest = ManifestTests.sample
        manifest.counts.directories = 1
        manifest.counts.emptyDirectories = 2
        manifest.counts.symbolicLinks = 1
        manifest.counts.devices = 2
        manifest.counts.sockets = 3
        manifest.counts.fifos = 4
        manifest.counts.filteredOut = 5
        manifest.counts.vanished = 6
        let report = FindReport(manifest: manifest, folder: "out", elapsed: .seconds(2))
        #expect(
            report.summary == [
                "3 objects of 30 bytes in 1 directory, 2 chunks in out, 0h:00m:02s (1/s)",
                "2 empty directories",
                "left out: 5 not changed lately, 1 symbolic link, 2 devices, 3 sockets, 4 fifos, "
                    + "6 deleted meanwhile",
            ])
        #expect(report.gaps.isEmpty)
        #expect(!report.hasGaps)
    }

    @Test func gapsSayWhatToDo() {
        var manifest = ManifestTests.sample
        manifest.counts.unreadable = 1
        manifest.counts.unnameable = 2
        let report = FindReport(manifest: manifest, folder: "out", elapsed: .zero)
        #expect(report.hasGaps)
        #expect(report.gaps.count == 2)
        #expect(report.gaps[0].contains("1 place could not be read"))
        #expect(report.gaps[1].contains("2 files whose path is no S3 key"))
    }
}
