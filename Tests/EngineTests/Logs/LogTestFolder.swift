//! A log folder on a real disk, and lines to fill it with.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

extension TestFolder {
    func file(_ name: String) -> String { "\(path)/\(name)" }

    func text(_ name: String) throws -> String {
        String(decoding: try readFile(path: file(name)) ?? [], as: UTF8.self)
    }

    /// The keys of a log, as `cut -f1` would print them.
    func keys(_ name: String) throws -> [String] {
        try text(name).split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    }

    func exists(_ name: String) -> Bool { access(file(name), F_OK) == 0 }
}

/// The line of a copied object.
func copied(_ key: String) -> String { "\(key)\tcopied\t5\tabc\tetag\t7\n" }

func failedLine(_ key: String) -> String { "\(key)\tput\tdenied\t403\tAccessDenied\t1\t-\tno\n" }

/// The message of a log folder's error; empty when there is none.
func logError(_ body: () throws(LogFolderError) -> Void) -> LogFolderError? {
    do throws(LogFolderError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The outcome of an object that ended well, or not.
func record(_ key: String, failed: Bool = false) -> Ledger.Record {
    let failure = Failure(
        stage: .put, faultClass: .denied, status: 403, code: "AccessDenied", attempts: 1,
        message: "no")
    let outcome =
        failed
        ? Outcome(.failed, failure: failure)
        : Outcome(.copied, sizeBytes: 5, etag: ETag("abc"), proof: .etag)
    return Ledger.Record(key: ObjectKey(key), outcome: outcome)
}
