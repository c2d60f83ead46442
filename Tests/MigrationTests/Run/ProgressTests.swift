//! The progress line, to the character, and the figures behind it.

import Testing

@testable import Migration

@Suite struct ProgressLineTests {
    /// The sample of the migration guide.
    @Test func isTheGuidesLine() {
        var line = ProgressLine()
        line.objects = 1234
        line.ignored = 56
        line.exist = 89
        line.work = 123
        line.fraction = 0.45
        line.remaining = .seconds(2 * 3600 + 34 * 60 + 12)
        line.failed = 2
        line.skippedSource = 3
        line.skippedTarget = 4
        line.downloaded = ProgressLine.Flow(total: 567, perSecond: 12.3)
        line.downloadedBytes = ProgressLine.Flow(total: 1_200_000_000, perSecond: 45_000_000)
        line.uploaded = ProgressLine.Flow(total: 560, perSecond: 12.1)
        line.uploadedBytes = ProgressLine.Flow(total: 1_100_000_000, perSecond: 43_000_000)
        #expect(
            line.text
                == "obj=1234 :: ign=56 exist=89 work=123 [45% ~2h:34m:12s] :: fail=2 skip(dn=3 up=4) "
                + "dnld=567 (12.3/s) dl.byt=1.2GB (45MB/s) upld=560 (12.1/s) ul.byt=1.1GB (43MB/s)")
    }

    @Test func beginsWithNothing() {
        #expect(
            ProgressLine().text
                == "obj=0 :: ign=0 exist=0 work=0 [0% ~?] :: fail=0 skip(dn=0 up=0) "
                + "dnld=0 (0.0/s) dl.byt=0B (0B/s) upld=0 (0.0/s) ul.byt=0B (0B/s)")
    }

    @Test(arguments: [
        (0, "0B"), (1, "1B"), (9.4, "9B"), (999, "999B"), (999.4, "999B"), (999.5, "1.0KB"),
        (1000, "1.0KB"), (1049, "1.0KB"), (1050, "1.1KB"), (9940, "9.9KB"), (9949, "9.9KB"),
        (9950, "10KB"), (10_400, "10KB"), (45_000_000, "45MB"), (999_499, "999KB"),
        (999_500, "1.0MB"), (999_499_999, "999MB"), (1.2e9, "1.2GB"), (1e12, "1.0TB"),
        (1e15, "1.0PB"), (1e18, "1.0EB"), (9.2e18, "9.2EB"), (5e21, "5000EB"), (-5, "0B"),
    ])
    func writesBytesAsTheGuideDoes(count: Double, text: String) {
        #expect(ProgressLine.bytes(count) == text)
    }

    @Test(arguments: [
        (0, "0h:00m:00s"), (59, "0h:00m:59s"), (60, "0h:01m:00s"), (3599, "0h:59m:59s"),
        (3600, "1h:00m:00s"), (90_061, "25h:01m:01s"), (-5, "0h:00m:00s"),
    ])
    func writesTimesAsTheGuideDoes(seconds: Int, text: String) {
        #expect(ProgressLine.clock(.seconds(seconds)) == text)
    }

    @Test(arguments: [
        (0.0, "0.0"), (0.04, "0.0"), (0.05, "0.1"), (12.34, "12.3"), (12.96, "13.0"),
        (35_000, "35000.0"), (-1, "0.0"),
    ])
    func writesRatesWithOneDecimal(value: Double, text: String) {
        #expect(ProgressLine.oneDecimal(value) == text)
    }

    /// 100% means that all is done, so nothing is rounded up to it.
    @Test(arguments: [
        (0.0, "[0% "), (0.999999, "[99% "), (1, "[100% "), (1.5, "[100% "), (-0.5, "[0% "),
    ])
    func roundsTheShareDown(fraction: Double, text: String) {
        var line = ProgressLine()
        line.fraction = fraction
        #expect(line.text.contains(text))
    }
}

@Suite struct ProgressMeterTests {
    private var meter = ProgressMeter()

    private mutating func take(
        _ seconds: Double, downloads: Int64 = 0, fraction: Double = 0
    ) {
        var reading = ProgressMeter.Reading()
        reading.downloads = downloads
        reading.fraction = fraction
        meter.take(reading, at: Instant(elapsed: .seconds(seconds)))
    }

    @Test mutating func saysNothingOfOneMoment() {
        #expect(meter.rate(\.downloads) == 0)
        #expect(meter.remaining == nil)
        take(5, downloads: 100, fraction: 0.5)
        #expect(meter.rate(\.downloads) == 0)
        #expect(meter.remaining == nil)
    }

    @Test mutating func measuresWhatGrows() {
        take(0)
        take(2, downloads: 30, fraction: 0.25)
        #expect(meter.rate(\.downloads) == 15)
        #expect(meter.rate(\.uploads) == 0)
        #expect(meter.remaining == .seconds(6))
    }

    /// The rate is of the last ten seconds, the estimate of the last minute.
    @Test mutating func forgetsWhatWasLongAgo() {
        for second in 0...100 {
            take(Double(second), downloads: Int64(second) * 1000, fraction: Double(second) / 1000)
        }
        for second in 101...110 {
            take(Double(second), downloads: 100_000, fraction: 0.1)
        }
        #expect(meter.rate(\.downloads) == 0)
        // 50 of the last 60 seconds went at a thousandth a second.
        let remaining = meter.remaining ?? .zero
        #expect((1079...1081).contains(remaining.components.seconds))
        for second in 111...170 { take(Double(second), downloads: 100_000, fraction: 0.1) }
        #expect(meter.remaining == nil)
    }

    @Test mutating func saysThatNothingIsLeft() {
        take(0)
        take(1, fraction: 1)
        #expect(meter.remaining == .zero)
        take(200, fraction: 1)
        #expect(meter.remaining == .zero)
    }

    @Test mutating func passesOverAnEstimateOfAnAge() {
        take(0)
        take(60, fraction: 1e-12)
        #expect(meter.remaining == nil)
    }

    @Test mutating func takesTwoReadingsOfOneMoment() {
        take(1, downloads: 1)
        take(1, downloads: 5)
        #expect(meter.rate(\.downloads) == 0)
    }
}
