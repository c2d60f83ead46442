//! The folder of a run's logs: who may use it, where an earlier run ended, and what its crash left behind.

internal import CLinux
internal import Glibc
internal import Linux
public import Migration
public import S3

/// Why a log folder cannot be used; the text names the place and the remedy.
public struct LogFolderError: Error, Sendable, CustomStringConvertible {
    public var description: String
    /// Whether the operator has to say something else, rather than mend the machine.
    public var isUsage: Bool

    init(_ description: String, isUsage: Bool = true) {
        self.description = description
        self.isUsage = isUsage
    }

    init(_ error: SystemError) {
        self.init(error.advice, isUsage: false)
    }
}

/// A log folder that this process has locked.
public struct LogFolder: ~Copyable, Sendable {
    public let path: String
    private let lock: Descriptor

    static let lockName = ".s3migrate.lock"
    static let failedName = "failed.log"
    static let aheadName = "ahead.log"
    static let uploadsName = "uploads.log"

    /// Where a run begins: at the start, after what an earlier run did, or after a key.
    public enum Start: Sendable, Equatable {
        case fresh
        case resume
        case after(ObjectKey)
    }

    /// What an earlier run left, as far as this one has to know.
    public struct Earlier: Sendable {
        /// The watermark: at or below it, everything was handled.
        public var start: ObjectKey?
        /// What that run ended above the watermark, by key.
        public var ahead: [MigrateLogLine] = []
        /// Multipart uploads that it began and did not end.
        public var uploads = OpenUploads()
        /// Keys of failed objects with open uploads: a second pass goes on with those.
        var failedUploads: Set<ObjectKey> = []
        /// Copies of ours that an earlier pass has left damaged.
        var damaged = DamagedCopies()

        /// An earlier run wrote here, and perhaps to the target without a log that tells of it.
        public var isContinued = false
        /// Objects that failed in it, or differ, as far as its log tells.
        public var failed = 0
        /// What was cut off a log after a crash, in words.
        public var repairs: [String] = []
    }

    /// Locks the folder, making it if its parent is there.
    public init(path: String) throws(LogFolderError) {
        if mkdir(path, 0o755) != 0, errno != EEXIST {
            throw LogFolderError(
                SystemError("cannot make the folder of --log-folder, \(path)", code: errno))
        }
        let name = "\(path)/\(LogFolder.lockName)"
        let number = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard number >= 0 else {
            throw LogFolderError(
                SystemError("cannot use the folder of --log-folder, \(path)", code: errno))
        }
        let lock = Descriptor(number)
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
            throw LogFolderError(
                "the log folder \(path) is used by another s3migrate; wait for it, or give this one "
                    + "another --log-folder")
        }
        self.path = path
        self.lock = lock
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Whether a run has come so far as to keep its own books of uploads.
    var hasUploadsLog: Bool { access(file(LogFolder.uploadsName), F_OK) == 0 }

    /// A name for what this folder's runs leave elsewhere: the same for all of them, and no other folder's.
    var token: String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        let place = resolved.map { String(cString: $0) } ?? path
        let name = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } + [0] + Array(place.utf8)
        return String(Shard.hash(name.span), radix: 36)
    }
}

// MARK: - Beginning

extension LogFolder {
    /// Finds out where to begin, and repairs what a crash has left.
    public func begin(
        _ start: Start, kind: RunKind = .copy
    ) throws(LogFolderError) -> Earlier {
        try refuseOtherKind(than: kind)
        if start == .fresh { try refuseLogs(kind) } else { try refuseForeignLog(kind) }
        var earlier = Earlier()
        let check = try scan(kind.logName, kind, isOrdered: true, &earlier.repairs) { _ in }
        switch start {
        case .fresh: break
        case .resume:
            earlier.start = check.lastKey
        case .after(let key):
            if let last = check.lastKey, key < last { throw belowLast(key, last, kind) }
            earlier.start = key
        }
        let hasRun = access(file(RunIdentity.fileName), F_OK) == 0
        earlier.isContinued = start != .fresh && (check.lineCount > 0 || hasRun)
        earlier.failed = check.counts.filter(\.key.isInFailedLog).values.reduce(0, +)
        try readAhead(&earlier, kind)
        earlier.uploads = try uploads(&earlier.repairs)
        let unfinished = Set(earlier.uploads.records.map(\.key))
        try scan(LogFolder.failedName, &earlier.repairs) { line in
            guard let failed = FailedLogLine(parsing: line) else { return false }
            if unfinished.contains(failed.key) { earlier.failedUploads.insert(failed.key) }
            return true
        }
        let logged = Set(earlier.ahead.map(\.key))
        earlier.uploads.forgetCompleted { [start = earlier.start] key in
            start.map { key <= $0 } ?? false || logged.contains(key)
        }
        return earlier
    }

