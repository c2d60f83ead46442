//! Which release this is.

/// The one place that knows the version.
public enum Release {
    /// As in CHANGELOG.md.
    public static let version = "0.1.0"
}
