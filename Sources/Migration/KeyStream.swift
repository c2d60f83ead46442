//! Join and shard: the lists of both sides become this run's work, in key order.

internal import S3

/// The source's lists joined with the target's, without I/O.
///
/// Each key of the source is put to these questions, and the first yes decides: at or below the start (`before`)?
/// another host's (`ignored`)? known from an earlier run? in the target's lists (`exist`; where objects may be
/// replaced, only if the lists say that they are the same)? Else it is work.
public struct KeyStream: ~Copyable, Sendable {
    public enum Step: Hashable, Sendable {
        /// `supply` the next block of this chunk, then go on.
        case needsBlock(Side, chunk: Int)
        /// Nothing more is wanted of this chunk.
        case closed(Side, chunk: Int)
        case event(Event)
    }

    /// What comes out, in key order.
    public enum Event: Hashable, Sendable {
        /// An object to be copied, with what the source's list says of it.
        case work(KeyListLine)
        /// A key of both lists that the target is to be asked for, with what the source's list says of it.
        case sample(KeyListLine)
        /// The key of this index in `KeySelection.ahead`.
        case known(Int)
        /// So many keys that exist on the target, as lines of migrate.log, if such are wanted.
        case existLines([UInt8], count: Int)
        /// Many keys have passed and none came out: a moment to look up.
        case progress
        case end
    }

    /// `existLines` come in blocks of about this size.
    public static let existBlockSizeBytes = 256 * 1024
    /// After so many lines without an event there is a `progress`.
    public static let progressLineCount = 65_536

    public private(set) var counters = KeyStreamCounters()
    private let selection: KeySelection
    private var source: SortedMerge
    private var target: SortedMerge
    /// Whether a line of that side is read and not yet decided on.
    private var holdsSource = false
    private var holdsTarget = false
    private var sourceEnded = false
    private var targetEnded = false
    /// Whether the target's line that is held has the source's key.
    private var isTwin = false
    /// Whether the keys are above `selection.after` by now.
    private var sourceIsAfter: Bool
    private var targetIsAfter: Bool
    private var aheadIndex = 0
    private var sampling = ExistSampling()
    private var existBlock: [UInt8] = []
    private var existBlockCount = 0
    private var quietLineCount = 0
    /// What must wait for the exist lines before it.
    private var pending: Event?
    private var failure: ListError?

    public init(
        source: [ListChunk], target: [ListChunk], selection: KeySelection = KeySelection()
    ) {
        self.selection = selection
        self.source = SortedMerge(source, after: selection.after)
        self.target = SortedMerge(target, after: selection.after)
        sourceIsAfter = selection.after == nil
        targetIsAfter = selection.after == nil
        counters.listed = self.source.skippedLineCount
        counters.before = self.source.skippedLineCount
    }

    /// The chunks of a side, in the order that `Step` numbers them.
    public func chunks(of side: Side) -> [ListChunk] {
        side == .source ? source.chunks : target.chunks
    }

    public func chunk(_ side: Side, _ index: Int) -> ListChunk { chunks(of: side)[index] }
}

// MARK: - The way on

extension KeyStream {
    /// Goes on to the next event, or asks for what it takes to get there. All events before an error come first; after
    /// it, and after `end`, there are no others.
    public mutating func next() throws(ListError) -> Step {
        if let event = pending {
            pending = event == .end ? .end : nil
            return .event(event)
        }
        if let failure { throw failure }
        do throws(ListError) {
            return try advance()
        } catch {
            failure = error
            guard existBlockCount > 0 else { throw error }
            return .event(takeExistLines())
        }
    }

    /// Gives the next block of a chunk; `isLast` when the file ends with it (which may be empty).
    public mutating func supply(_ side: Side, chunk: Int, _ block: Span<UInt8>, isLast: Bool) {
        switch side {
        case .source: source.supply(chunk: chunk, block, isLast: isLast)
        case .target: target.supply(chunk: chunk, block, isLast: isLast)
        }
    }

    /// Lets `read` write the next block of a chunk to its place, see `SortedMerge.supply`.
    public mutating func supply(
        _ side: Side, chunk: Int, _ read: ListBlockReading
    ) throws(ListError) {
        switch side {
        case .source: try source.supply(chunk: chunk, read)
        case .target: try target.supply(chunk: chunk, read)
        }
    }

