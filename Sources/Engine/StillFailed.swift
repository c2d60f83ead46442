//! What is still failed after some runs: the keys for a second pass.

internal import CLinux
internal import Glibc
internal import Linux
internal import Migration
public import S3

/// The keys whose last word, in the newest log that has one, is `fail`, in key order.
///
/// A merge over the migrate.logs, which are sorted, so it needs no memory however long they are; with what interrupted
/// runs have put into ahead.log.
public struct StillFailed: ~Copyable {
    /// What an interrupted run left in ahead.log: in no order, but bounded.
    private final class Ahead {
        private var lines: ArraySlice<MigrateLogLine> = []

        init(path: String) throws(LogFolderError) {
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
            lines = found.sorted { $0.key < $1.key }[...]
        }

        var key: ObjectKey? { lines.first?.key }

        /// The outcome of the key, of which all lines are passed; nil when it is not here.
        func take(_ key: ObjectKey) -> Outcome.Kind? {
            var last: Outcome.Kind?
            while lines.first?.key == key { last = lines.removeFirst().outcome }
            return last
        }
    }

    /// One log, and the line it stands at.
    private final class Cursor {
        private var reader: LineReader
        private var check = LogCheck(isOrdered: true)
        private let path: String
        private(set) var line: MigrateLogLine?

        init(path: String) throws(LogFolderError) {
            self.path = path
            do throws(SystemError) {
                reader = try LineReader(path: path)
            } catch {
                throw LogFolderError(
                    "\(error.advice)\n  check --log-folder: it names a folder that s3migrate has written to"
                )
            }
            try advance()
        }

        func advance() throws(LogFolderError) {
            var problem: LogCheck.Problem?
            do throws(SystemError) {
                let parsed = try reader.next { line, isTerminated in
                    problem = check.take(line, isTerminated: isTerminated)
                    return problem == nil ? MigrateLogLine(parsing: line) : nil
                }
                line = parsed ?? nil
            } catch {
                throw LogFolderError(error)
            }
            // What a crash tore off was not handled; the rest of the log stands.
            guard let problem, problem != .torn else { return }
            throw LogFolderError("\(path), line \(check.lineCount + 1): \(problem)")
        }
    }

    /// Oldest first.
    private var cursors: [(log: Cursor, ahead: Ahead)] = []

    /// - Parameter folders: log folders, oldest first.
    public init(folders: [String]) throws(LogFolderError) {
        for folder in folders {
            let log = try Cursor(path: "\(folder)/\(LogFolder.migrateName)")
            let ahead = try Ahead(path: "\(folder)/\(LogFolder.aheadName)")
            cursors.append((log, ahead))
        }
    }

    /// The next key that is still failed; nil at the end.
    public mutating func next() throws(LogFolderError) -> ObjectKey? {
        while let key = cursors.lazy.flatMap({ [$0.log.line?.key, $0.ahead.key] }).compactMap(
            \.self
        )
        .min() {
            var last: Outcome.Kind?
            for (log, ahead) in cursors {
                last = ahead.take(key) ?? last
                guard log.line?.key == key else { continue }
                last = log.line?.outcome
                try log.advance()
            }
            if last == .failed { return key }
        }
        return nil
    }
}
