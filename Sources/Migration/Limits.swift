//! Every limit of the program, with its reason, in one place.

/// The bounds that keep the program small, and how they hang together.
public enum Limits {
    // Objects

    /// What the first GET of an object asks for when its size is not known: most objects are smaller, so they
    /// come whole with the first answer; larger ones cost one more round trip.
    public static let firstRangeBytes: Int64 = 1 << 20
    /// One block of the buffer pool: the unit in which memory is granted.
    public static let blockBytes = 1 << 20
    /// Objects above this size move as parts.
    public static let multipartThresholdDefaultBytes: Int64 = 64 << 20
    public static let partDefaultBytes: Int64 = 8 << 20
    /// S3 takes no smaller part but the last ("Amazon S3 multipart upload limits", S3 User Guide).
    public static let partBytesMin: Int64 = 5 << 20
    /// Parts of so many bytes are under way at a time for each worker: more of them live outside the processor's
    /// caches, which halves the speed, and fewer leave the wire idle.
    public static let partBytesInFlightMax: Int64 = 32 << 20

    /// The same where the sides are far away: what waits for an answer keeps no processor busy, so each ten
    /// milliseconds of waiting want as many bytes again.
    ///
    /// - Parameter roundTrip: to the source and to the target, together.
    public static func partBytesInFlightMax(roundTrip: Duration) -> Int64 {
        let times = 1 + min(max(roundTrip, .zero) / .milliseconds(10), 7)
        return Int64(Double(partBytesInFlightMax) * times)
    }

    /// So many large objects may be copied at a time, however few slots there are: while one is completed, another
    /// has parts to give.
    public static let largeObjectsMin = 2
    /// One more large object begins when what the others have left to hand out falls below this, for each worker.
    static let largeBytesLeftMin: Int64 = 4 * partBytesInFlightMax
    /// What S3 takes in one PUT (5 GiB).
    public static let putBytesMax: Int64 = 5 << 30
    /// Answers that are no object (XML, error pages) are read up to this size and cut there.
    public static let smallBodyBytesMax = 1 << 20
    /// Such an answer that is longer than this has no end, and is given up.
    public static let endlessBodyBytes = 16 << 20
    /// All header lines of one answer together; S3 itself allows 8 KiB.
    public static let responseHeaderBytesMax = 256 << 10

    // Attempts

    public static let retriesDefault = 10
    /// How often an object that changes while it is read is begun again.
    public static let restartsMax = 5
    /// How often an object at the target is about to be replaced, and was written again by somebody else meanwhile.
    static let replacementsMax = 5
    /// How often our own copy that turned out damaged is replaced.
    static let damagesMax = 2
    public static let retryDelayMin = Duration.milliseconds(100)
    public static let throttleDelayMin = Duration.milliseconds(500)
    public static let retryDelayMax = Duration.seconds(20)
    /// A server may ask us to stay away for so long, not longer.
    public static let retryAfterMax = Duration.seconds(120)
    /// So long after the GET was sent a PUT may be sent without asking whether the source still has the object.
    /// It is the bound of the promise that a client's delete is not undone.
    public static let sourceFreshFor = Duration.seconds(1)
    /// How often it is asked in a row, where its answers are older than that when they come.
    static let rechecksMax = 5

    /// A verification looks again so long after it saw a difference, since a client may have been writing just then. A
    /// slot is taken meanwhile, so it is short.
    static let secondLookAfter = Duration.milliseconds(100)
    /// So many answers with a whole object to requests for a part of it are believed to be the source's manner.
    static let ignoredRangesMax = 3
    /// A Complete may take minutes before its answer begins ("CompleteMultipartUpload", API reference).
    static let completePatience = Duration.seconds(600)
    /// A Create follows its intent at most so much later: the search for a lost upload goes by the time of the intent.
    static let intentFreshFor = Duration.seconds(10)
    /// How often the target is asked for an object whose Complete may still be going on there.
    static let completeLooksMax = 8

    // Sides that are down, or throttle

    /// How long a run waits for a side that does not answer.
    public static let outageTimeoutDefault = Duration.seconds(3600)
    /// A side is down after so many faults, with no answer in between, over at least such a time: more than one dropped
    /// connection, and less than a transfer's retries.
    static let outageFaultsMin = 3
    static let outageSilenceMin = Duration.seconds(1)
    /// A fault is first left to be explained by other exchanges; then somebody asks, and ever more seldom.
    static let probeDelayMin = Duration.milliseconds(100)
    static let probeDelayMax = Duration.seconds(5)
    /// A probe that takes longer has failed.
    public static let probeTimeout = Duration.seconds(10)
    /// What an exchange that counts against nobody waits at most, so that not all come back at one moment.
    static let forgivenDelayMax = Duration.milliseconds(500)
    /// How often a file with credentials is read again at most.
    public static let credentialsCheckEvery = Duration.seconds(3)
    /// A limit is cut so often at most, and again before the last cut has had its effect only after the longer time.
    static let concurrencyCutEvery = Duration.milliseconds(300)
    static let concurrencyCutWaitMax = Duration.seconds(10)
    /// It is raised after such a time without throttling, by more each time.
    static let concurrencyRaiseAfter = Duration.seconds(1)
    /// A side's pace is looked at so often, if there were answers enough to tell.
    static let paceWindow = Duration.seconds(5)
    static let paceAnswersMin = 20
    /// What answers more quickly is never too slow, whatever it did before.
    static let paceLatencyMin = Duration.seconds(1)
    /// Workers tell what they have seen of the sides so often; at once when a side is in doubt.
    public static let sideReportEvery = Duration.milliseconds(100)

