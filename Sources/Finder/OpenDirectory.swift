//! A directory that is open for reading, and how its end is known.

internal import CLinux
internal import Glibc
internal import Linux

/// A directory whose entries can be read.
struct OpenDirectory: ~Copyable {
    let descriptor: Descriptor
    /// The offset (`d_off`) of an entry that nothing follows, where the file system is known to say so; else nil, and
    /// only a call that gives nothing is the end.
    ///
    /// That a call gives less than it has room for is no end on any file system: a signal, a debugger, or the freezing
    /// of a container makes the kernel return in the middle (`filldir64` in fs/readdir.c).
    let endOffset: Int64?
}

/// What ext4's `ext4_get_htree_eof` gives for a directory with hashes, which no hash reaches. At this offset the kernel
/// gives nothing more, so to know it saves one call of two for a small directory. Directories of ext4 without hashes
/// have smaller offsets, and those of other file systems mean something else.
func knownEndOffset(of directory: borrowing Descriptor) -> Int64? {
    var status = statfs()
    let isKnown = fstatfs(directory.number, &status) == 0
    return isKnown && status.f_type == EXT4_SUPER_MAGIC ? .max : nil
}