    /// Takes what another run of the same kind is, or refuses to go on with another's logs.
    public func adopt(
        _ identity: RunIdentity, start: Start
    ) throws(LogFolderError) {
        let name = file(RunIdentity.fileName)
        if start != .fresh {
            let earlier = try attempt { () throws(SystemError) in try readFile(path: name) }
            if let problem = LogFolder.resumeProblem(earlier, identity) {
                throw LogFolderError("the run in \(path) was another one: \(problem)")
            }
        }
        try attempt { () throws(SystemError) in
            try replaceFile(path: name, with: identity.encoded(), isDurable: true)
        }
    }

    private func attempt<Result>(
        _ body: () throws(SystemError) -> Result
    ) throws(LogFolderError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw LogFolderError(error)
        }
    }

    /// Why the run of `run.json` cannot be continued as this one; nil when it can, or when there is none.
    private static func resumeProblem(_ bytes: [UInt8]?, _ identity: RunIdentity) -> String? {
        guard let bytes else { return nil }
        guard let earlier = RunIdentity(decoding: bytes) else {
            return "its \(RunIdentity.fileName) cannot be read"
        }
        return identity.difference(from: earlier).map {
            "\($0). Give the same options, or another --log-folder"
        }
    }

    /// A new run touches no log that is there, not even to repair it: it may be another program's.
    private func refuseLogs(_ kind: RunKind) throws(LogFolderError) {
        for name in [
            kind.logName, LogFolder.aheadName, LogFolder.failedName,
            LogFolder.uploadsName,
        ]
        where try !isEmptyFile(name) {
            throw LogFolderError(
                "\(file(name)) is there and not empty, from an earlier run or another program: "
                    + "continue the run with --resume, begin behind it with --start-after KEY, or "
                    + "give another --log-folder")
        }
    }

    /// What a migration did and what a verification found stand in folders of their own: failed.log and ahead.log would
    /// be both's.
    private func refuseOtherKind(than kind: RunKind) throws(LogFolderError) {
        for other in RunKind.allCases where other != kind && access(file(other.logName), F_OK) == 0
        {
            throw LogFolderError(
                "\(file(other.logName)) is there: the folder belongs to \(other.name); give "
                    + "\(kind.name) a --log-folder of its own")
        }
    }

    /// A log without run.json is not one of ours, or not whole: it is not for us to cut or to continue.
    private func refuseForeignLog(_ kind: RunKind) throws(LogFolderError) {
        guard try !isEmptyFile(kind.logName), access(file(RunIdentity.fileName), F_OK) != 0
        else { return }
        throw LogFolderError(
            "\(file(kind.logName)) has no \(RunIdentity.fileName) beside it, so it is not a log "
                + "that this program can continue; give another --log-folder")
    }

    private func belowLast(
        _ key: ObjectKey, _ last: ObjectKey, _ kind: RunKind
    ) -> LogFolderError {
        LogFolderError(
            "--start-after '\(KeyListLine.escaped(key))' is below the last key of "
                + "\(file(kind.logName)), '\(KeyListLine.escaped(last))': the log would no "
                + "longer be sorted. Use --resume, a later key, or another --log-folder")
    }

    private func isEmptyFile(_ name: String) throws(LogFolderError) -> Bool {
        var status = stat()
        guard stat(file(name), &status) == 0 else { return true }
        return status.st_size == 0
    }

    private func readAhead(
        _ earlier: inout Earlier, _ kind: RunKind
    ) throws(LogFolderError) {
        var lines: [MigrateLogLine] = []
        let start = earlier.start
        _ = try scan(LogFolder.aheadName, kind, isOrdered: false, &earlier.repairs) { line in
            guard let parsed = MigrateLogLine(parsing: line) else { return }
            if let start, !(start < parsed.key) { return }
            lines.append(parsed)
        }
        // A key can be there twice after a crash between two writings of the file; the later one is true.
        lines.sort { $0.key < $1.key }
        for line in lines {
            if earlier.ahead.last?.key == line.key { earlier.ahead.removeLast() }
            earlier.ahead.append(line)
        }
    }
}

