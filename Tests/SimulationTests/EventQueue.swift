//! What is going to happen, in the order of time: the simulated world's only clock.

import Migration

enum Event: Sendable {
    /// A request reaches its server.
    case arrives(flight: Int)
    /// An answer, or the want of one, reaches the worker.
    case answers(flight: Int)
    case clientActs
    /// What concerns one run's process, and ends with it.
    case process(run: Int, ProcessEvent)
}

enum ProcessEvent: Sendable {
    case wakes(worker: Int, slot: Int, job: Int)
    case grantsMayBeThere(worker: Int)
    case logTick
    /// Somebody waits for a line of uploads.log.
    case recordsWait
    /// It is on the disk.
    case recorded(worker: Int, slot: Int, job: Int)
    case planned
    /// Somebody asks whether the side is up.
    case probe(Side)
}

/// A binary heap; what is due at the same time comes in the order in which it was entered.
struct EventQueue {
    private struct Entry {
        var at: Instant
        var number: Int
        var event: Event

        func precedes(_ other: Entry) -> Bool {
            at == other.at ? number < other.number : at < other.at
        }
    }

    private var heap: [Entry] = []
    private var count = 0

    mutating func add(_ event: Event, at time: Instant) {
        heap.append(Entry(at: time, number: count, event: event))
        count += 1
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (at: Instant, event: Event)? {
        guard let first = heap.first else { return nil }
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        sink()
        return (first.at, first.event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].precedes(heap[least]) {
                least = child
            }
            if least == parent { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
