//! Every bound of a listing, with its reason.

enum Limits {
    /// What directories may take that were read and not yet written. Enough to keep the writer busy while
    /// a slow directory is read (a million short names), and nothing on a host that moves buckets.
    static let readAheadBytesMax = 64 << 20

    /// What a directory takes beside its names: its path, its place in tables, the heads of its buffers.
    /// Counted generously, since a tree may consist of millions of directories with a name or two.
    static let directoryOverheadBytes = 1024

    /// A writer that had to wait sleeps until about this much is there, some fifty small directories: to be woken
    /// takes longer than to write one of them.
    static let writerWakeBytes = 64 << 10

    /// What a reader keeps from one directory to the next to collect names in, about.
    static let builderKeptBytes = 1 << 20

    /// So many files of a directory are one step of the writer, between two looks at the wish to stop.
    static let stepFilesMax = 1024

    /// The buffer of one getdents64 call, per thread: some thousand names. More saves no time, since the
    /// kernel takes most file systems' locks for each call and most directories fit.
    static let directoryBlockBytes = 128 << 10

    /// What one system call is given of a path: PATH_MAX with its NUL (path_resolution(7)).
    static let pathPieceBytesMax = 4095

    /// Lines are written to their file in pieces of about this size.
    static let chunkBufferBytes = 1 << 20

    /// So many names that cannot be keys are shown, and so many directories that vanished; all are counted.
    static let problemsShownMax = 10

    /// What one call reads of a file of keys. A record must fit; one that does not is no key.
    static let keyFileBlockBytes = 1 << 20

    /// How long a pipe that says nothing is waited for before the wish to stop is looked at.
    static let keyFilePollMilliseconds: Int32 = 200

    /// Sorted runs that one merge reads; more are merged in groups first. Each takes 80 KiB of memory and a descriptor.
    static let mergedRunsMax = 128

    /// A run is written in pieces of about this size.
    static let runBufferBytes = 1 << 18

    /// The least memory for a sort: less makes runs so small that they are merged again and again.
    static let sortMemoryBytesMin: Int64 = 1 << 20
}