    // Ledger and logs

    /// Outcomes that wait for an older one, in bytes of their log lines.
    public static let waitingOutcomeBytesMax = 32 << 20
    /// `ahead.log` is written anew when it has so many bytes more than an earlier run left: twice what can wait, so
    /// that at least half of it is of no use any more.
    public static let aheadBytesMax = Int64(2 * waitingOutcomeBytesMax)
    /// A list thread stops reading when so many objects wait for a worker, times the number of slots.
    public static let readyPerSlot = 4
    public static let readyMin = 256
    /// An outcome that waits longer for an older one is written to `ahead.log`.
    public static let aheadAfter = Duration.seconds(1)
    /// Logs reach the disk at least so often.
    public static let syncEvery = Duration.seconds(1)
    /// How long a first CTRL-C waits for the transfers in flight.
    public static let drainMax = Duration.seconds(30)
    /// Messages in `failed.log` are cut here.
    public static let messageBytesMax = 1000

    // Asking first

    /// When more than half of so many objects exist at the target, it is asked before an object is read.
    static let existenceSample = 1000

    // Wrong lists

    /// The first objects, of which no more than a tenth may be missing from the source.
    public static let missingSample = 1000
    public static let missingSampleMax = 100
    /// Nor may all of so many be missing: a short list can be the wrong one too.
    public static let missingFirstMax = 20
    /// Of the keys in both lists, the target is asked for the n-th at about the place n² divided by this.
    static let existSampleThinness = 25
    /// So many objects in a row that fail for want of a connection stop the run, times the number of slots.
    public static let unreachablePerSlot = 2
    /// So many objects that fail for the very same reason stop the run: the first ones, or in a row.
    static let alikeFirst = 100
    static let alikeInRow = 1000

    // Machine

    public static let threadsMax = 256
    public static let transfersDefault = 32
    /// An answer that takes no longer may come from the next room.
    public static let nearAnswerMax = Duration.milliseconds(5)
    public static let transfersMax = 4096
    public static let memoryDefaultBytesMax: Int64 = 1 << 30
    /// libcurl's buffers for large bodies (CURLOPT_BUFFERSIZE, CURLOPT_UPLOAD_BUFFERSIZE): smaller ones cost a
    /// fifth of the speed. The least is what libcurl takes at least.
    static let curlBufferBytesMax = 512 << 10
    static let curlBufferBytesMin = 16 << 10

    /// What libcurl holds for one slot: it reads from the source and writes to the target in large pieces, and
    /// has little to do the other way.
    public struct CurlBuffers: Sendable, Equatable {
        public var receiveBytes: Int
        public var uploadBytes: Int
        public let smallBytes = curlBufferBytesMin

        var bytesPerSlot: Int { receiveBytes + uploadBytes + 2 * smallBytes }

        /// At most a quarter of the memory goes to libcurl, however many slots there are.
        public init(slots: Int, memoryBytes: Int64) {
            let share = Int(clamping: memoryBytes / 4 / Int64(slots)) - 2 * curlBufferBytesMin
            let each = min(max(share / 3, curlBufferBytesMin), curlBufferBytesMax / 2)
            receiveBytes = each
            uploadBytes = min(each * 2, curlBufferBytesMax)
        }
    }

    /// How `--memory` is divided; nil when it is too little for the largest object that moves whole, since a
    /// transfer is granted all of it or waits.
    public static func division(
        ofMemory memoryBytes: Int64, slots: Int, wholeObjectBytesMax: Int64
    ) -> (curl: CurlBuffers, blocks: Int)? {
        let curl = CurlBuffers(slots: slots, memoryBytes: memoryBytes)
        let left = memoryBytes - Int64(curl.bytesPerSlot) * Int64(slots)
        let count = left / Int64(blockBytes)
        guard count >= blocks(for: wholeObjectBytesMax) else { return nil }
        return (curl, Int(count))
    }

    /// How many blocks a worker with so many slots usually has: as with parts, and a block for each slot, which is all
    /// that a small object needs.
    public static func blocksUsual(slots: Int, roundTrip: Duration = .zero) -> Int {
        max(Int(blocks(for: partBytesInFlightMax(roundTrip: roundTrip))), slots)
    }

    /// The least `--memory` that `division` accepts, rounded up; for the message that says so.
    public static func memoryBytesMin(slots: Int, wholeObjectBytesMax: Int64) -> Int64 {
        var bytes = blocks(for: wholeObjectBytesMax) * Int64(blockBytes)
        while division(ofMemory: bytes, slots: slots, wholeObjectBytesMax: wholeObjectBytesMax)
            == nil
        {
            bytes += Int64(16 * blockBytes)
        }
        return bytes
    }

    /// How many blocks hold this many bytes; at least one, so that every transfer has somewhere to read to.
    public static func blocks(for bytes: Int64) -> Int64 {
        max(1, (bytes + Int64(blockBytes) - 1) / Int64(blockBytes))
    }
}
