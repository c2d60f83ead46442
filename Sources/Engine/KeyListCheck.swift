//! Lists without a manifest are read once before the run: every line checked and counted.

import Migration
import S3

/// How far the check of the lists has come, for a progress line.
public struct KeyListCheckProgress: Sendable {
    public var lineCount: Int
    public var readBytes: Int64
    /// All files that must be checked.
    public var totalBytes: Int64
}

/// What the check of one file found; none of it when the file is empty.
struct KeyListCheck: Sendable {
    private(set) var lineCount = 0
    /// The objects' sizes; nil when a line has none.
    private(set) var objectBytes: Int64? = 0
    private(set) var firstKey: ObjectKey?
    private(set) var lastKey: ObjectKey?

    /// Reads the file with one block of memory. `progress` gets the lines so far and the bytes of every block.
    init(
        _ chunk: KeyListChunk, progress: (_ lineCount: Int, _ blockBytes: Int) -> Void
    ) throws(ListError) {
        var merge = SortedMerge([chunk.list])
        var input = KeyListInput([chunk])
        while true {
            switch try merge.next() {
            case .line: count(merge)
            case .needsBlock(let index):
                let (count, isLast) = try input.nextBlock(of: index, chunk.list)
                merge.supply(chunk: index, input.block.span.extracting(..<count), isLast: isLast)
                progress(lineCount, count)
            case .closed(let index):
                input.close(index)
                lastKey = lineCount > 0 ? merge.lastKeyClosed : nil
            case .end: return
            }
        }
    }

    private mutating func count(_ merge: borrowing SortedMerge) {
        lineCount += 1
        if firstKey == nil { firstKey = merge.key() }
        guard let sum = objectBytes else { return }
        objectBytes = merge.sizeBytes.map { sum &+ $0 }
    }
}