extension RunKind {
    /// What the run of a log folder was for, by the log that it has.
    init(ofFolder path: String) {
        self = access("\(path)/\(RunKind.verify.logName)", F_OK) == 0 ? .verify : .copy
    }
}

// MARK: - Reading logs back

extension LogFolder {
    /// Reads a log and cuts it off before its first bad line.
    private func scan(
        _ name: String, _ kind: RunKind, isOrdered: Bool, _ repairs: inout [String],
        _ take: (Span<UInt8>) -> Void
    ) throws(LogFolderError) -> LogCheck {
        var check = LogCheck(isOrdered: isOrdered, kind: kind)
        do throws(SystemError) {
            guard access(file(name), F_OK) == 0 else { return check }
            var reader = try LineReader(path: file(name))
            var problem: LogCheck.Problem?
            while problem == nil,
                let result = try reader.next({ line, isTerminated in
                    let problem = check.take(line, isTerminated: isTerminated)
                    if problem == nil { take(line) }
                    return problem
                })
            {
                problem = result
            }
            if let problem { try cut(name, at: reader.lineOffset, problem.description, &repairs) }
        } catch {
            throw LogFolderError(error)
        }
        return check
    }

    /// Reads a log of another form, and cuts it off before its first bad line.
    private func scan(
        _ name: String, _ repairs: inout [String], _ take: (Span<UInt8>) -> Bool
    ) throws(LogFolderError) {
        do throws(SystemError) {
            guard access(file(name), F_OK) == 0 else { return }
            var reader = try LineReader(path: file(name))
            var isGood = true
            while isGood,
                let result = try reader.next({ line, isTerminated in isTerminated && take(line) })
            {
                isGood = result
            }
            if !isGood { try cut(name, at: reader.lineOffset, "the line is torn", &repairs) }
        } catch {
            throw LogFolderError(error)
        }
    }

    /// The uploads that are still open.
    func uploads(_ repairs: inout [String]) throws(LogFolderError) -> OpenUploads {
        var uploads = OpenUploads(keepsCompleted: true)
        try scan(LogFolder.uploadsName, &repairs) { line in
            guard let record = UploadRecord(parsing: line) else { return false }
            uploads.take(record)
            return true
        }
        return uploads
    }

    private func cut(
        _ name: String, at offset: Int64, _ problem: String, _ repairs: inout [String]
    ) throws(SystemError) {
        var log = try AppendFile(path: file(name))
        let lost = log.sizeBytes - offset
        try keep(name, from: offset)
        try log.truncate(to: offset)
        repairs.append(
            "\(file(name)): cut off \(lost) bytes that a crash had left at \(offset) (they are kept in "
                + "\(name).cut): \(problem)")
    }

    /// Puts what is about to be cut off a log into a file beside it: it may be more than a torn line.
    private func keep(_ name: String, from offset: Int64) throws(SystemError) {
        let path = file(name)
        let log = Descriptor(try check("cannot read \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
        var kept = try AppendFile(path: "\(path).cut")
        var block = [UInt8](repeating: 0, count: 1 << 20)
        var position = offset
        while true {
            let count = try check("cannot read \(path)") {
                block.withUnsafeMutableBytes {
                    pread(log.number, $0.baseAddress, $0.count, Int(position))
                }
            }
            guard count > 0 else { return try kept.sync() }
            try kept.append(Array(block[..<count]))
            position += Int64(count)
        }
    }
}
