//! What becomes of an object that the target has already: `--overwrite`.

/// When the source's object takes the place of another at the target. Our own damaged copy is apart from this: it may
/// always be replaced.
public enum OverwriteMode: String, Sendable, Codable, CaseIterable {
    /// What the target has stays.
    case never
    /// What differs from the source's object is replaced if it was written before it.
    case changed
    /// What differs is replaced, whatever its age.
    case always

    /// - Parameter comparison: `same`, `differs`, or `size` where nothing but the size can be compared.
    func replaces(_ comparison: Proof, isOlder: Bool) -> Bool {
        guard comparison != .same else { return false }
        return switch self {
        case .never: false
        case .changed: isOlder
        case .always: true
        }
    }
}
