//! What is drawn by chance, in words that read well.

import Migration

extension SeededRandom {
    mutating func isTrue(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &self) < probability
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(int(range))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        precondition(!elements.isEmpty, "nothing to pick from")
        return elements[int(0...elements.count - 1)]
    }

    /// One of the elements, each as likely as its weight says; nil when no weight is above zero.
    mutating func pick<Element>(weighted elements: [(Element, weight: Int)]) -> Element? {
        let sum = elements.reduce(0) { $0 + $1.weight }
        guard sum > 0 else { return nil }
        var place = int(0...sum - 1)
        for (element, weight) in elements {
            if place < weight { return element }
            place -= weight
        }
        return nil
    }

    /// A generator of its own, so that drawing here does not change what is drawn there.
    mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }
}
