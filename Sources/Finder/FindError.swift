//! Why a listing could not be made.

/// What ends a listing before its end. The text says what was wrong, where, and what to do.
public enum FindError: Error, Equatable, Sendable {
    /// The command asks for something impossible: nothing was read or written.
    case usage(String)
    /// The disk, the file system or the machine refused: what was written is no finished listing.
    case cannotGoOn(String)
    /// The user stopped it: what was written is no finished listing.
    case interrupted(String)
}

extension FindError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text), .cannotGoOn(let text), .interrupted(let text): text
        }
    }
}
