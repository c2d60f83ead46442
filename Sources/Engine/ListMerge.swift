//! More overlapping lists than files may be open: groups of them are merged on disk first.

import Glibc
import Linux
public import Migration

/// The merge before the merge.
///
/// Lists that were sorted file by file all overlap, and a thousand of them would need a thousand open files. Its
/// products have no names: they vanish with the run, however it ends.
public enum ListMerge {
    /// How many lists of a side may be open at once, 80 KiB of memory each.
    public static let openMaxDefault = 128

    /// The chunks of a side, fewer where too many overlapped. `say` is told when something must be merged;
    /// `temporaryFolder` is where, and must be there.
    public static func reduced(
        _ chunks: [KeyListChunk], openMax: Int = openMaxDefault, temporaryFolder: String,
        say: (String) -> Void = { _ in }
    ) throws(ListError) -> [KeyListChunk] {
        let plan = ListMergePlan(chunks.map(\.list), openMax: openMax)
        guard !plan.groups.isEmpty else { return chunks }
        let neededBytes = neededBytes(for: plan, chunks)
        say(
            "\(chunks.count) lists overlap too much to be read at once: merging them first, with"
                + " \(neededBytes) bytes in \(temporaryFolder)")
        // A product that went into a later one is let go, and its room with it.
        var items: [KeyListChunk?] = chunks
        for group in plan.groups {
            let members = group.members.compactMap { items[$0] }
            items.append(try merge(members, in: temporaryFolder, neededBytes: neededBytes))
            for index in group.members { items[index] = nil }
        }
        return plan.remaining.compactMap { items[$0] }
    }

    /// About what all products together take; those that are merged again count twice.
    private static func neededBytes(for plan: ListMergePlan, _ chunks: [KeyListChunk]) -> Int64 {
        var sizes = chunks.map(\.sizeBytes)
        for group in plan.groups {
            sizes.append(group.members.reduce(0) { $0 + sizes[$1] })
        }
        return sizes[chunks.count...].reduce(0, +)
    }

    private static func merge(
        _ members: [KeyListChunk], in folder: String, neededBytes: Int64
    ) throws(ListError) -> KeyListChunk {
        var output = try ListMergeOutput(in: folder, neededBytes: neededBytes)
        var input = KeyListInput(members)
        var merge = SortedMerge(members.map(\.list))
        var lineCount = 0
        while true {
            switch try merge.next() {
            case .line:
                lineCount += 1
                try output.write { bytes in merge.appendLine(to: &bytes) }
            case .needsBlock(let index): try merge.supply(index, from: &input)
            case .closed(let index): input.close(index)
            case .end:
                return try product(of: members, lineCount, try output.finish(named: name(members)))
            }
        }
    }

    private static func product(
        of members: [KeyListChunk], _ lineCount: Int, _ file: KeyListFile
    ) throws(ListError) -> KeyListChunk {
        let list = ListChunk(
            folder: "", name: file.path, firstKey: members.compactMap(\.list.firstKey).min(),
            lastKey: members.compactMap(\.list.lastKey).max(), lineCount: lineCount)
        return KeyListChunk(list: list, sizeBytes: file.sizeBytes, file: file)
    }

    /// What messages call the product, since it has no path that would help.
    private static func name(_ members: [KeyListChunk]) -> String {
        let paths = members.map(\.list.path).sorted()
        return "(the merge of \(members.count) lists, \(paths.first ?? "") … \(paths.last ?? ""))"
    }
}

/// A file without a name that takes merged lines.
struct ListMergeOutput: ~Copyable {
    static let blockSizeBytes = 256 * 1024

    private let folder: String
    private let neededBytes: Int64
    private let descriptor: Descriptor
    private var bytes: [UInt8] = []

    init(in folder: String, neededBytes: Int64) throws(ListError) {
        var template = Array("\(folder)/.list-merge-XXXXXX".utf8CString)
        let number = try checkList("make a temporary file in", folder) { mkstemp(&template) }
        // From now on it lives as long as its descriptor, so that even a crash leaves nothing behind.
        unlink(template)
        self.init(owning: Descriptor(number), in: folder, neededBytes: neededBytes)
    }

    /// Takes over a descriptor; `folder` is for messages.
    init(owning descriptor: consuming Descriptor, in folder: String, neededBytes: Int64) {
        self.descriptor = descriptor
        self.folder = folder
        self.neededBytes = neededBytes
        bytes.reserveCapacity(Self.blockSizeBytes + KeyListLine.byteCountMax)
    }

    mutating func write(_ append: (inout [UInt8]) -> Void) throws(ListError) {
        append(&bytes)
        if bytes.count >= Self.blockSizeBytes { try flush() }
    }

    /// The file, ready to be read from its beginning.
    consuming func finish(named name: String) throws(ListError) -> KeyListFile {
        try flush()
        return try KeyListFile(owning: descriptor, path: name)
    }

    private mutating func flush() throws(ListError) {
        do throws(SystemError) {
            try descriptor.write(bytes)
        } catch {
            throw failure(error)
        }
        bytes.removeAll(keepingCapacity: true)
    }

    private func failure(_ error: SystemError) -> ListError {
        switch error.code {
        case ENOSPC, EDQUOT: .diskFull(path: folder, neededBytes: neededBytes)
        default: .system("write a temporary file in", folder, error)
        }
    }
}
