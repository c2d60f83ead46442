//! The two ends of a migration.

/// Which of the two clusters an exchange is with.
public enum Side: String, Sendable, CaseIterable {
    case source
    case target
}

/// The same of both ends.
public struct BothSides<Value> {
    public var source: Value
    public var target: Value

    public init(source: Value, target: Value) {
        self.source = source
        self.target = target
    }

    public init(_ make: (Side) -> Value) {
        self.init(source: make(.source), target: make(.target))
    }

    public subscript(side: Side) -> Value {
        get { side == .source ? source : target }
        set { if side == .source { source = newValue } else { target = newValue } }
    }
}

extension BothSides: Sendable where Value: Sendable {}