    private mutating func advance() throws(ListError) -> Step {
        while true {
            if isFull { return .event(eventAfterExistLines(.end)) }
            if sourceEnded { return try nextOfTargetOnly() }
            if !holdsSource, let step = try nextSource() { return step }
            if sourceIsAfter || isAfterStart(source) {
                sourceIsAfter = true
                if let step = try seekTarget() { return step }
                holdsSource = false
                if let event = try decide() { return .event(event) }
                if let event = takeTwins() { return .event(event) }
            } else {
                holdsSource = false
                counters.before += 1
            }
            quietLineCount += 1
            if quietLineCount >= Self.progressLineCount { return .event(progress()) }
        }
    }

    private var isFull: Bool {
        guard let first = selection.first else { return false }
        return takenCount >= first
    }

    /// Keys of this run's share so far.
    private var takenCount: Int { counters.known + counters.exist + counters.work }

    /// Reads the source's next line; a step when it takes something to get there, or when there is none.
    @inline(__always)
    private mutating func nextSource() throws(ListError) -> Step? {
        switch try source.next() {
        case .line:
            holdsSource = true
            countListed()
            return nil
        case .needsBlock(let chunk): return .needsBlock(.source, chunk: chunk)
        case .closed(let chunk): return .closed(.source, chunk: chunk)
        case .end:
            sourceEnded = true
            return try nextOfTargetOnly()
        }
    }

    private mutating func countListed() {
        counters.listed += 1
        if let sizeBytes = source.sizeBytes {
            counters.listedBytes &+= sizeBytes
        } else {
            counters.unsized += 1
        }
    }

    private func isAfterStart(_ merge: borrowing SortedMerge) -> Bool {
        guard let after = selection.after?.bytes else { return true }
        return merge.storage.span.order(of: merge.keyRange, to: 0..<after.count, in: after.span) > 0
    }
}

// MARK: - The join

extension KeyStream {
    /// Reads the target's lines up to the source's key; a step when that takes something.
    @inline(__always)
    private mutating func seekTarget() throws(ListError) -> Step? {
        while !targetEnded {
            if holdsTarget {
                let order = orderOfTarget
                isTwin = order == 0
                guard order < 0 else { return nil }
                if let event = try passTarget() { return .event(event) }
                if quietLineCount >= Self.progressLineCount { return .event(progress()) }
            }
            switch try target.next() {
            case .line: holdsTarget = true
            case .needsBlock(let chunk): return .needsBlock(.target, chunk: chunk)
            case .closed(let chunk): return .closed(.target, chunk: chunk)
            case .end: targetEnded = true
            }
        }
        return nil
    }

    /// Leaves a target's key that the source does not have; an event where that is work all the same.
    private mutating func passTarget() throws(ListError) -> Event? {
        holdsTarget = false
        quietLineCount += 1
        targetIsAfter = targetIsAfter || isAfterStart(target)
        guard targetIsAfter else { return nil }
        counters.targetOnly += 1
        return selection.takesUnion ? try decideOnTargetOnly() : nil
    }

    /// What the target's lists have behind the source's last key: all of it where the union is taken, else just whether
    /// there is something, since that can be a hundred million lines.
    private mutating func nextOfTargetOnly() throws(ListError) -> Step {
        if holdsTarget, wantsTargetOnly, let event = try passTarget() { return .event(event) }
        while !targetEnded, wantsTargetOnly {
            switch try target.next() {
            case .line:
                if let event = try passTarget() { return .event(event) }
                if quietLineCount >= Self.progressLineCount { return .event(progress()) }
            case .needsBlock(let chunk): return .needsBlock(.target, chunk: chunk)
            case .closed(let chunk): return .closed(.target, chunk: chunk)
            case .end: targetEnded = true
            }
        }
        return .event(eventAfterExistLines(.end))
    }

    private var wantsTargetOnly: Bool { selection.takesUnion || counters.targetOnly == 0 }

    /// Below 0 when the target's key is below the source's.
    @inline(__always)
    private var orderOfTarget: Int {
        target.storage.span.order(of: target.keyRange, to: source.keyRange, in: source.storage.span)
    }

