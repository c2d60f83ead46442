//! How far a run is, for programs: `--status-file`, in the words of Qumulo Shift's job status.

/// The progress as JSON. Names are Qumulo's where it has one; numbers are numbers.
public struct RunStatus: Codable, Sendable {
    public var state = "running"
    public var bytesTransferred: Int64 = 0
    public var bytesTotal: Int64?
    public var bytesRemaining: Int64?
    public var filesTotal = 0
    public var filesTransferred = 0
    public var filesUnchanged = 0
    public var filesSkipped = 0
    public var filesFailed = 0
    public var filesRemaining = 0
    public var filesInProgress = 0
    /// From 0 to 100.
    public var percentComplete: Double = 0
    /// Bytes a second, of the last seconds and since the beginning.
    public var throughputCurrent: Double = 0
    public var throughputOverall: Double = 0
    public var objectsPerSecond: Double = 0
    public var startTime = ""
    public var estimatedSecondsRemaining: Double?
    public var estimatedEndTime: String?
    public var progress = ""
    public var source = SideStatus()
    public var target = SideStatus()

    /// How one side is.
    public struct SideStatus: Codable, Sendable {
        /// `up`, `down` (no answer), or `expired` (its credentials are no longer good).
        public var state = "up"
        /// How long it has been down or its credentials expired; 0 while it is up.
        public var downSeconds: Double = 0
        /// So many transfers at once it is given, and whether that is fewer than the run has room for.
        public var concurrency = 0
        public var isThrottled = false
        /// Answers that asked for fewer requests.
        public var throttledCount = 0

        public init() {}

        enum CodingKeys: String, CodingKey {
            case state
            case downSeconds = "down_seconds"
            case concurrency
            case isThrottled = "throttled"
            case throttledCount = "throttled_answers"
        }
    }

    public init() {}

    public func encoded() -> [UInt8] { JSONText.encoded(self) }

    enum CodingKeys: String, CodingKey {
        case state
        case bytesTransferred = "bytes_transferred"
        case bytesTotal = "bytes_total"
        case bytesRemaining = "bytes_remaining"
        case filesTotal = "files_total"
        case filesTransferred = "files_transferred"
        case filesUnchanged = "files_unchanged"
        case filesSkipped = "files_skipped"
        case filesFailed = "files_failed"
        case filesRemaining = "files_remaining"
        case filesInProgress = "files_in_progress"
        case percentComplete = "percent_complete"
        case throughputCurrent = "throughput_current"
        case throughputOverall = "throughput_overall"
        case objectsPerSecond = "objects_per_second"
        case startTime = "start_time"
        case estimatedSecondsRemaining = "estimated_seconds_remaining"
        case estimatedEndTime = "estimated_end_time"
        case progress, source, target
    }
}
