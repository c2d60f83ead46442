//! What of an object's metadata the target is sent: all of it, unless it refused that and the operator lets some go.

internal import S3

/// What is left out of an object's metadata: ever more, as little as may do.
enum MetadataCut: Sendable, Equatable {
    case nothing
    /// `x-amz-website-redirect-location`: a feature that not every server has (Swift: 501).
    case redirect
    /// `x-amz-meta-*` too.
    case userMetadata

    /// What to leave out next; nil when nothing more can be left out.
    func next(for metadata: HeaderFields) -> MetadataCut? {
        let hasRedirect = metadata.bytes(of: redirectName) != nil
        let hasMore = metadata.indices.contains { metadata.isUserMetadata(at: $0) }
        return switch self {
        case .nothing: hasRedirect ? .redirect : hasMore ? .userMetadata : nil
        case .redirect: hasMore ? .userMetadata : nil
        case .userMetadata: nil
        }
    }

    func applied(to metadata: HeaderFields) -> HeaderFields {
        guard self != .nothing else { return metadata }
        var kept = HeaderFields()
        for index in metadata.indices where !leavesOut(index, of: metadata) {
            kept.append(name: metadata.name(at: index), value: metadata.value(at: index))
        }
        return kept
    }

    private func leavesOut(_ index: Int, of metadata: HeaderFields) -> Bool {
        metadata.name(at: index).elementsEqual(redirectName.utf8)
            || self == .userMetadata && metadata.isUserMetadata(at: index)
    }
}

private let redirectName = "x-amz-website-redirect-location"
private let userPrefix = "x-amz-meta-"

extension HeaderFields {
    fileprivate var indices: Range<Int> { 0..<count }

    fileprivate func isUserMetadata(at index: Int) -> Bool {
        name(at: index).starts(with: userPrefix.utf8)
    }

    /// Whether some of it is of a kind that some servers take with a 200, and drop or change: so the object has to be
    /// looked at afterwards.
    ///
    /// rclone drops Expires, Ceph writes `a-b` for the name `a_b`, and Swift and Ceph write RFC 2047 for bytes that are
    /// no ASCII.
    var isSeldomKept: Bool {
        indices.contains { index in
            let name = name(at: index)
            if name.elementsEqual("expires".utf8) || name.elementsEqual(redirectName.utf8) {
                return true
            }
            return isUserMetadata(at: index) && !name.allSatisfy(isLetterDigitOrHyphen)
                || value(at: index).contains { $0 >= 0x80 }
        }
    }

    /// The names of what not every target takes, for the operator; nil when there is nothing of the kind.
    private var namesRefusable: String? {
        let names = indices.filter {
            isUserMetadata(at: $0) || name(at: $0).elementsEqual(redirectName.utf8)
                || name(at: $0).elementsEqual("expires".utf8)
        }.map { String(decoding: name(at: $0), as: UTF8.self) }
        guard !names.isEmpty else { return nil }
        let few = names.prefix(4).joined(separator: ", ")
        return names.count > 4 ? "\(few) and \(names.count - 4) more" : few
    }

    /// Says of a refusal, as far as that can be known, that it may be for the metadata.
    func blamed(for fault: Fault, afterCut cut: MetadataCut) -> Fault {
        guard fault.mayConcernMetadata, let names = namesRefusable else { return fault }
        var fault = fault
        let said = fault.message.isEmpty ? "the target refused the object" : fault.message
        let couldDo = cut == .nothing && cut.next(for: self) != nil && fault.faultClass == .refused
        let advice =
            couldDo ? "; --drop-refused-metadata copies it without, and marks it no-meta" : ""
        let reason = cut == .nothing ? "perhaps for its metadata" : "even without its metadata"
        fault.message = "\(said) (\(reason): \(names)\(advice))"
        return fault
    }
}

private func isLetterDigitOrHyphen(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"):
        true
    default: false
    }
}

extension Fault {
    /// Whether the request may have been refused for the metadata that it carried. Servers have no common code for
    /// that: Swift says InvalidRequest or 501, rclone MetadataTooLarge, LocalStack and Ceph fail with 500.
    var mayConcernMetadata: Bool {
        // Our own transport cannot write it as HTTP.
        if faultClass == .refused, status == nil { return true }
        return [400, 431, 500, 501].contains(status)
            && (faultClass == .refused || faultClass == .server)
    }

    /// The tags alone were refused: S3 has fewer characters for them than some servers, and calls others InvalidTag, or
    /// InvalidArgument and the header's name (LocalStack).
    var concernsTagsAlone: Bool {
        faultClass == .refused && (code == "InvalidTag" || message.contains("x-amz-tagging"))
    }
}