    /// What becomes of the source's key; an event when something comes out.
    @inline(__always)
    private mutating func decide() throws(ListError) -> Event? {
        let exists = holdsTarget && isTwin
        if exists { holdsTarget = false }
        guard source.withKey({ key in selection.shard.contains(key) }) else {
            counters.ignored += 1
            return nil
        }
        if aheadIndex < selection.ahead.count,
            let index = Self.index(of: source, in: selection.ahead, from: &aheadIndex)
        {
            counters.known += 1
            return eventAfterExistLines(.known(index))
        }
        if exists, !selection.takesUnion, !selection.takesChanged || listsAgree() {
            return try noteExist()
        }
        counters.work += 1
        counters.workBytes &+= source.sizeBytes ?? 0
        return eventAfterExistLines(.work(try source.line()))
    }

    /// What becomes of a key that only the target has, where the union is taken.
    private mutating func decideOnTargetOnly() throws(ListError) -> Event? {
        guard target.withKey({ key in selection.shard.contains(key) }) else {
            counters.ignored += 1
            return nil
        }
        if let index = Self.index(of: target, in: selection.ahead, from: &aheadIndex) {
            counters.known += 1
            return eventAfterExistLines(.known(index))
        }
        counters.work += 1
        // Its size is none of the source's bytes.
        return eventAfterExistLines(.work(KeyListLine(key: try target.line().key)))
    }

    /// The index of the merge's key in `ahead`, when an earlier run knows it.
    private static func index(
        of merge: borrowing SortedMerge, in ahead: [ObjectKey], from start: inout Int
    ) -> Int? {
        while start < ahead.count {
            let known = ahead[start].bytes
            let order = merge.storage.span.order(
                of: merge.keyRange, to: 0..<known.count, in: known.span)
            guard order >= 0 else { return nil }
            start += 1
            if order == 0 { return start - 1 }
        }
        return nil
    }
}

// MARK: - The quick way

extension KeyStream {
    /// Goes on while both sides have the same key next, in plain lines: most of a second pass. It stops before whatever
    /// comes to more than `exist` or `ignored`, and leaves that to `decide`.
    @inline(__always)
    private mutating func takeTwins() -> Event? {
        // Behind a key that both sides have; else the order of their next keys would have to be looked at on both.
        guard !holdsTarget, !targetEnded, var ours = source.plainLines,
            var theirs = target.plainLines, let countMax = twinCountMax
        else { return nil }
        let passed = Self.pass(
            &ours, of: source, &theirs, of: target, countMax, selection, to: &existBlock)
        source.advance(over: ours)
        target.advance(over: theirs)
        counters.count(passed)
        existBlockCount += passed.exist
        quietLineCount += passed.listed
        return existBlock.count >= Self.existBlockSizeBytes ? takeExistLines() : nil
    }

    /// Passes at most so many lines of both sides, appends what migrate.log is to say of them, and counts them.
    private static func pass(
        _ ours: inout PlainLines, of source: borrowing SortedMerge,
        _ theirs: inout PlainLines, of target: borrowing SortedMerge,
        _ countMax: Int, _ selection: KeySelection, to existBlock: inout [UInt8]
    ) -> KeyStreamCounters {
        let bytes = source.storage.span
        let others = target.storage.span
        var (one, other, passed) = (ours, theirs, KeyStreamCounters())
        while one.count < countMax, one.pass(in: bytes, with: &other, in: others) {
            let key = bytes.extracting(one.key)
            let isOurs = selection.shard.contains(key)
            passed.count(sizeBytes: one.sizeBytes, other.sizeBytes, isOurs: isOurs)
            guard isOurs, selection.writesExist else { continue }
            KeyListLine.appendEscaped(key: key, to: &existBlock)
            existBlock.append(contentsOf: existColumns)
            if existBlock.count >= existBlockSizeBytes { break }
        }
        (ours, theirs) = (one, other)
        return passed
    }

