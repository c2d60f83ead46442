//! When two answers are about the same object.

internal import S3

extension ObjectFacts {
    /// Whether both answers are about one and the same write of the object. All three are compared: there are
    /// servers whose ETag never changes, and writes within one second.
    func isSameObject(as other: ObjectFacts) -> Bool {
        sizeBytes == other.sizeBytes && etag == other.etag && lastModified == other.lastModified
    }
}
