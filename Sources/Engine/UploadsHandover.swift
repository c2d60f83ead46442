//! Uploads of failed objects on their way to the second pass, which has a log folder of its own.

internal import Glibc
public import Linux
public import Migration
internal import S3

/// A hidden file beside the key list of what is still failed: the uploads that failed objects have left open, so that
/// the pass over that list goes on with their parts.
public enum UploadsHandover {
    static let fileName = ".uploads.log"

    /// What the logs in these folders leave open, oldest first.
    public static func open(in logFolders: [String]) throws(LogFolderError) -> OpenUploads {
        try read(logFolders.map { "\($0)/\(LogFolder.uploadsName)" })
    }

    /// Puts the uploads beside a list, if there are any.
    public static func write(
        _ records: [UploadRecord], toList folder: String
    ) throws(SystemError) {
        guard !records.isEmpty else { return }
        let lines = records.reduce(into: [UInt8]()) { lines, record in record.append(to: &lines) }
        try replaceFile(path: "\(folder)/\(fileName)", with: lines, isDurable: true)
    }

    /// What lies beside the lists of a run.
    static func read(besideLists folders: [String]) throws(LogFolderError) -> OpenUploads {
        try read(folders.map { "\($0)/\(fileName)" })
    }

    private static func read(_ paths: [String]) throws(LogFolderError) -> OpenUploads {
        var uploads = OpenUploads()
        do throws(SystemError) {
            for path in paths where access(path, F_OK) == 0 {
                var reader = try LineReader(path: path)
                // What a crash tore off is at the end, and was not acted upon.
                while let record = try reader.next({ $1 ? UploadRecord(parsing: $0) : nil }) {
                    if let record { uploads.take(record) }
                }
            }
        } catch {
            throw LogFolderError(error)
        }
        return uploads
    }
}
