//! What the operator is told of a system call that failed: what mends it, too.

internal import Glibc
public import Linux

extension SystemError {
    /// The error, with what to do where that is known.
    public var advice: String { "\(self)\(remedy)" }

    private var remedy: String {
        switch code {
        case ENOSPC, EDQUOT: " (make room, then continue with --resume)"
        case EIO: " (check the disk, then continue with --resume)"
        case EROFS: " (make the file system writable, then continue with --resume)"
        case EMFILE, ENFILE: " (raise the limit of open files, ulimit -n)"
        default: ""
        }
    }
}
