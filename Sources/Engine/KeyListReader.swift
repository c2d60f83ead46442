//! The list thread's tool: it feeds a key stream with the files of both sides.

public import Migration

/// The events of a `KeyStream`, with the files behind it.
///
/// A file is opened when the merge reaches its first key, and closed at its end. Made and used by one thread.
public struct KeyListReader: ~Copyable, Sendable {
    private var stream: KeyStream
    private var source: KeyListInput
    private var target: KeyListInput

    /// Sides whose lists overlap too much must have gone through `ListMerge`.
    public init(
        source: [KeyListChunk], target: [KeyListChunk], selection: KeySelection = KeySelection()
    ) {
        stream = KeyStream(
            source: source.map(\.list), target: target.map(\.list), selection: selection)
        self.source = KeyListInput(source)
        self.target = KeyListInput(target)
    }

    public var counters: KeyStreamCounters { stream.counters }

    /// The next event. After an error, and after `end`, there are no others.
    public mutating func next() throws(ListError) -> KeyStream.Event {
        while true {
            switch try stream.next() {
            case .event(let event): return event
            case .closed(.source, let chunk): source.close(chunk)
            case .closed(.target, let chunk): target.close(chunk)
            case .needsBlock(.source, let chunk):
                try Self.supply(&stream, .source, chunk, from: &source)
            case .needsBlock(.target, let chunk):
                try Self.supply(&stream, .target, chunk, from: &target)
            }
        }
    }

    private static func supply(
        _ stream: inout KeyStream, _ side: Side, _ index: Int,
        from input: inout KeyListInput
    ) throws(ListError) {
        let list = stream.chunk(side, index)
        try stream.supply(side, chunk: index) { storage, room throws(ListError) in
            try input.read(index, list, into: &storage, at: room)
        }
    }
}

extension SortedMerge {
    /// Supplies the next block of a chunk.
    mutating func supply(_ index: Int, from input: inout KeyListInput) throws(ListError) {
        let list = chunks[index]
        try supply(chunk: index) { storage, room throws(ListError) in
            try input.read(index, list, into: &storage, at: room)
        }
    }
}

/// The open files of one merge, by the numbers that the merge gives its chunks.
struct KeyListInput {
    private let chunks: [String: KeyListChunk]
    private var open: [Int: OpenFile] = [:]
    /// Of all files together.
    private(set) var readBytes = 0

    private struct OpenFile {
        let file: KeyListFile
        var offset: Int64 = 0
    }

    init(_ chunks: [KeyListChunk]) {
        self.chunks = Dictionary(chunks.map { ($0.list.path, $0) }) { first, _ in first }
    }

    /// Reads the next block of a chunk; gives its length, and whether the file ends with it.
    mutating func read(
        _ index: Int, _ list: ListChunk, into storage: inout MutableSpan<UInt8>, at room: Range<Int>
    ) throws(ListError) -> (count: Int, isLast: Bool) {
        var entry = try entry(index, list)
        let count = try entry.file.read(at: entry.offset, into: &storage, room)
        entry.offset += Int64(count)
        readBytes += count
        open[index] = entry
        return (count, count == 0 || entry.offset >= entry.file.sizeBytes)
    }

    mutating func close(_ index: Int) { open[index] = nil }

    private func entry(_ index: Int, _ list: ListChunk) throws(ListError) -> OpenFile {
        if let entry = open[index] { return entry }
        return try openFile(list)
    }

    private func openFile(_ list: ListChunk) throws(ListError) -> OpenFile {
        guard let chunk = chunks[list.path] else {
            preconditionFailure("the merge asks for \(list.path), which it was not given")
        }
        return OpenFile(file: try chunk.open())
    }
}
