//! When two answers are about the same object, and what two objects' facts tell of their bytes.

internal import S3

extension ObjectFacts {
    /// Whether both answers are about one and the same write of the object. All three are compared: there are
    /// servers whose ETag never changes, and writes within one second.
    func isSameObject(as other: ObjectFacts) -> Bool {
        sizeBytes == other.sizeBytes && etag == other.etag && lastModified == other.lastModified
    }

    /// What can be said, without their bytes, of a source's object and the target's: `same`, `differs`, or `size`
    /// where only that can be compared.
    func comparison(with found: ObjectFacts) -> Proof {
        guard found.sizeBytes == sizeBytes else { return .differs }
        guard let theirs = found.etag, let source = etag, source.isDigest else { return .size }
        if theirs == source { return .same }
        let isComparable =
            theirs.md5 != nil && source.md5 != nil
            || theirs.partCount != nil && theirs.partCount == source.partCount
        return isComparable ? .differs : .size
    }
}
