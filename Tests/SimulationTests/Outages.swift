//! Times in which nobody answers at one side, whoever asks.

import Migration

struct Outage: Sendable {
    var side: Side
    var time: ClosedRange<Instant>

    init(_ side: Side, fromMilliseconds begin: Int, seconds: Int) {
        self.side = side
        let begin = Instant(elapsed: .milliseconds(begin))
        time = begin...(begin + .seconds(seconds))
    }

    /// Of a world: few have any, which last from half a minute to ten.
    static func draw(seed: UInt64) -> [Outage] {
        // A source of its own, so that the worlds stay what they were.
        var random = SeededRandom(seed: seed ^ 0x6F75_7461_6765)
        return (0..<random.pick([0, 0, 0, 1, 2])).map { _ in
            Outage(
                random.pick(Side.allCases), fromMilliseconds: random.int(20...3000),
                seconds: random.int(30...600))
        }
    }
}

extension World {
    /// Whether requests to a side come to nothing.
    func isDown(_ side: Side) -> Bool {
        !isCalm && scenario.outages.contains { $0.side == side && $0.time.contains(now) }
    }

    /// Whether a side comes back before its silence can be told from a broken connection: that takes a second, and a
    /// few questions that come ever more seldom.
    private func isUpSoon(_ side: Side) -> Bool {
        var end = now
        while let outage = scenario.outages.first(where: {
            $0.side == side && $0.time.contains(end) && $0.time.upperBound > end
        }) {
            end = outage.time.upperBound
        }
        return end - now < .seconds(3)
    }

    /// A request that meets nobody.
    func breakUnanswered(_ number: Int) {
        // One that was said to have failed before is simply lost.
        guard var flight = flights[number], flight.reply == nil else { return }
        // It was sent once more than it arrived.
        flight.reply = .broken(partial: nil, timesResent: flight.arrivals)
        flights[number] = flight
        record.episodes[flight.episode].steps[flight.step].looksLikeNoOutage =
            isUpSoon(flight.order.side)
        record.outageFaultCount += 1
        queue.add(.answers(flight: number), at: now + random.milliseconds(1...20))
    }
}
