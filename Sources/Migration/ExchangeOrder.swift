//! What a transfer asks its worker to do, and what it is told in return: the border of deciding and doing.

public import S3

/// One HTTP exchange, described whole: nothing of it is decided while it runs.
public struct ExchangeOrder: Sendable {
    /// Where the body that is sent comes from.
    public enum Upload: Sendable {
        /// The request has it, if any.
        case request
        /// The object's bytes as they stand in the transfer's buffer, from the first to this count.
        case object(byteCount: Int64)
    }

    /// Where a good answer's body goes; an error's body always goes to the response itself.
    public enum Sink: Sendable, Equatable {
        case response
        /// Into the transfer's buffer from `offset` on, at most `capacity` bytes.
        case object(offset: Int64, capacity: Int64)
    }

    public var side: Side
    public var request: Request
    public var upload: Upload
    public var sink: Sink
    /// How long the answer may take at least, where that is more than the run's timeout.
    public var patience = Duration.zero

    public init(
        _ side: Side, _ request: Request, upload: Upload = .request, sink: Sink = .response
    ) {
        self.side = side
        self.request = request
        self.upload = upload
        self.sink = sink
    }
}

/// An exchange that came to a whole answer.
public struct ExchangeResult: Sendable {
    public var response: Response
    /// How many bytes of the body went into the transfer's buffer.
    public var objectBytes: Int64
    /// The body was longer than the sink; the rest was not read.
    public var overflowed: Bool
    /// How often the transport sent the request again on its own, since a kept-alive connection had been closed.
    public var timesResent: Int

    public init(
        response: Response, objectBytes: Int64 = 0, overflowed: Bool = false,
        timesResent: Int = 0
    ) {
        self.response = response
        self.objectBytes = objectBytes
        self.overflowed = overflowed
        self.timesResent = timesResent
    }
}

/// What a worker does next for a transfer.
public enum TransferAction: Sendable {
    /// Grant a buffer of this many bytes; answered by `.granted`.
    case reserve(bytes: Int64)
    /// Answered by `.answered` or `.broken`.
    case exchange(ExchangeOrder)
    /// Compute a digest of the buffer's first bytes; answered by `.digested`.
    case hash(BodyDigest.Algorithm, byteCount: Int64)
    /// Answered by `.woken`. The side's clock, if given, is what the server says the time is.
    case wait(until: Instant, clock: ServerClock?)
    case finish(Outcome)
    /// A part has ended; its slot is free.
    case finishPart(PartOutcome)
    /// An upload that nobody needs has been seen to, or could not be; its slot is free. The text is for the operator.
    case finishCleanup(warning: String?)
    /// The job steps aside, without slot or memory, until the ledger takes it up again.
    case park(Parking)
    /// Put this into uploads.log; answered by `.recorded` when it is on the disk.
    case record(UploadRecord)
    /// The object goes on as another job, which is told `.begin`.
    case become(Job)
    /// The run cannot go on; the object stays as if it had never been handed out.
    case stopRun(Failure)
}

/// What time it is at a server, for signing.
public struct ServerClock: Sendable, Equatable {
    public var side: Side
    public var now: Timestamp

    public init(side: Side, now: Timestamp) {
        self.side = side
        self.now = now
    }
}

/// What a transfer is told.
public enum TransferEvent: Sendable {
    case begin
    /// The buffer is there. `kept`: what it held before is still in it.
    case granted(kept: Bool)
    case answered(ExchangeResult)
    case broken(TransportFault)
    case digested(BodyDigest)
    case woken
    /// A parked job may go on: its turn has come.
    case turn
    /// A parked job may go on: its parts have ended.
    case partsEnded(PartsReport)
    /// The line of uploads.log is on the disk.
    case recorded
}

/// What a job that stepped aside waits for.
public enum Parking: Sendable {
    /// That it is one of the few large objects that are copied at a time.
    case forTurn
    case forParts(PartsOrder)
}
