//! Damaged copies of failed objects on their way to the second pass, which may replace just these.

internal import Glibc
public import Linux
public import Migration
internal import S3

/// A hidden file beside the key list of what is still failed, as `UploadsHandover` has one: which objects at the target
/// are damaged copies of ours.
public enum DamagedHandover {
    static let fileName = ".damaged"

    /// What failed.log in these folders knows, oldest first.
    public static func known(in logFolders: [String]) throws(LogFolderError) -> DamagedCopies {
        var copies = DamagedCopies()
        try read(logFolders.map { "\($0)/\(LogFolder.failedName)" }) { line in
            if let failed = FailedLogLine(parsing: line) { copies.take(failed) }
        }
        return copies
    }

    /// Puts those of the keys beside their list, if there are any.
    public static func write(_ lines: [UInt8], toList folder: String) throws(SystemError) {
        guard !lines.isEmpty else { return }
        try replaceFile(path: "\(folder)/\(fileName)", with: lines, isDurable: true)
    }

    /// What lies beside the lists of a run.
    static func read(besideLists folders: [String]) throws(LogFolderError) -> DamagedCopies {
        var copies = DamagedCopies()
        var strange: String?
        for folder in folders {
            let path = "\(folder)/\(fileName)"
            try read([path]) { line in
                if !copies.take(line) { strange = path }
            }
        }
        if let strange {
            throw LogFolderError(
                "\(strange): a line is no key and ETag; make the list anew with --failed-to-folder")
        }
        return copies
    }

    private static func read(
        _ paths: [String], _ take: (Span<UInt8>) -> Void
    ) throws(LogFolderError) {
        do throws(SystemError) {
            for path in paths where access(path, F_OK) == 0 {
                var reader = try LineReader(path: path)
                // What a crash tore off is at the end.
                var isRead = false
                while !isRead {
                    let next: Void? = try reader.next { line, isTerminated in
                        if isTerminated { take(line) }
                    }
                    isRead = next == nil
                }
            }
        } catch {
            throw LogFolderError(error)
        }
    }
}
