//! The large objects of a ledger against a naive model, in random orders.

import Testing

@testable import Migration

@Suite struct LargeObjectsPropertyTests {
    @Test(arguments: 0..<24)
    func keepsItsPromises(seed: UInt64) throws {
        var pair = LargePair(seed: seed)
        for _ in 0..<200 { try pair.step() }
        try pair.finish()
    }
}

/// Large objects, and all that is known of each by somebody who keeps everything.
private struct LargePair {
    private enum State: Equatable {
        case unborn
        case waiting
        /// Its job is with a worker.
        case active
        case spread
        case left
    }

    private struct Object {
        var state = State.unborn
        var size: Int64
        var part: Int64
        var numbers: [Int] = []
        var handedOut: [Int] = []
        var inFlight: Set<Int> = []
        var receipts: Set<Int> = []
        var hasFailed = false
        var mayGoOn: Bool { inFlight.isEmpty && (hasFailed || handedOut.count == numbers.count) }
        var hasPart: Bool { state == .spread && !hasFailed && handedOut.count < numbers.count }
    }

    private let seed: UInt64
    private var random: SeededRandom
    private var large: LargeObjects
    private var objects: [Object]
    private let activeMax: Int

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.seed = seed
        activeMax = .random(in: 1...5, using: &random)
        large = LargeObjects(activeMax: activeMax, workerCount: 1)
        let unit = Limits.partBytesInFlightMax / 8
        objects = (0..<12).map { _ in
            let part = Int64.random(in: 1...12, using: &random) * unit
            let size =
                part * Int64.random(in: 1...8, using: &random)
                - .random(in: 0..<part, using: &random)
            return Object(size: size, part: part)
        }
        self.random = random
    }

    private var hint: String { "seed \(seed)" }

    private func those(_ state: State) -> [Int] {
        objects.indices.filter { objects[$0].state == state }
    }

    mutating func step() throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: arrive()
        case 1...4: try take(Int.random(in: 0...5, using: &random))
        case 5...7: endPart()
        default: goOn()
        }
        try compare()
    }

    private mutating func arrive() {
        guard !large.isFull, let index = those(.unborn).randomElement(using: &random) else {
            return
        }
        objects[index].state = .waiting
        large.park(copy(index), .forTurn)
    }

    private func copy(_ index: Int) -> MultipartCopy {
        largeCopy(index, sizeBytes: objects[index].size, partBytes: objects[index].part).copy
    }

    /// A worker with something in hand.
    private mutating func take(_ count: Int) throws {
        let half = Limits.partBytesInFlightMax / 2
        try take(count, inHand: half * .random(in: 0...2, using: &random))
    }

    private mutating func take(_ count: Int, inHand: Int64) throws {
        var sum = inHand
        let assignments = large.take(count, partBytes: inHand)
        try #require(assignments.count <= count, "\(hint)")
        for assignment in assignments {
            switch (assignment.job, assignment.event) {
            case (.multipart(let copy), .turn):
                let index = copy.item.sequence
                try #require(objects[index].state == .waiting, "\(hint): a turn out of turn")
                objects[index].state = .active
            case (.multipart(let copy), .partsEnded(let report)):
                try goesOn(copy.item.sequence, report)
            case (.part(let copy), .begin):
                sum += copy.part.byteCount
                try goesOut(copy.part, sum: sum)
            default: Issue.record("\(hint): \(assignment.words)")
            }
        }
    }

    private mutating func goesOut(_ part: PartItem, sum: Int64) throws {
        let index = part.item.sequence
        try #require(objects[index].hasPart, "\(hint): a part of nobody")
        let oldest = objects.indices.first { objects[$0].hasPart }
        try #require(index == oldest, "\(hint): a part of a younger object")
        let next = objects[index].numbers[objects[index].handedOut.count]
        try #require(part.number == next, "\(hint): a part twice, or out of order")
        let isAlone = sum == part.byteCount
        try #require(isAlone || sum <= Limits.partBytesInFlightMax, "\(hint): too much for one")
        objects[index].handedOut.append(part.number)
        objects[index].inFlight.insert(part.number)
    }

    private mutating func goesOn(_ index: Int, _ report: PartsReport) throws {
        let object = objects[index]
        try #require(object.state == .spread && object.mayGoOn, "\(hint): too early")
        try #require(Set(report.receipts.keys) == object.receipts, "\(hint): receipts")
        try #require((report.problem != nil) == object.hasFailed, "\(hint): problem")
        objects[index].state = .active
    }

    private mutating func endPart() {
        let busy = objects.indices.filter { !objects[$0].inFlight.isEmpty }
        guard let index = busy.randomElement(using: &random),
            let number = objects[index].inFlight.sorted().randomElement(using: &random)
        else { return }
        let isBad = Int.random(in: 0..<12, using: &random) == 0
        objects[index].inFlight.remove(number)
        if isBad { objects[index].hasFailed = true } else { objects[index].receipts.insert(number) }
        large.end(part: number, of: index, isBad ? partFailure : .copied(receipt))
    }

    /// An object with a worker spreads its parts, begins again or ends.
    private mutating func goOn() {
        guard let index = those(.active).randomElement(using: &random) else { return }
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            objects[index].state = .waiting
            large.park(copy(index), .forTurn)
        case 1...4: spread(index)
        default:
            objects[index].state = .left
            large.leave(index)
        }
    }

    private mutating func spread(_ index: Int) {
        var (copy, order) = largeCopy(
            index, sizeBytes: objects[index].size, partBytes: objects[index].part)
        // An earlier run has sent some.
        order.numbers = order.numbers.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
        if order.numbers.isEmpty { order.numbers = [1] }
        objects[index].state = .spread
        objects[index].numbers = order.numbers
        (objects[index].handedOut, objects[index].receipts) = ([], [])
        objects[index].hasFailed = false
        large.park(copy, .forParts(order))
        _ = copy.takeWarnings()
    }

    private func compare() throws {
        let active = those(.active).count + those(.spread).count
        try #require(active <= activeMax, "\(hint): \(active) are active")
        let hasParts = objects.contains { $0.hasPart }
        if hasParts { try #require(large.handsOut, "\(hint): parts that nobody is told of") }
    }

    /// Whatever came before, all that wait get their turn, and all parts go out.
    mutating func finish() throws {
        for _ in 0..<100_000
        where objects.contains(where: { ![.unborn, .left].contains($0.state) }) {
            let isBusy = objects.contains { !$0.inFlight.isEmpty } || !those(.active).isEmpty
            try #require(isBusy || large.handsOut, "\(hint): stuck")
            try take(2, inHand: 0)
            endPart()
            goOn()
            try compare()
        }
        #expect(!objects.contains { ![.unborn, .left].contains($0.state) }, "\(hint)")
        #expect(!large.handsOut, "\(hint)")
    }
}
