//! What a Complete asks for, and S3's reasons to refuse it.

import Migration
import S3

/// The parts that a Complete asks for, if it may have them.
struct ChosenParts {
    struct Refusal: Error {
        var code: String
    }

    private struct Named {
        var number: Int
        var etag: ETag
        var checksum: String?
    }

    private(set) var parts: [Upload.Part] = []

    init(_ xml: [UInt8], of upload: Upload, _ rules: MultipartTraits) throws(Refusal) {
        let named = try ChosenParts.named(in: xml, rules)
        for name in named {
            guard let part = upload.parts[name.number], part.etag == name.etag.text else {
                throw Refusal(code: "InvalidPart")
            }
            try ChosenParts.check(name, part, upload, rules)
            parts.append(part)
        }
        if !rules.takesSomeOfTheParts, parts.count != upload.parts.count {
            throw Refusal(code: "InvalidPart")
        }
        guard parts.dropLast().allSatisfy({ $0.body.byteCount >= rules.partBytesMin }) else {
            throw Refusal(code: "EntityTooSmall")
        }
    }

    /// In the order of their numbers.
    private static func named(
        in xml: [UInt8], _ rules: MultipartTraits
    ) throws(Refusal) -> [Named] {
        let document = XMLDocument(xml)
        var named: [Named] = []
        var members: [String: String] = [:]
        for element in document.elements {
            guard element.path == "CompleteMultipartUpload/Part" else {
                members[element.path] = element.text
                continue
            }
            guard let number = members["\(element.path)/PartNumber"].flatMap({ Int($0) }),
                let etag = members["\(element.path)/ETag"]
            else { throw Refusal(code: "MalformedXML") }
            let checksum = members["\(element.path)/ChecksumCRC32C"]
            named.append(Named(number: number, etag: ETag(etag), checksum: checksum))
            members = [:]
        }
        guard document.failure == nil, !named.isEmpty else { throw Refusal(code: "MalformedXML") }
        if !rules.wantsOrder { named.sort { $0.number < $1.number } }
        guard zip(named, named.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw Refusal(code: "InvalidPartOrder")
        }
        return named
    }

    /// An upload that was begun with CRC32C wants it in the end again.
    private static func check(
        _ name: Named, _ part: Upload.Part, _ upload: Upload, _ rules: MultipartTraits
    ) throws(Refusal) {
        let known = part.checksums["crc32c"]
        if rules.checksums != .ignored, let named = name.checksum, let known, named != known {
            throw Refusal(code: "InvalidPart")
        }
        if rules.checksums == .strict, upload.checksumAlgorithm == "crc32c",
            known == nil || name.checksum == nil
        {
            throw Refusal(code: "InvalidRequest")
        }
    }
}
