//! Puts sorted keys into chunk files, and looks at what may not be meant.

internal import Migration
internal import Synchronization

/// The lists of a sorted file while they are written.
struct SortedListWriter: ~Copyable {
    private var writer: ChunkWriter
    private let form: KeyForm
    private let tally: SharedTally
    private(set) var objects = 0
    /// The sizes together, as long as every line has one.
    private(set) var bytes: Int64? = 0
    /// How many columns every line has, the key not counted.
    private var columnCount = 3
    /// Keys that look as if they were written in another form than the operator said.
    private var suspects: [KeySuspicion: (count: Int, example: [UInt8])] = [:]

    init(_ writer: consuming ChunkWriter, form: KeyForm, tally: SharedTally) {
        self.writer = writer
        self.form = form
        self.tally = tally
    }

    mutating func append(key: Span<UInt8>, columns: Span<UInt8>) throws(FindError) {
        var isEscaped = false
        try writer.append { buffer in
            let start = buffer.count
            KeyListLine.append(key: key, columns: columns, to: &buffer)
            isEscaped = buffer[start] == UInt8(ascii: "\\")
        }
        if isEscaped { suspect(key) }
        count(columns)
        tally.objects.add(1, ordering: .relaxed)
    }

    /// Ends the last chunk; what all of them are.
    mutating func finish() throws(FindError) -> [Manifest.Chunk] {
        try writer.finish()
        return writer.chunks
    }

    /// The columns of every line, for the manifest.
    var columns: [String] {
        ["key"] + ["size", "mtime", "etag"].prefix(objects == 0 ? 0 : columnCount)
    }

    /// What the operator should look at, in sentences.
    var warnings: [String] {
        KeySuspicion.allCases.compactMap { kind in
            suspects[kind].map { kind.sentence(count: $0.count, example: shown($0.example)) }
        }
    }

    private mutating func count(_ columns: Span<UInt8>) {
        objects += 1
        // They were checked when they were read.
        let known = try? KeyListLine.checkColumns(columns)
        columnCount = min(columnCount, known?.count ?? 0)
        guard let sum = bytes else { return }
        bytes = known?.sizeBytes.map { sum &+ $0 }
    }

    private mutating func suspect(_ key: Span<UInt8>) {
        for kind in KeySuspicion.allCases where kind.concerns(key, in: form) {
            var found = suspects[kind] ?? (0, Array(key.indices.map { key[$0] }))
            found.count += 1
            suspects[kind] = found
        }
    }
}

/// Why a key may be another than the operator means.
enum KeySuspicion: CaseIterable {
    case tab, backslash, notText

    func concerns(_ key: Span<UInt8>, in form: KeyForm) -> Bool {
        switch self {
        case .tab: form == .lines && key.indices.contains { key[$0] == UInt8(ascii: "\t") }
        case .backslash: form == .lines && key[0] == UInt8(ascii: "\\")
        case .notText: (try? UTF8Span(validating: key)) == nil
        }
    }

    func sentence(count: Int, example: String) -> String {
        let keys = "\(count) \(count == 1 ? "key" : "keys")"
        return switch self {
        case .tab:
            "warning: \(keys) with a tab, such as \(example): if those are columns, read the file with --escaped"
        case .backslash:
            "warning: \(keys) with a backslash at the beginning, such as \(example): if the file is in the list "
                + "format already, read it with --escaped"
        case .notText:
            "warning: \(keys) not in UTF-8, such as \(example): few servers take them"
        }
    }
}
