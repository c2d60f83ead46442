//! What is still failed after some runs: the keys for a second pass.

internal import CLinux
internal import Glibc
internal import Linux
internal import Migration
public import S3

/// The keys whose last word, in the newest log that has one, is `fail`, in key order.
///
/// A merge over the migrate.logs, which are sorted, so it needs no memory however long they are.
public struct StillFailed: ~Copyable {
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
    private var cursors: [Cursor] = []

    /// - Parameter folders: log folders, oldest first.
    public init(folders: [String]) throws(LogFolderError) {
        for folder in folders {
            cursors.append(try Cursor(path: "\(folder)/\(LogFolder.migrateName)"))
        }
    }

    /// The next key that is still failed; nil at the end.
    public mutating func next() throws(LogFolderError) -> ObjectKey? {
        while let key = cursors.lazy.compactMap({ $0.line?.key }).min() {
            var last: Outcome.Kind?
            for cursor in cursors where cursor.line?.key == key {
                last = cursor.line?.outcome
                try cursor.advance()
            }
            if last == .failed { return key }
        }
        return nil
    }
}
