//! Drives expat over one document and collects its elements, within the bounds of `XMLDocument`.

internal import CExpat

/// Reads one document. A class, because expat's callbacks find it by its address.
final class XMLReader {
    fileprivate(set) var content = XMLContent()

    /// Reads a whole document; a reader reads but one.
    func read(_ bytes: [UInt8]) {
        // The name overrides the encoding that the document claims.
        guard let parser = unsafe XML_ParserCreate("UTF-8") else {
            preconditionFailure("out of memory")
        }
        defer { unsafe XML_ParserFree(parser) }
        // The parser itself is the callbacks' argument, so that they can stop it.
        unsafe XML_UseParserAsHandlerArg(parser)
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        unsafe XML_SetElementHandler(parser, elementBegan, elementEnded)
        unsafe XML_SetCharacterDataHandler(parser, textCame)
        unsafe XML_SetStartDoctypeDeclHandler(parser, doctypeCame)
        unsafe parse(bytes.drop(while: isXMLSpace), by: parser)
    }

    private func parse(_ bytes: ArraySlice<UInt8>, by parser: XML_Parser) {
        let status = unsafe bytes.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: XML_Char.self)
            return unsafe XML_Parse(parser, start, Int32(bytes.count), 1)
        }
        guard status != XML_STATUS_OK, content.failure == nil else { return }
        let reason = unsafe XML_ErrorString(XML_GetErrorCode(parser))
        content.fail(
            unsafe .malformed(
                reason: reason.map { unsafe String(cString: $0) } ?? "unknown",
                line: Int(clamping: XML_GetCurrentLineNumber(parser))))
    }
}

/// What the callbacks fill.
struct XMLContent {
    private(set) var elements: [XMLDocument.Element] = []
    private(set) var failure: XMLFailure?

    private var path: [UInt8] = []
    /// The length of `path` before each open element.
    private var pathEnds: [Int] = []
    private var text: [UInt8] = []
    private var isLeaf = false

    fileprivate mutating func begin(_ name: UnsafeBufferPointer<UInt8>) {
        if pathEnds.count == XMLDocument.depthMax { return fail(.tooDeep) }
        if path.count + name.count >= XMLDocument.pathByteCountMax {
            return fail(.nameTooLong)
        }
        pathEnds.append(path.count)
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        unsafe path.append(contentsOf: name)
        text.removeAll(keepingCapacity: true)
        isLeaf = true
    }

    fileprivate mutating func append(_ characters: UnsafeBufferPointer<UInt8>) {
        if isLeaf { unsafe text.append(contentsOf: characters) }
    }

    fileprivate mutating func end() {
        if elements.count == XMLDocument.elementCountMax { return fail(.tooManyElements) }
        guard let pathEnd = pathEnds.popLast() else { return }
        elements.append(
            XMLDocument.Element(
                path: String(decoding: path, as: UTF8.self),
                text: isLeaf ? String(decoding: text, as: UTF8.self) : ""))
        path.removeSubrange(pathEnd...)
        isLeaf = false
    }

    fileprivate mutating func fail(_ failure: XMLFailure) {
        self.failure = failure
    }
}

private func isXMLSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d
}

/// Hands one event to the parser's reader, and stops the parser when the reader will have no more.
/// Expat may still deliver an event that it had begun, which then finds the failure in place.
private func deliver(_ argument: UnsafeMutableRawPointer?, _ event: (inout XMLContent) -> Void) {
    guard let parser = OpaquePointer(argument), let data = unsafe s3_xml_user_data(parser) else {
        return
    }
    let reader = unsafe Unmanaged<XMLReader>.fromOpaque(data).takeUnretainedValue()
    if reader.content.failure == nil { event(&reader.content) }
    if reader.content.failure != nil { unsafe s3_xml_stop(parser) }
}

@c(s3_xml_element_began)
private func elementBegan(
    _ argument: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?,
    _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
) {
    guard let name = unsafe name else { return }
    let bytes = unsafe UnsafeRawBufferPointer(start: name, count: s3_xml_length(name))
    unsafe deliver(argument) { content in
        unsafe content.begin(bytes.assumingMemoryBound(to: UInt8.self))
    }
}

@c(s3_xml_element_ended)
private func elementEnded(_ argument: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?) {
    unsafe deliver(argument) { content in content.end() }
}

@c(s3_xml_text_came)
private func textCame(
    _ argument: UnsafeMutableRawPointer?, _ characters: UnsafePointer<XML_Char>?, _ count: Int32
) {
    let bytes = unsafe UnsafeRawBufferPointer(start: characters, count: Int(count))
    unsafe deliver(argument) { content in
        unsafe content.append(bytes.assumingMemoryBound(to: UInt8.self))
    }
}

@c(s3_xml_doctype_came)
private func doctypeCame(
    _ argument: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?,
    _ systemID: UnsafePointer<XML_Char>?, _ publicID: UnsafePointer<XML_Char>?, _ hasSubset: Int32
) {
    unsafe deliver(argument) { content in content.fail(.doctype) }
}
