//! The threads that read directories ahead of the writer.

internal import Linux

/// Hands directories to the writer, read by whoever came first.
///
/// The decisions are `ReadAhead`'s; here are the lock, the waiting and the waking. A reader that gets work wakes
/// the next one if there is more, so that no call wakes them all for one directory.
final class ReaderPool {
    private let shared: SharedReadAhead
    private let ownReader: any DirectoryReading
    private var threads: [Thread] = []

    /// Starts `threads` readers; with 0 the writer reads everything by itself.
    init(
        threads count: Int, bytesMax: Int = Limits.readAheadBytesMax,
        makeReader: @escaping @Sendable () -> any DirectoryReading
    ) throws(SystemError) {
        let shared = SharedReadAhead(ReadAhead(bytesMax: bytesMax))
        self.shared = shared
        ownReader = makeReader()
        for _ in 0..<count {
            threads.append(try Thread(name: "reader") { shared.read(with: makeReader()) })
        }
    }

    deinit {
        shared.stop()
        for thread in threads { thread.join() }
    }

    /// The next directory that the writer comes to, in depth-first key order.
    func contents(of path: [UInt8]) -> DirectoryContents {
        while true {
            switch shared.take(path) {
            case .contents(let contents): return contents
            case .unclaimed: shared.finish(path, ownReader.contents(of: path))
            }
        }
    }
}

/// What readers and writer share.
private final class SharedReadAhead: Sendable {
    private let state: Monitor<ReadAhead>
    /// Readers wait for directories to read.
    private let work = Condition()
    /// The writer waits for the next directory in key order.
    private let progress = Condition()

    init(_ readAhead: sending ReadAhead) {
        state = Monitor(readAhead)
    }

    /// A reader's life.
    func read(with reader: any DirectoryReading) {
        while case .read(let path) = state.wait(for: work, until: { $0.nextAssignment() }) {
            wakeReaderIfThereIsWork()
            finish(path, reader.contents(of: path))
            progress.wakeOne()
            wakeReaderIfThereIsWork()
        }
    }

    /// The writer's question, answered when it can be.
    func take(_ path: [UInt8]) -> ReadAhead.Answer {
        let answer = state.wait(for: progress, until: { $0.take(path) })
        if case .contents = answer { wakeReaderIfThereIsWork() }
        return answer
    }

    func finish(_ path: [UInt8], _ contents: DirectoryContents) {
        state.withLock { $0.finish(path, contents) }
    }

    func stop() {
        state.withLock { $0.stop() }
        work.wakeAll()
    }

    private func wakeReaderIfThereIsWork() {
        if state.withLock({ $0.hasWork }) { work.wakeOne() }
    }
}
