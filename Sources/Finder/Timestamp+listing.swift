//! Times as lists and manifests have them.

internal import Glibc
internal import S3

extension Timestamp {
    /// Read where a listing begins and ends, and nowhere else.
    static func now() -> Timestamp {
        Timestamp(secondsSince1970: Int64(time(nil)))
    }

    /// The time as a column of a list: `2026-01-01T00:00:00Z`; nil outside of the years 1 to 9999, which
    /// `iso8601` cannot tell.
    var column: String? { Timestamp.tellable.contains(secondsSince1970) ? iso8601 : nil }

    /// From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
    private static let tellable: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
}
