//! How a simulated server lists the parts of an upload and the uploads of a bucket, page by page.

import Migration
import S3

extension Store {
    func listParts(_ request: Request, _ upload: Upload) -> Served {
        let marker = request.value("part-number-marker").flatMap { Int($0) } ?? 0
        let count = pageCount(request, "max-parts")
        let rest = upload.orderedParts.filter { $0.number > marker }
        let page = rest.prefix(count)
        let answer = AnswerXML("ListPartsResult") { xml in
            xml.add("Bucket", request.bucket)
            xml.add("Key", upload.key.description)
            xml.add("UploadId", upload.id)
            xml.add("PartNumberMarker", "\(marker)")
            if let last = page.last { xml.add("NextPartNumberMarker", "\(last.number)") }
            xml.add("MaxParts", "\(count)")
            xml.add("IsTruncated", "\(page.count < rest.count)")
            for part in page { xml.add("Part") { Store.describe(part, in: &$0) } }
        }
        return Served(response: answer.response)
    }

    private static func describe(_ part: Upload.Part, in xml: inout AnswerXML) {
        xml.add("PartNumber", "\(part.number)")
        xml.add("LastModified", part.modified.iso8601)
        xml.add("ETag", "\"\(part.etag)\"")
        xml.add("Size", "\(part.body.byteCount)")
        for (name, value) in part.checksums.sorted(by: { $0.key < $1.key }) {
            xml.add("Checksum\(name.uppercased())", value)
        }
    }

    /// By key, then by age.
    func listUploads(_ request: Request) -> Served {
        let prefix = Array((request.value("prefix") ?? "").utf8)
        let isEncoded = request.value("encoding-type") == "url"
        let all = uploads.values.filter { $0.key.bytes.starts(with: prefix) }
            .sorted { ($0.key, $0.serial) < ($1.key, $1.serial) }
        let rest = all[(all.firstIndex { isAfterMarkers($0, request) } ?? all.endIndex)...]
        let page = rest.prefix(pageCount(request, "max-uploads"))
        let answer = AnswerXML("ListMultipartUploadsResult") { xml in
            xml.add("Bucket", request.bucket)
            if isEncoded { xml.add("EncodingType", "url") }
            if let last = page.last, page.count < rest.count {
                xml.add("NextKeyMarker", last.key.listed(isEncoded))
                xml.add("NextUploadIdMarker", last.id)
            }
            xml.add("IsTruncated", "\(page.count < rest.count)")
            for upload in page { xml.add("Upload") { Store.describe(upload, isEncoded, in: &$0) } }
        }
        return Served(response: answer.response)
    }

    private static func describe(_ upload: Upload, _ isEncoded: Bool, in xml: inout AnswerXML) {
        xml.add("Key", upload.key.listed(isEncoded))
        xml.add("UploadId", upload.id)
        xml.add("Initiator") { $0.add("ID", upload.initiator) }
        xml.add("Initiated", upload.began.iso8601)
    }

    /// Without an id the marker's whole key is behind us.
    private func isAfterMarkers(_ upload: Upload, _ request: Request) -> Bool {
        guard let marker = request.value("key-marker").map({ ObjectKey($0) }) else { return true }
        guard upload.key == marker else { return marker < upload.key }
        guard let id = request.value("upload-id-marker") else { return false }
        return Upload.serial(ofID: id).map { $0 < upload.serial } ?? false
    }

    private func pageCount(_ request: Request, _ name: String) -> Int {
        min(request.value(name).flatMap { Int($0) } ?? Int.max, traits.multipart.pageCountMax)
    }
}

extension ObjectKey {
    /// As a listing writes it.
    fileprivate func listed(_ isEncoded: Bool) -> String {
        guard isEncoded else { return description }
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*/".utf8)
        var text = ""
        for byte in bytes {
            switch byte {
            case _ where plain.contains(byte): text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): text += "+"
            default: text += "%" + hexText([byte]).uppercased()
            }
        }
        return text
    }
}

/// An answer's XML.
struct AnswerXML {
    private var text = ""

    init(_ root: String, _ content: (inout AnswerXML) -> Void) {
        text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        add(root, content)
    }

    mutating func add(_ name: String, _ content: (inout AnswerXML) -> Void) {
        text += "<\(name)>"
        content(&self)
        text += "</\(name)>"
    }

    mutating func add(_ name: String, _ value: String) {
        text += "<\(name)>"
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\r": text += "&#13;"
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "</\(name)>"
    }

    var response: Response { Response(status: 200, body: Array(text.utf8)) }
}
