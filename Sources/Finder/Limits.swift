//! Every bound of a listing, with its reason.

enum Limits {
    /// What directories may take that were read and not yet written. Enough to keep the writer busy while
    /// a slow directory is read (a million short names), and nothing on a host that moves buckets.
    static let readAheadBytesMax = 64 << 20

    /// What a directory takes beside its names: its path, its place in tables, the heads of its buffers.
    /// Counted generously, since a tree may consist of millions of directories with a name or two.
    static let directoryOverheadBytes = 1024

    /// The buffer of one getdents64 call, per thread: some thousand names. More saves no time, since the
    /// kernel takes most file systems' locks for each call and most directories fit.
    static let directoryBlockBytes = 128 << 10

    /// What one system call is given of a path: PATH_MAX with its NUL (path_resolution(7)).
    static let pathPieceBytesMax = 4095

    /// Lines are written to their file in pieces of about this size.
    static let chunkBufferBytes = 1 << 20

    /// So many names that cannot be keys are shown, and so many directories that vanished; all are counted.
    static let problemsShownMax = 10
}
