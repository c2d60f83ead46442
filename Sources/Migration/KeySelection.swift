//! What a run wants of the lists, and what it has seen in them.

public import S3

/// Which keys a run takes out of the lists.
public struct KeySelection: Sendable {
    /// Keys at or below are done; nil for none.
    public var after: ObjectKey?
    public var shard: Shard
    /// Keys above `after` that an earlier run has an outcome for; strictly increasing.
    public var ahead: [ObjectKey]
    /// A key of both lists is work too, unless they say that the objects are the same (`--overwrite`).
    public var takesChanged: Bool
    /// Stop behind so many keys of the share; nil for all.
    public var first: Int?
    /// Every key of either side's lists is work: nothing is taken for granted because a list has it.
    public var takesUnion = false
    /// Whether some of the keys that both lists have come out one by one, so that the target can be asked for them.
    public var samplesExist: Bool
    /// Whether `existLines` have lines, and not only their number: a dry run writes none.
    public var writesExist = true

    public init(
        after: ObjectKey? = nil, shard: Shard = .whole, ahead: [ObjectKey] = [],
        takesChanged: Bool = false, first: Int? = nil, samplesExist: Bool = false
    ) {
        self.after = after
        self.shard = shard
        self.ahead = ahead
        self.takesChanged = takesChanged
        self.first = first
        self.samplesExist = samplesExist
    }
}

/// What became of the source's keys so far, as far as the lists tell.
public struct KeyStreamCounters: Hashable, Sendable {
    /// Keys of the source's lists; the sum of the next five.
    public var listed = 0
    /// At or below the start of the run.
    public var before = 0
    /// In another host's share.
    public var ignored = 0
    /// Handled by an earlier run, in `KeySelection.ahead`.
    public var known = 0
    /// In the target's lists.
    public var exist = 0
    /// Given out to be copied.
    public var work = 0

    /// Keys of `exist` for which both lists know a size or an ETag, and they differ.
    public var existDiffers = 0
    /// Keys of the target's lists that the source's lack: as far as the source's last key (if there are none, whether
    /// there is one behind it), or all of them where the union is taken.
    public var targetOnly = 0
    /// The sizes of the lines that were read and have one.
    public var listedBytes: Int64 = 0
    public var existBytes: Int64 = 0
    public var workBytes: Int64 = 0
    /// Lines that were read and have no size.
    public var unsized = 0

    public init() {}
}