    /// How many keys can pass before one needs a closer look; nil where each of them does.
    @inline(__always)
    private var twinCountMax: Int? {
        guard !selection.takesUnion, !selection.takesChanged, aheadIndex == selection.ahead.count
        else { return nil }
        var countMax = Self.progressLineCount - quietLineCount - 1
        if let first = selection.first { countMax = min(countMax, first - takenCount) }
        if selection.samplesExist {
            countMax = min(countMax, sampling.next - counters.exist)
        }
        return countMax
    }
}

extension KeyStreamCounters {
    /// Counts a line of both sides, by the sizes that it tells there.
    @inline(__always)
    fileprivate mutating func count(
        sizeBytes: Int64?, _ targetSizeBytes: Int64?, isOurs: Bool
    ) {
        listed += 1
        listedBytes &+= sizeBytes ?? 0
        unsized += sizeBytes == nil ? 1 : 0
        guard isOurs else { return ignored += 1 }
        exist += 1
        existBytes &+= sizeBytes ?? targetSizeBytes ?? 0
        guard let sizeBytes, let targetSizeBytes, sizeBytes != targetSizeBytes else { return }
        existDiffers += 1
    }

    /// Adds what such lines came to.
    fileprivate mutating func count(_ passed: KeyStreamCounters) {
        listed += passed.listed
        listedBytes &+= passed.listedBytes
        unsized += passed.unsized
        ignored += passed.ignored
        exist += passed.exist
        existBytes &+= passed.existBytes
        existDiffers += passed.existDiffers
    }
}

// MARK: - Events

extension KeyStream {
    /// What stands behind the key in migrate.log: outcome, bytes, ETag, proof and milliseconds.
    static let existColumns = Array("\texist\t-\t-\t-\t0\n".utf8)

    private mutating func noteExist() throws(ListError) -> Event? {
        let isSample = selection.samplesExist && sampling.takes(counters.exist)
        counters.exist += 1
        counters.existBytes &+= source.sizeBytes ?? target.sizeBytes ?? 0
        if listsDiffer() { counters.existDiffers += 1 }
        guard !isSample else { return eventAfterExistLines(.sample(try source.line())) }
        existBlockCount += 1
        guard selection.writesExist else { return nil }
        source.withKey { key in KeyListLine.appendEscaped(key: key, to: &existBlock) }
        existBlock.append(contentsOf: Self.existColumns)
        return existBlock.count >= Self.existBlockSizeBytes ? takeExistLines() : nil
    }

    /// Whether both lists know size and ETag of the object, and the same.
    private func listsAgree() -> Bool {
        guard let one = source.sizeBytes, one == target.sizeBytes else { return false }
        return source.withColumns { one in
            target.withColumns { other in
                guard let tag = etag(in: one), !tag.isPlaceholder else { return false }
                return tag == etag(in: other)
            }
        }
    }

    /// Whether both lists know something of the object, and not the same.
    @inline(__always)
    private func listsDiffer() -> Bool {
        if let one = source.sizeBytes, let other = target.sizeBytes, one != other { return true }
        return source.withColumns { one in
            target.withColumns { other in
                guard one.count > 0, other.count > 0 else { return false }
                guard one.order(of: 0..<one.count, to: 0..<other.count, in: other) != 0 else {
                    return false
                }
                guard let tag = etag(in: one), let otherTag = etag(in: other) else { return false }
                return tag != otherTag
            }
        }
    }

    private func etag(in columns: Span<UInt8>) -> ETag? {
        guard let ranges = try? ListColumns(columns, from: 0) else { return nil }
        return ranges.etag(in: columns)
    }

    private mutating func takeExistLines() -> Event {
        let event = Event.existLines(existBlock, count: existBlockCount)
        existBlock = []
        if selection.writesExist {
            existBlock.reserveCapacity(Self.existBlockSizeBytes + KeyListLine.byteCountMax)
        }
        existBlockCount = 0
        quietLineCount = 0
        return event
    }

    /// The event, or the exist lines that come before it.
    private mutating func eventAfterExistLines(_ event: Event) -> Event {
        quietLineCount = 0
        guard existBlockCount > 0 else {
            if event == .end { pending = .end }
            return event
        }
        pending = event
        return takeExistLines()
    }

    private mutating func progress() -> Event {
        quietLineCount = 0
        return existBlockCount > 0 ? takeExistLines() : .progress
    }
}
