//! Aborts the uploads that a log folder knows of and that nobody will continue: `s3migrate cancel`.

internal import Curl
internal import Glibc
internal import Linux
public import Migration
internal import S3

/// The end of what earlier runs have begun. It takes the log folder, as a run does, so it cannot meet one.
public struct UploadCanceller: ~Copyable {
    /// What became of one upload.
    public struct Result: Sendable {
        public enum Kind: Sendable {
            case aborted
            /// The target knows nothing of it.
            case gone
            /// It is still there, or may be; the text says why.
            case left(String)
        }

        public var record: UploadRecord
        public var kind: Kind
    }

    private let folder: LogFolder
    private let target: SideSettings
    private let retries: RetryPolicy
    private let redaction: Redaction
    private var client: SingleExchange
    private var log: AppendFile
    private var random: SeededRandom
    private let uploads: OpenUploads

    /// - Throws: what is wrong with the folder, or that its uploads are in another bucket.
    public init(
        target: SideSettings, logFolder: String, timeout: Duration,
        retries: RetryPolicy = RetryPolicy()
    ) throws(RunError) {
        let folder = try wrapped { () throws(LogFolderError) in try LogFolder(path: logFolder) }
        let uploads = try wrapped { () throws(LogFolderError) in
            try folder.checkTarget("\(target.endpoint)", bucket: target.bucket)
            var repairs: [String] = []
            return try folder.uploads(&repairs)
        }
        let path = folder.file(LogFolder.uploadsName)
        let log = try wrapped { () throws(SystemError) in try AppendFile(path: path) }
        let clock = Clock()
        let client = try wrapped { () throws(CurlError) in
            try SingleExchange(source: target, target: target, timeout: timeout, clock: clock)
        }
        self.folder = folder
        self.uploads = uploads
        self.log = log
        self.client = client
        self.target = target
        self.retries = retries
        redaction = Redaction([target.credentials])
        var system = SystemRandomNumberGenerator()
        random = SeededRandom(seed: system.next())
    }

    /// Aborts one upload after the other, and tells what became of each as soon as it is known.
    public consuming func run(_ tell: (Result) -> Void) throws(RunError) {
        let ending = Swift.Result { () throws(RunError) in try cancelAll(tell) }
        client.close()
        try ending.get()
    }

    private mutating func cancelAll(_ tell: (Result) -> Void) throws(RunError) {
        for record in uploads.records {
            let kind = cancel(record)
            tell(Result(record: record, kind: kind))
            if case .left = kind { continue }
            try forget(record)
        }
    }

    private mutating func cancel(_ record: UploadRecord) -> Result.Kind {
        var cancellation = UploadCancellation(
            record, bucket: target.bucket, others: uploads.others(than: record))
        var action = cancellation.begin()
        var attempt = 0
        while true {
            switch action {
            case .done(let found): return found ? .aborted : .gone
            case .unsure(let text): return .left(text)
            case .exchange(let order): action = answer(to: order, &cancellation)
            case .failed(let fault):
                attempt += 1
                let verdict = retries.verdict(for: fault, attempt: attempt, random: &random)
                guard case .again(let delay) = verdict else {
                    return .left(redaction.applied(to: fault.text))
                }
                usleep(UInt32(clamping: delay.milliseconds * 1000))
                action = cancellation.begin()
            }
        }
    }

    private mutating func answer(
        to order: ExchangeOrder, _ cancellation: inout UploadCancellation
    ) -> UploadCancellation.Action {
        do throws(TransportFault) {
            return cancellation.answered(try client.send(order))
        } catch {
            return .failed(Fault(.transport, message: error.message))
        }
    }

    private mutating func forget(_ record: UploadRecord) throws(RunError) {
        var record = record
        record.state = .ended
        var line: [UInt8] = []
        record.append(to: &line)
        try wrapped { () throws(SystemError) in
            try log.append(line)
            try log.sync()
        }
    }
}

/// Gives errors of all kinds the one form that ends the program.
private func wrapped<Value: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Value
) throws(RunError) -> Value {
    do throws(Failure) {
        return try body()
    } catch {
        switch error {
        case let error as LogFolderError: throw RunError(error)
        case let error as SystemError: throw RunError(error)
        default: throw .cannotGoOn("\(error)")
        }
    }
}

extension Fault {
    /// What the server said, in one line.
    fileprivate var text: String {
        [status.map { "HTTP \($0)" }, code, message].compactMap { $0 }.joined(separator: " ")
    }
}

extension LogFolder {
    /// Refuses a target that is not the one of the folder's run: its upload ids mean nothing elsewhere.
    func checkTarget(_ endpoint: String, bucket: String) throws(LogFolderError) {
        let name = file(RunIdentity.fileName)
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try readFile(path: name)
        } catch {
            throw LogFolderError(error)
        }
        guard let bytes, let run = RunIdentity(decoding: bytes) else {
            throw LogFolderError(
                "\(path) has no \(RunIdentity.fileName), so no run has begun uploads here; give its "
                    + "--log-folder")
        }
        guard run.target == RunIdentity.Place(endpoint: endpoint, bucket: bucket) else {
            throw LogFolderError(
                "the run in \(path) wrote to the bucket '\(run.target.bucket)' at "
                    + "\(run.target.endpoint), not to '\(bucket)' at \(endpoint)")
        }
    }
}
