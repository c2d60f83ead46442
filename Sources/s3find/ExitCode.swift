//! How s3find ends, for scripts.

internal import Finder

/// | code | meaning |
/// | --- | --- |
/// | 0 | everything is listed |
/// | 1 | the lists are there, but something could not be read, or its path is no S3 key |
/// | 2 | the command was wrong: an option, a missing directory, an output folder that is in use |
/// | 3 | it could not go on: a full disk, for instance |
/// | 130 | it was stopped by CTRL-C or SIGTERM |
///
/// With 0 and 1 there is a manifest.json, else none.
enum ExitCode: Int32 {
    case done = 0
    case gaps = 1
    case usage = 2
    case cannotGoOn = 3
    case interrupted = 130

    init(_ error: FindError) {
        switch error {
        case .usage: self = .usage
        case .cannotGoOn: self = .cannotGoOn
        case .interrupted: self = .interrupted
        }
    }

    /// For the help.
    static let table = """
        EXIT CODES:
          0    everything is listed
          1    the lists are there, but something could not be read, or its path is no S3 key
          2    the command was wrong: an option, a missing directory, an output folder in use
          3    it could not go on: a full disk, for instance
          130  it was stopped by CTRL-C or SIGTERM
        """
}
