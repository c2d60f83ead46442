//! `--check-log`: are the logs of a folder whole, sorted, and in the form that scripts rely on?

internal import CLinux
internal import Glibc
internal import Linux
internal import Migration
internal import S3

/// What a look at a folder's logs has found. Nothing is changed.
public struct LogReport: Sendable {
    public private(set) var isGood = true
    private var lines: [String] = []

    public var text: String { lines.joined(separator: "\n") }

    public init(folder: String) throws(LogFolderError) {
        do throws(SystemError) {
            try check("cannot look into \(folder)") { access(folder, R_OK | X_OK) }
            let kind = RunKind(ofFolder: folder)
            guard access("\(folder)/\(kind.logName)", F_OK) == 0 else {
                throw SystemError("cannot check \(folder)/\(kind.logName)", code: ENOENT)
            }
            try checkLines(folder, kind.logName, kind, isOrdered: true)
            try checkLines(folder, LogFolder.aheadName, kind, isOrdered: false)
            try checkFailed(folder)
        } catch {
            throw LogFolderError(
                "\(error.advice)\n  check the folder: it is one that s3migrate has written to")
        }
    }

    private mutating func checkLines(
        _ folder: String, _ name: String, _ kind: RunKind, isOrdered: Bool
    ) throws(SystemError) {
        let path = "\(folder)/\(name)"
        guard access(path, F_OK) == 0 else { return }
        var check = LogCheck(isOrdered: isOrdered, kind: kind)
        var reader = try LineReader(path: path)
        while let problem = try reader.next({ check.take($0, isTerminated: $1) }) {
            guard let problem else { continue }
            return bad("\(path), line \(check.lineCount + 1): \(problem)")
        }
        let counts = check.counts.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " ")
        let order = isOrdered ? ", sorted, no key twice" : ""
        lines.append("\(path): good: \(check.lineCount) lines\(order) \(counts)")
    }

    private mutating func checkFailed(_ folder: String) throws(SystemError) {
        let path = "\(folder)/\(LogFolder.failedName)"
        guard access(path, F_OK) == 0 else { return }
        var count = 0
        var reader = try LineReader(path: path)
        while let isGood = try reader.next({ $1 && FailedLogLine(parsing: $0) != nil }) {
            count += 1
            guard isGood else { return bad("\(path), line \(count): not a line of failed.log") }
        }
        lines.append("\(path): good: \(count) lines")
    }

    private mutating func bad(_ text: String) {
        isGood = false
        lines.append(text)
    }
}
