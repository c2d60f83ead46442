//! The threads that read directories ahead of the writer.

/// Hands directories to the writer, read by whoever came first.
///
/// The decisions are `ReadAhead`'s; here are the lock, the waiting and the waking. A reader that gets work wakes
/// the next one if there is more, so that no call wakes them all for one directory.
final class ReaderPool {
    private let readAhead: Monitor<ReadAhead>
    private let ownReader: any DirectoryReading
    private var threads: [Thread] = []

    /// Starts `threads` readers; with 0 the writer reads everything by itself.
    init(
        threads count: Int, bytesMax: Int = Limits.readAheadBytesMax,
        makeReader: @escaping @Sendable () -> any DirectoryReading
    ) throws(SystemError) {
        let readAhead = Monitor(ReadAhead(bytesMax: bytesMax))
        self.readAhead = readAhead
        ownReader = makeReader()
        for _ in 0..<count {
            threads.append(try Thread { readDirectories(of: readAhead, with: makeReader()) })
        }
    }

    deinit {
        readAhead.withLock { $0.stop() }
        readAhead.wakeAll(.reader)
        for thread in threads { thread.join() }
    }

    /// The next directory that the writer comes to, in depth-first key order.
    func contents(of path: [UInt8]) -> DirectoryContents {
        while true {
            switch readAhead.wait(as: .writer, until: { $0.take(path) }) {
            case .contents(let contents):
                readAhead.wakeReaderIfThereIsWork()
                return contents
            case .unclaimed:
                let contents = ownReader.contents(of: path)
                readAhead.withLock { $0.finish(path, contents) }
            }
        }
    }
}

private func readDirectories(of readAhead: Monitor<ReadAhead>, with reader: any DirectoryReading) {
    while case .read(let path) = readAhead.wait(as: .reader, until: { $0.nextAssignment() }) {
        readAhead.wakeReaderIfThereIsWork()
        let contents = reader.contents(of: path)
        readAhead.withLock { $0.finish(path, contents) }
        readAhead.wakeOne(.writer)
        readAhead.wakeReaderIfThereIsWork()
    }
}

extension Monitor<ReadAhead> {
    fileprivate func wakeReaderIfThereIsWork() {
        if withLock({ $0.hasWork }) { wakeOne(.reader) }
    }
}
