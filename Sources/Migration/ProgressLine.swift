//! The progress line of the migration guide, to the character.

/// The figures of the progress line.
///
/// ```
/// obj=1234 :: ign=56 exist=89 work=123 [45% ~2h:34m:12s] :: fail=2 skip(dn=3 up=4) dnld=567 (12.3/s)
/// dl.byt=1.2GB (45MB/s) upld=560 (12.1/s) ul.byt=1.1GB (43MB/s)
/// ```
/// (one line). Sizes are decimal, as in the guide; rates are of the last seconds.
public struct ProgressLine: Sendable {
    public var objects = 0
    public var ignored = 0
    public var exist = 0
    /// Objects in the hands of the workers.
    public var work = 0
    /// From 0 to 1; nil as long as nothing can be said.
    public var fraction: Double?
    public var remaining: Duration?
    public var failed = 0
    public var skippedSource = 0
    public var skippedTarget = 0
    public var downloaded = Flow()
    public var downloadedBytes = Flow()
    public var uploaded = Flow()
    public var uploadedBytes = Flow()

    /// An amount so far, and how much of it comes in a second.
    public struct Flow: Sendable {
        public var total: Int64
        public var perSecond: Double

        public init(total: Int64 = 0, perSecond: Double = 0) {
            self.total = total
            self.perSecond = perSecond
        }
    }

    public init() {}

    public var text: String {
        "obj=\(objects) :: ign=\(ignored) exist=\(exist) work=\(work) [\(estimate)] :: "
            + "fail=\(failed) skip(dn=\(skippedSource) up=\(skippedTarget)) "
            + "dnld=\(objectFlow(downloaded)) dl.byt=\(byteFlow(downloadedBytes)) "
            + "upld=\(objectFlow(uploaded)) ul.byt=\(byteFlow(uploadedBytes))"
    }

    private var estimate: String {
        let percent = Int(((fraction ?? 0) * 100).rounded(.down))
        return "\(min(max(percent, 0), 100))% ~\(remaining.map(ProgressLine.clock) ?? "?")"
    }

    private func objectFlow(_ flow: Flow) -> String {
        "\(flow.total) (\(ProgressLine.oneDecimal(flow.perSecond))/s)"
    }

    private func byteFlow(_ flow: Flow) -> String {
        let rate = ProgressLine.bytes(flow.perSecond)
        return "\(ProgressLine.bytes(Double(flow.total))) (\(rate)/s)"
    }

    /// `2h:34m:12s`.
    static func clock(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        return "\(seconds / 3600)h:\(twoDigits(seconds / 60 % 60))m:\(twoDigits(seconds % 60))s"
    }

    /// `1.2GB`, `45MB`, `812B`: one decimal below ten, as in the guide.
    static func bytes(_ count: Double) -> String {
        var value = max(count, 0)
        var unit = 0
        let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"]
        // Half a unit below the thousand, so that 999.9 KB does not read as 1000KB.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let isSmall = value < 9.95 && unit > 0
        return (isSmall ? oneDecimal(value) : String(Int(value.rounded()))) + units[unit]
    }

    static func oneDecimal(_ value: Double) -> String {
        let tenths = Int64((max(value, 0) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func twoDigits(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
