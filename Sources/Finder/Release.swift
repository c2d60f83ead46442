//! Which program this is.

/// The one place that knows the version.
public enum Release {
    public static let version = "0.1.0"
}
