//! The logs of several folders as one stream: for each key, all that was logged of it, oldest folder first.

internal import CLinux
internal import Glibc
internal import Linux
public import Migration
public import S3

/// The merge of the migrate.logs (or verify.logs) of some folders, which are sorted, with what interrupted runs have
/// left in their ahead.logs. So it needs no memory, however long the logs are.
public struct LogMerge: ~Copyable {
    /// What one folder says of a key.
    public struct Word: Sendable {
        /// Index of the folder.
        public var folder: Int
        public var line: MigrateLogLine
    }

    /// Those that have a line, the one with the least key last. Of one key: the newest folder first, and in a folder
    /// migrate.log, which is truer than ahead.log.
    private var cursors: [LogCursor] = []

    /// - Parameters:
    ///   - folders: log folders, oldest first. A folder without ahead.log is fine.
    ///   - takesMissing: without migrate.log too, as a run leaves it that failed before its first object.
    public init(folders: [String], takesMissing: Bool = false) throws(LogFolderError) {
        for (index, folder) in folders.enumerated() {
            insert(try LogCursor(ahead: "\(folder)/\(LogFolder.aheadName)", folder: index))
            let kind = RunKind(ofFolder: folder)
            let log = "\(folder)/\(kind.logName)"
            guard !takesMissing || access(log, F_OK) == 0 else { continue }
            insert(try LogCursor(log: log, kind, folder: index))
        }
    }

    /// The next key, and what was said of it, the last word last; nil at the end.
    public mutating func next() throws(LogFolderError) -> (key: ObjectKey, words: [Word])? {
        guard let key = cursors.last?.line?.key else { return nil }
        var words: [Word] = []
        while let cursor = cursors.last, let line = cursor.line, line.key == key {
            cursors.removeLast()
            words.append(Word(folder: cursor.folder, line: line))
            try cursor.advance()
            insert(cursor)
        }
        return (key, words)
    }

    private mutating func insert(_ cursor: LogCursor) {
        guard cursor.line != nil else { return }
        var (low, high) = (0, cursors.count)
        while low < high {
            let middle = (low + high) / 2
            if cursor.comesBefore(cursors[middle]) { low = middle + 1 } else { high = middle }
        }
        cursors.insert(cursor, at: low)
    }
}

/// One log, and the line it stands at.
private final class LogCursor {
    let folder: Int
    private(set) var line: MigrateLogLine?
    private let isAhead: Bool
    private let path: String
    private var reader: LineReader?
    private var check: LogCheck
    /// What ahead.log has: in no order there, but bounded.
    private var ahead: ArraySlice<MigrateLogLine> = []

    init(log path: String, _ kind: RunKind, folder: Int) throws(LogFolderError) {
        self.folder = folder
        self.path = path
        check = LogCheck(isOrdered: true, kind: kind)
        isAhead = false
        do throws(SystemError) {
            reader = try LineReader(path: path)
        } catch {
            throw LogFolderError(
                "\(error.advice)\n  check the log folders: each is one that s3migrate has written to"
            )
        }
        try advance()
    }

    init(ahead path: String, folder: Int) throws(LogFolderError) {
        self.folder = folder
        self.path = path
        check = LogCheck(isOrdered: false)
        isAhead = true
        guard access(path, F_OK) == 0 else { return }
        var found: [MigrateLogLine] = []
        do throws(SystemError) {
            var reader = try LineReader(path: path)
            while let line = try reader.next({ $1 ? MigrateLogLine(parsing: $0) : nil }) {
                if let line { found.append(line) }
            }
        } catch {
            throw LogFolderError(error)
        }
        // Of a key that is there twice, what was written later is true, and comes later.
        ahead = found.sorted { $0.key < $1.key }[...]
        try advance()
    }

    func comesBefore(_ other: LogCursor) -> Bool {
        guard let key = line?.key, let otherKey = other.line?.key else { return false }
        guard key == otherKey else { return key < otherKey }
        guard folder == other.folder else { return folder < other.folder }
        return isAhead && !other.isAhead
    }

    func advance() throws(LogFolderError) {
        line = isAhead ? ahead.popFirst() : try nextLine()
    }

    private func nextLine() throws(LogFolderError) -> MigrateLogLine? {
        var problem: LogCheck.Problem?
        let parsed: MigrateLogLine??
        do throws(SystemError) {
            parsed = try reader?.next { line, isTerminated in
                problem = check.take(line, isTerminated: isTerminated)
                return problem == nil ? MigrateLogLine(parsing: line) : nil
            }
        } catch {
            throw LogFolderError(error)
        }
        // What a crash tore off was not handled; the rest of the log stands.
        guard let problem, problem != .torn else { return parsed ?? nil }
        throw LogFolderError("\(path), line \(check.lineCount + 1): \(problem)")
    }
}
