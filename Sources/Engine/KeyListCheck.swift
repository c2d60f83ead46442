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
            case .line: count(&merge)
            case .needsBlock(let index):
                let before = input.readBytes
                try merge.supply(index, from: &input)
                progress(lineCount, input.readBytes - before)
            case .closed(let index):
                input.close(index)
                lastKey = lineCount > 0 ? merge.lastKeyClosed : nil
            case .end: return
            }
        }
    }

    /// Counts the current line and the plain ones behind it.
    private mutating func count(_ merge: inout SortedMerge) {
        if firstKey == nil { firstKey = merge.key() }
        add(lineCount: 1, merge.sizeBytes)
        let plain = merge.passPlainLines()
        add(lineCount: plain.count, plain.sizeBytes)
    }

    private mutating func add(lineCount: Int, _ sizeBytes: Int64?) {
        self.lineCount += lineCount
        guard let sum = objectBytes else { return }
        objectBytes = sizeBytes.map { sum &+ $0 }
    }
}

extension KeyListCheck {
    /// Checks lists that overlap against each other: a key that is in two of them is found here, and not when half of
    /// the objects have been copied. Lists that do not overlap cannot share a key, and are not read.
    static func merged(_ chunks: [KeyListChunk]) throws(ListError) {
        guard overlap(chunks.map(\.list)) else { return }
        var merge = SortedMerge(chunks.map(\.list))
        var input = KeyListInput(chunks)
        while true {
            switch try merge.next() {
            case .line: break
            case .needsBlock(let index): try merge.supply(index, from: &input)
            case .closed(let index): input.close(index)
            case .end: return
            }
        }
    }

    private static func overlap(_ lists: [ListChunk]) -> Bool {
        let spans = lists.compactMap { list in
            list.firstKey.flatMap { first in list.lastKey.map { (first: first, last: $0) } }
        }.sorted { $0.first < $1.first }
        return zip(spans, spans.dropFirst()).contains { $1.first <= $0.last }
    }
}
