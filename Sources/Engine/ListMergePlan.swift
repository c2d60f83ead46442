//! Which chunks must become one before the merge, so that it never opens too many files.

import Migration
import S3

/// Groups of overlapping chunks to merge on disk, in order, by intervals alone.
///
/// A sweep over the chunks in the order of their first keys keeps those that are open at the same time. When they are
/// as many as may be, those of one level (0 is a file of the operator's, 1 a merge of such, …) become
/// one: so lines are written once where that suffices, and about once more each time the number of overlapping
/// chunks grows by a factor of `openMax`. Chunks that overlap few others stay as they are.
struct ListMergePlan {
    struct Group: Hashable {
        /// Indexes: below the count of chunks those themselves, from there on the results of earlier groups.
        var members: [Int]
    }

    private(set) var groups: [Group] = []
    /// What is left to be merged at once: indexes as in `Group.members`.
    private(set) var remaining: [Int] = []

    private struct Item {
        var index: Int
        var level: Int
        /// nil where it is not known: it may reach to the end.
        var lastKey: ObjectKey?
    }

    private let chunkCount: Int
    private let openMax: Int

    init(_ chunks: [ListChunk], openMax: Int) {
        precondition(openMax >= 2, "a merge takes two files, not \(openMax)")
        chunkCount = chunks.count
        self.openMax = openMax
        var open: [Item] = []
        let order = chunks.indices.sorted { Self.firstKey(chunks[$0]) < Self.firstKey(chunks[$1]) }
        for index in order {
            retire(&open, before: Self.firstKey(chunks[index]))
            if open.count == openMax { mergeGreatestLevel(of: &open) }
            open.append(Item(index: index, level: 0, lastKey: chunks[index].lastKey))
        }
        remaining += open.map(\.index)
    }

    private static func firstKey(_ chunk: ListChunk) -> ObjectKey {
        chunk.firstKey ?? ObjectKey([])
    }

    private mutating func retire(_ open: inout [Item], before firstKey: ObjectKey) {
        let isOver = { (item: Item) in item.lastKey.map { $0 < firstKey } ?? false }
        remaining += open.filter(isOver).map(\.index)
        open.removeAll(where: isOver)
    }

    /// Makes one of all open items of the level that has the most.
    private mutating func mergeGreatestLevel(of open: inout [Item]) {
        var counts: [Int: Int] = [:]
        for item in open { counts[item.level, default: 0] += 1 }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        // Two levels of one item each, the least there can be: both then.
        let isMember = { (item: Item) in
            (most?.value ?? 0) < 2 || item.level == most?.key
        }
        let members = open.filter(isMember)
        open.removeAll(where: isMember)
        let index = chunkCount + groups.count
        groups.append(Group(members: members.map(\.index)))
        let level = (members.map(\.level).max() ?? 0) + 1
        open.append(Item(index: index, level: level, lastKey: Self.lastKey(of: members)))
    }

    private static func lastKey(of members: [Item]) -> ObjectKey? {
        let keys = members.compactMap(\.lastKey)
        return keys.count == members.count ? keys.max() : nil
    }
}
