//! Enough descriptors for all connections, or a word about it before the run.

internal import Glibc

/// The process's limit of open files.
enum OpenFiles {
    /// Lists, logs, libraries, and what else is open beside the connections.
    private static let besides = 256

    /// Raises the soft limit so that every slot can have a connection to each side, with some being closed.
    static func provide(slots: Int) throws(RunError) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let needed = rlim_t(slots * 3 + besides)
        guard limit.rlim_cur < needed else { return }
        guard limit.rlim_max >= needed else {
            throw .badInput(
                "\(slots) transfers need \(needed) open files, and the limit is \(limit.rlim_max): raise "
                    + "it (ulimit -Hn), or give fewer --threads or --transfers")
        }
        limit.rlim_cur = needed
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
