//! Sorted runs become one stream, in which each key is once: the second half of the external sort.

internal import Migration

/// The merge of runs, oldest first.
struct RunMerge: ~Copyable {
    private let runs: [SortedRun]
    private var merge: SortedMerge
    private var offsets: [Int64]
    private var block = [UInt8](repeating: 0, count: SortedMerge.blockSizeBytesMax)
    /// The line that is given when it is known that the next has another key.
    private var key: [UInt8] = []
    private var columns: [UInt8] = []
    private var run = 0
    private var repeated = 0

    init(_ runs: [SortedRun]) {
        self.runs = runs
        offsets = runs.map { _ in 0 }
        merge = SortedMerge(
            runs.indices.map { ListChunk(folder: "", name: Self.name($0)) }, takesRepeats: true)
    }

    /// A name that orders as the number does: the merge keeps chunks of which it knows nothing else in that order.
    private static func name(_ run: Int) -> String { String(1_000_000 + run) }

    /// Gives each key once, with the columns of its newest line.
    /// - Returns: how many lines were left out, whose key has a newer one.
    consuming func forEach(
        _ body: (_ key: Span<UInt8>, _ columns: Span<UInt8>) throws(FindError) -> Void
    ) throws(FindError) -> Int {
        while true {
            switch try next() {
            case .line:
                if isRepeated() {
                    repeated += 1
                    if merge.chunk > run { keepColumns() }
                } else {
                    if !key.isEmpty { try body(key.span, columns.span) }
                    keep()
                }
            case .needsBlock(let run): try supply(run)
            case .closed: break
            case .end:
                if !key.isEmpty { try body(key.span, columns.span) }
                return repeated
            }
        }
    }

    private mutating func next() throws(FindError) -> SortedMerge.Step {
        do throws(ListError) {
            return try merge.next()
        } catch {
            // They are our own lines, which nobody else can reach.
            throw .cannotGoOn(
                "a temporary file was damaged (run \(error)): check the disk, and sort again")
        }
    }

    private mutating func supply(_ run: Int) throws(FindError) {
        let count = try runs[run].read(at: offsets[run], into: &block)
        offsets[run] += Int64(count)
        let isLast = count == 0 || offsets[run] >= runs[run].sizeBytes
        // A reference of its own: the merge is changed by the call, and so may not share `self` with it.
        let block = block
        merge.supply(chunk: run, block.span.extracting(..<count), isLast: isLast)
    }

    private func isRepeated() -> Bool {
        merge.withKey { other in
            other.count == key.count && key.indices.allSatisfy { other[$0] == key[$0] }
        }
    }

    private mutating func keep() {
        merge.copyKey(to: &key)
        keepColumns()
    }

    private mutating func keepColumns() {
        run = merge.chunk
        merge.copyColumns(to: &columns)
    }
}

extension SortedMerge {
    fileprivate func copyKey(to bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        withKey { key in key.withUnsafeBufferPointer { bytes.append(contentsOf: $0) } }
    }

    fileprivate func copyColumns(to bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        withColumns { columns in
            columns.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        }
    }
}
