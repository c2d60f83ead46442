//! Everything that reads bytes from outside, as functions of bytes: for libFuzzer, and for the replay of what it found.

/// A reader that must not crash, hang or contradict itself, whatever it is given.
///
/// The name is the folder of its inputs in `Corpus`, and the word for `make fuzz TARGET=…`.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case listLine = "list-line"
    case keyStream = "key-stream"
    case migrateLog = "migrate-log"
    case failedLog = "failed-log"
    case uploadsLog = "uploads-log"
    case json
    case answer
    case xml
    case texts
    case profile

    /// Reads the bytes. What is wrong ends the process, as libFuzzer wants it.
    public func read(_ bytes: [UInt8]) {
        switch self {
        case .listLine: readListLine(bytes)
        case .keyStream: readKeyStream(bytes)
        case .migrateLog: readMigrateLog(bytes)
        case .failedLog: readFailedLog(bytes)
        case .uploadsLog: readUploadsLog(bytes)
        case .json: readJSON(bytes)
        case .answer: readAnswer(bytes)
        case .xml: readXML(bytes)
        case .texts: readTexts(bytes)
        case .profile: readProfile(bytes)
        }
    }
}

/// The lines of a text, without their newlines.
func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
}

/// Ends the process unless the bytes are the same.
func expectSame(_ one: [UInt8], _ other: [UInt8], _ what: String) {
    guard one == other else {
        fatalError(
            "\(what): \(String(decoding: one, as: UTF8.self)) became "
                + "\(String(decoding: other, as: UTF8.self))")
    }
}
