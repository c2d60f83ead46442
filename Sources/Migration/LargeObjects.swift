//! The large objects that are under way: whose turn it is, and whose parts go out next.

internal import DequeModule

/// A job that a worker is to take up, and the event that it is told first.
public struct Assignment: Sendable {
    public var job: Job
    public var event: TransferEvent
}

/// Large objects between the first answer of their source and their end.
///
/// Few of them are copied at a time, the oldest, so that the server is not left with thousands of open uploads; but
/// enough that the workers always find parts. One giant object gives parts to every worker.
struct LargeObjects: Sendable {
    /// An object whose parts are with the workers.
    private struct Spread: Sendable {
        var copy: MultipartCopy
        var order: PartsOrder
        /// How many of the order's numbers went out.
        var takenCount = 0
        var inFlight = 0
        var report = PartsReport()

        var hasPart: Bool { report.problem == nil && takenCount < order.numbers.count }
        var isDone: Bool { inFlight == 0 && !hasPart }
    }

    let activeMax: Int
    private let bytesLeftMin: Int64
    private let partBytesInFlightMax: Int64
    /// Objects that wait for their turn, the oldest first.
    private var waiting: [MultipartCopy] = []
    /// What is to be taken up by a worker, before any part.
    private var resumed: Deque<Assignment> = []
    /// By sequence number, ascending, since the oldest is served first.
    private var spreads: [(sequence: Int, spread: Spread)] = []
    /// How many bytes each active object has not handed out yet; all of them, while its parts are not known.
    private var bytesLeft: [Int: Int64] = [:]
    private var isStopped = false

    init(activeMax: Int, workerCount: Int, roundTrip: Duration = .zero) {
        precondition(activeMax > 0 && workerCount > 0, "no large object could be copied")
        self.activeMax = activeMax
        self.bytesLeftMin = Int64(workerCount) * Limits.largeBytesLeftMin
        self.partBytesInFlightMax = Limits.partBytesInFlightMax(roundTrip: roundTrip)
    }

    /// Whether so many wait for their turn that no new object should be begun: it may be large, too.
    var isFull: Bool { waiting.count >= activeMax }

    var handsOut: Bool {
        !isStopped && (!resumed.isEmpty || spreads.contains { $0.spread.hasPart })
    }

    // MARK: - To the workers

    mutating func take(_ count: Int, partBytes: Int64) -> [Assignment] {
        guard !isStopped else { return [] }
        var taken: [Assignment] = []
        var partBytes = partBytes
        while taken.count < count {
            if let assignment = resumed.popFirst() {
                taken.append(assignment)
            } else if let part = takePart(inHand: partBytes) {
                partBytes += part.byteCount
                taken.append(Assignment(job: .part(PartCopy(part)), event: .begin))
            } else {
                break
            }
        }
        return taken
    }

    private mutating func takePart(inHand bytes: Int64) -> PartItem? {
        guard let index = spreads.firstIndex(where: { $0.spread.hasPart }) else { return nil }
        let (sequence, spread) = spreads[index]
        let part = PartItem(order: spread.order, number: spread.order.numbers[spread.takenCount])
        guard bytes == 0 || bytes + part.byteCount <= partBytesInFlightMax else {
            return nil
        }
        spreads[index].spread.takenCount += 1
        spreads[index].spread.inFlight += 1
        bytesLeft[sequence, default: part.byteCount] -= part.byteCount
        letNextBegin()
        return part
    }

    // MARK: - From the workers

    mutating func add(_ cleanup: UploadCleanup) {
        resumed.append(Assignment(job: .cleanup(cleanup), event: .begin))
    }

    mutating func park(_ copy: MultipartCopy, _ parking: Parking) {
        switch parking {
        case .forTurn:
            // It may have had its turn before, and begun again since then.
            if bytesLeft[copy.item.sequence] != nil { return resume(copy, .turn) }
            let place = waiting.firstIndex { $0.item.sequence > copy.item.sequence }
            waiting.insert(copy, at: place ?? waiting.endIndex)
            letNextBegin()
        case .forParts(let order):
            let sequence = copy.item.sequence
            bytesLeft[sequence] = order.byteCount
            let place = spreads.firstIndex { $0.sequence > sequence } ?? spreads.endIndex
            spreads.insert((sequence, Spread(copy: copy, order: order)), at: place)
        }
    }

    private mutating func resume(_ copy: MultipartCopy, _ event: TransferEvent) {
        resumed.append(Assignment(job: .multipart(copy), event: event))
    }

    mutating func end(part number: Int, of sequence: Int, _ outcome: PartOutcome) {
        guard let index = spreads.firstIndex(where: { $0.sequence == sequence }) else {
            preconditionFailure("a part of no object has ended")
        }
        spreads[index].spread.inFlight -= 1
        spreads[index].spread.report.take(outcome, of: number)
        guard spreads[index].spread.isDone else { return }
        let spread = spreads.remove(at: index).spread
        bytesLeft[sequence] = 0
        resume(spread.copy, .partsEnded(spread.report))
        letNextBegin()
    }

    /// An object has ended, large or not.
    mutating func leave(_ sequence: Int) {
        guard bytesLeft.removeValue(forKey: sequence) != nil else { return }
        letNextBegin()
    }

    mutating func stopHandingOut() { isStopped = true }

    private mutating func letNextBegin() {
        while let next = waiting.first, mayBegin {
            waiting.removeFirst()
            bytesLeft[next.item.sequence] = next.sizeBytes
            resume(next, .turn)
        }
    }

    private var mayBegin: Bool {
        guard bytesLeft.count < activeMax else { return false }
        return bytesLeft.count < Limits.largeObjectsMin
            || bytesLeft.values.reduce(0, +) < bytesLeftMin
    }
}
