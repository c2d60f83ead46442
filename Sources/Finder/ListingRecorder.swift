//! Turns the steps of the walk into lines, counts and complaints: nothing that the walk meets ends nowhere.

internal import Linux
internal import Migration
internal import S3
internal import Synchronization

/// Decides of each step whether it is an object, and accounts for it if not.
struct ListingRecorder: ~Copyable {
    private(set) var counts = Manifest.Counts()
    private(set) var objects = 0
    private(set) var bytes: Int64 = 0
    private var writer: ChunkWriter
    private let selection: Selection
    private let tally: SharedTally
    private let complain: (FindProblem) -> Void

    init(
        selection: Selection, writer: consuming ChunkWriter, tally: SharedTally,
        complain: @escaping (FindProblem) -> Void
    ) {
        self.selection = selection
        self.writer = writer
        self.tally = tally
        self.complain = complain
    }

    mutating func record(_ step: KeyOrderWalk.Step, at path: [UInt8]) throws(FindError) {
        switch step {
        case .files(let contents, let files, let spelling):
            try add(files, of: contents.listing, at: path, spelling)
        case .directory(let contents, let spelling):
            account(for: contents, at: path)
            if contents.isEmpty && contents.outcome == .read && !path.isEmpty {
                try addEmptyDirectory(path, contents.remarks?.attributes, isText: spelling.isText)
            }
        }
    }

    /// Ends the last chunk; what all of them are.
    mutating func finish() throws(FindError) -> [Manifest.Chunk] {
        try writer.finish()
        return writer.chunks
    }

    private mutating func account(for contents: DirectoryContents, at path: [UInt8]) {
        tally.directories.add(1, ordering: .relaxed)
        guard let remarks = contents.remarks else { return counts.directories += 1 }
        switch remarks.outcome {
        case .read: counts.directories += 1
        case .vanished: addVanished(path)
        case .unreadable(let error): addUnreadable(path, error)
        }
        let left = remarks.left
        counts.symbolicLinks += left.symbolicLinks
        counts.devices += left.devices
        counts.sockets += left.sockets
        counts.fifos += left.fifos
        counts.filteredOut += left.filteredOut
        counts.vanished += left.vanished
        for entry in left.unreadable { addUnreadable(path + entry.name, entry.error) }
    }

    private mutating func addUnreadable(_ path: [UInt8], _ error: SystemError) {
        counts.unreadable += 1
        complain(.unreadable(path, error))
    }

    private mutating func addVanished(_ path: [UInt8]) {
        counts.vanished += 1
        if counts.vanished <= Limits.problemsShownMax { complain(.vanished(path)) }
    }

    /// Most names are plain: as many as follow each other are copied to the lines at once.
    private mutating func add(
        _ files: Range<Int>, of listing: DirectoryListing, at path: [UInt8],
        _ spelling: KeyOrderWalk.Spelling
    ) throws(FindError) {
        let nameBytesMax = ObjectKey.byteCountMax - path.count
        var next = files.lowerBound
        while next < files.upperBound {
            if spelling.isPlain && !listing.keepsAttributes {
                let plain = listing.plainCount(
                    of: next..<files.upperBound, bytesMax: nameBytesMax)
                try writer.append(next..<next + plain, of: listing, below: path)
                count(plain)
                next += plain
                guard next < files.upperBound else { break }
            }
            let entry = listing.entries[next]
            var key = path
            listing.appendSegment(of: entry, to: &key)
            try addObject(
                key, listing.sizeAndTime(of: entry), isText: spelling.isText && entry.isText)
            next += 1
        }
    }

    private mutating func addEmptyDirectory(
        _ path: [UInt8], _ attributes: FileAttributes?, isText: Bool
    ) throws(FindError) {
        counts.emptyDirectories += 1
        guard selection.wantsMarkers, let attributes else { return }
        guard selection.admits(attributes) else { return counts.filteredOut += 1 }
        // Where a marker is stored as an object it is an empty one, whatever a directory's size is.
        let marker = SizeAndTime(sizeBytes: 0, modifiedSeconds: attributes.modifiedSeconds)
        try addObject(path, selection.wantsAttributes ? marker : nil, isText: isText)
    }

    private mutating func addObject(
        _ path: [UInt8], _ attributes: SizeAndTime?, isText: Bool
    ) throws(FindError) {
        guard isText else { return addUnnameable(.notText(path)) }
        guard path.count <= ObjectKey.byteCountMax else { return addUnnameable(.tooLong(path)) }
        let modified = attributes.flatMap {
            Timestamp(secondsSince1970: $0.modifiedSeconds).column
        }
        try writer.append(
            key: path.span, sizeBytes: attributes?.sizeBytes, modified: modified)
        bytes += attributes?.sizeBytes ?? 0
        count(1)
    }

    private mutating func count(_ added: Int) {
        objects += added
        tally.objects.add(added, ordering: .relaxed)
    }

    private mutating func addUnnameable(_ problem: FindProblem) {
        counts.unnameable += 1
        if counts.unnameable <= Limits.problemsShownMax { complain(problem) }
    }
}
