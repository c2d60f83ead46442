//! The threads that read directories ahead of the writer.

internal import DequeModule
internal import Linux

/// Hands directories to the writer, read by whoever came first.
///
/// The decisions are `ReadAhead`'s; here are the lock, the waiting and the waking. A reader that gets work wakes
/// the next one if there is more, so that no call wakes them all for one directory.
final class ReaderPool {
    private let shared: SharedReadAhead
    private let ownReader: any DirectoryReading
    private var threads: [Thread] = []
    /// Taken by the writer already, in the order in which it will come to them.
    private var taken: Deque<ReadAhead.Directory> = []

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

    /// The directory that the writer begins with.
    func root() -> ReadAhead.Directory {
        shared.begin(with: ownReader.contents(of: []))
    }

    /// The next directory that the writer comes to, in depth-first key order.
    func directory(at child: ReadAhead.Child, path: [UInt8]) -> ReadAhead.Directory {
        while true {
            if let directory = taken.popFirst() { return directory }
            switch shared.take(child) {
            case .directories(let directories): taken.append(contentsOf: directories)
            case .unclaimed: shared.finish(child, path: path, ownReader.contents(of: path))
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

    /// A reader's life. Small directories take little longer to read than a lock to take, so it is taken once for each.
    func read(with reader: any DirectoryReading) {
        var path: [UInt8] = []
        var assignment = nextAssignment(path: &path)
        while case .read(let child) = assignment {
            let contents = reader.contents(of: path)
            let (next, hasMore, shouldWakeWriter) = state.withLock { state in
                state.finish(child, path: path, contents)
                let shouldWakeWriter = state.shouldWakeWriter
                return (state.nextAssignment(path: &path), state.hasWork, shouldWakeWriter)
            }
            if shouldWakeWriter { progress.wakeOne() }
            if next != nil && hasMore { work.wakeOne() }
            assignment = next ?? nextAssignment(path: &path)
        }
    }

    /// Waits until there is something to do.
    private func nextAssignment(path: inout [UInt8]) -> ReadAhead.Assignment {
        let (assignment, hasMore) = state.wait(for: work) { state in
            state.nextAssignment(path: &path).map { ($0, state.hasWork) }
        }
        if hasMore { work.wakeOne() }
        return assignment
    }

    /// The writer has read a directory by itself.
    func finish(_ child: ReadAhead.Child, path: [UInt8], _ contents: DirectoryContents) {
        state.withLock { $0.finish(child, path: path, contents) }
    }

    func begin(with contents: DirectoryContents) -> ReadAhead.Directory {
        let root = state.withLock { $0.begin(with: contents) }
        work.wakeOne()
        return root
    }

    /// The writer's question, answered when it can be.
    func take(_ child: ReadAhead.Child) -> ReadAhead.Answer {
        let (answer, hasWork) = state.wait(for: progress) { state in
            state.take(child).map { ($0, state.hasWork) }
        }
        if hasWork { work.wakeOne() }
        return answer
    }

    func stop() {
        state.withLock { $0.stop() }
        work.wakeAll()
    }
}
