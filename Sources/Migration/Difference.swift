//! In what two objects differ, and what proves that they do not: the judgement of a verification.

internal import S3

/// In what the target's object is not the source's, as failed.log tells it.
struct Difference: Sendable, Equatable {
    var faultClass: FaultClass
    /// Both values.
    var message: String

    init(_ faultClass: FaultClass, _ message: String) {
        self.faultClass = faultClass
        self.message = message
    }

    /// What the answers to two HEADs show.
    ///
    /// - Parameter depth: where the bytes will be compared, ETags have no say: they depend on the layout of parts.
    static func between(
        _ source: ObjectFacts, _ target: ObjectFacts, depth: VerifyDepth
    ) -> Difference? {
        guard source.sizeBytes == target.sizeBytes else {
            return Difference(
                .size,
                "\(source.sizeBytes) bytes at the source, \(target.sizeBytes) at the target"
                    + times(source, target))
        }
        if depth == .facts, ETagWord(source, target) == .differs {
            return Difference(
                .etag,
                "ETag \(source.etag?.text ?? "-") at the source, \(target.etag?.text ?? "-") at the target"
                    + times(source, target) + "; --deep compares the bytes")
        }
        return metadata(source.metadata, target.metadata)
    }

    /// An object that a client has written anew is told by its time.
    private static func times(_ source: ObjectFacts, _ target: ObjectFacts) -> String {
        guard let one = source.lastModified, let other = target.lastModified else { return "" }
        return " (last modified \(one), and \(other))"
    }

    // MARK: - Metadata

    static func metadata(_ source: HeaderFields, _ target: HeaderFields) -> Difference? {
        // A copy of an object without a type has one: no PUT is without.
        let exception = source.hasType ? nil : "content-type"
        if let index = source.firstIndex(notIn: target, except: exception) {
            return metadata(source, target, at: source.name(at: index))
        }
        return target.firstIndex(notIn: source, except: exception).map { index in
            metadata(source, target, at: target.name(at: index))
        }
    }

    private static func metadata(
        _ source: HeaderFields, _ target: HeaderFields, at name: ArraySlice<UInt8>
    ) -> Difference {
        Difference(
            .metadata,
            "\(text(name)): \(source.shown(name)) at the source, \(target.shown(name)) at the target"
        )
    }

    // MARK: - Tags

    /// - Parameter target: nil when the target keeps no tags, or does not let us read them.
    static func tags(_ source: [ObjectTag], _ target: [ObjectTag]?) -> Difference? {
        guard let target else {
            guard !source.isEmpty else { return nil }
            return Difference(
                .tags, "tags: \(shown(source)) at the source; the target keeps or shows none")
        }
        guard Set(source) != Set(target) else { return nil }
        return Difference(
            .tags, "tags: \(shown(source)) at the source, \(shown(target)) at the target")
    }

    private static func shown(_ tags: [ObjectTag]) -> String {
        guard !tags.isEmpty else { return "none" }
        return tags.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    }
}

/// What two ETags say of the bytes of two objects of one size.
enum ETagWord: Sendable, Equatable {
    /// The same digest on both sides.
    case same
    /// Two MD5s that are not the same.
    case differs
    /// Nothing: one is missing, made up, or of another layout of parts.
    case nothing

    init(_ source: ObjectFacts, _ target: ObjectFacts) {
        guard let one = source.etag, let other = target.etag,
            !one.isPlaceholder, !other.isPlaceholder
        else {
            self = .nothing
            return
        }
        if let md5 = one.md5, let otherMD5 = other.md5 {
            let areMD5s = !source.isServerEncryptedWithKey && !target.isServerEncryptedWithKey
            self = md5 == otherMD5 ? .same : areMD5s ? .differs : .nothing
        } else {
            self = one == other && one.partCount != nil ? .same : .nothing
        }
    }
}

private func text(_ bytes: some Collection<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}

extension HeaderFields {
    /// The place of the first field that the other does not have with this value.
    fileprivate func firstIndex(notIn other: HeaderFields, except exception: String?) -> Int? {
        (0..<count).first { index in
            if let exception, name(at: index).elementsEqual(exception.utf8) { return false }
            return !(0..<other.count).contains {
                name(at: index) == other.name(at: $0) && value(at: index) == other.value(at: $0)
            }
        }
    }

    fileprivate var hasType: Bool {
        firstIndex(of: "content-type").map { !value(at: $0).isEmpty } ?? false
    }

    fileprivate func shown(_ wanted: ArraySlice<UInt8>) -> String {
        let found = (0..<count).filter { name(at: $0) == wanted }.map { text(value(at: $0)) }
        return found.isEmpty ? "nothing" : "'\(found.joined(separator: ", "))'"
    }
}
