//! XML: what S3 sends is read, what it never sends is refused, what it sends broken is mended.

import Testing

@testable import S3

@Suite struct XMLDocumentTests {
    private func elements(_ text: String) -> [String] {
        XMLDocument(Array(text.utf8)).elements.map { "\($0.path)=\($0.text)" }
    }

    @Test func listsElementsAsTheyEnd() {
        let text = """
            \u{20}\r\n<?xml version="1.0" encoding="UTF-8"?>
            <A xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><!-- no --><B><C> x </C><D/></B><B><C>y</C></B></A>
            """
        #expect(elements(text) == ["A/B/C= x ", "A/B/D=", "A/B=", "A/B/C=y", "A/B=", "A="])
        #expect(XMLDocument(Array(text.utf8)).text(at: "A/B/C") == " x ")
        #expect(XMLDocument(Array(text.utf8)).failure == nil)
    }

    @Test func resolvesReferences() {
        let text = "<K>&lt;&amp;&gt;&quot;&apos;&#9;&#10;&#13;&#xe9;<![CDATA[<&>]]></K>"
        #expect(elements(text) == ["K=<&>\"'\t\n\ré<&>"])
    }

    @Test(arguments: [
        ("<!DOCTYPE a><a/>", XMLFailure.doctype),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", .doctype),
        ("<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", .doctype),
        (String(repeating: "<a>", count: 33), .tooDeep),
        ("<\(String(repeating: "a", count: 600))/>", .nameTooLong),
        ("<r>\(String(repeating: "<a/>", count: 100_001))</r>", .tooManyElements),
        (String(repeating: " ", count: (8 << 20) + 1), .tooLarge),
    ])
    func refuses(text: String, failure: XMLFailure) {
        #expect(XMLDocument(Array(text.utf8)).failure == failure)
    }

    /// The billion laughs, and the entities that no DTD declares.
    @Test func refusesBombs() {
        let bomb = """
            <!DOCTYPE l [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><l>&c;</l>
            """
        #expect(elements(bomb).isEmpty)
        #expect(elements("<a><b>1</b><c>&b;</c></a>") == ["a/b=1"])
    }

    @Test func depthMaxIsAllowed() {
        let text = String(repeating: "<a>", count: 32) + String(repeating: "</a>", count: 32)
        #expect(XMLDocument(Array(text.utf8)).failure == nil)
    }

    @Test(arguments: ["", "  ", "x", "<a", "<a>", "<a></b>", "<a>&", "<a/><b/>", "{}", "\u{0}"])
    func tellsBrokenness(text: String) {
        guard case .malformed = XMLDocument(Array(text.utf8)).failure else {
            Issue.record("\(text.debugDescription) was taken")
            return
        }
    }

    @Test func keepsWhatWasCompleteBeforeTheError() {
        #expect(
            elements("<Error><Code>SlowDown</Code><Message>Please re") == ["Error/Code=SlowDown"])
        #expect(elements("<a><b>1</b></a>junk") == ["a/b=1", "a="])
    }

    /// The claimed encoding does not count: the bytes are UTF-8 to us.
    @Test func ignoresTheClaimedEncoding() {
        let text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>"
        #expect(elements(text) == ["a=é"])
    }

    /// The answer to CreateMultipartUpload holds the key as it is, before the upload's id.
    @Test(arguments: [
        "a\u{8}b", "a&#x8;b", "a&#8;b", "a\u{ffff}b", "a&#xD800;b", "a&#x110000;b", "a\u{0}b",
    ])
    func mendsForbiddenCharacters(key: String) {
        let text = "<R><Key>\(key)</Key><UploadId>id&amp;&#13;</UploadId></R>"
        let document = XMLDocument(Array(text.utf8))
        #expect(document.isMended)
        #expect(document.failure == nil)
        #expect(document.text(at: "R/Key") == "a\u{fffd}b")
        #expect(document.text(at: "R/UploadId") == "id&\r")
    }

    @Test func mendsWhatIsNoUTF8() {
        let bytes = Array("<a><b>".utf8) + [0x66, 0xff, 0x66] + Array("</b></a>".utf8)
        let document = XMLDocument(bytes)
        #expect(document.isMended)
        #expect(document.text(at: "a/b") == "f\u{fffd}f")
    }

    @Test func wellFormedTextIsNotMended() {
        #expect(!XMLDocument(Array("<a>\u{fffd}\t</a>".utf8)).isMended)
        #expect(!XMLDocument(Array("<a>".utf8)).isMended, "broken otherwise")
    }

    @Test(arguments: ["<&>\"'", "\t\n\r", "é😀", "]]>", ""])
    func escapedTextIsReadBack(text: String) {
        var xml = Array("<a>".utf8)
        appendXMLEscaped(text, to: &xml)
        xml.append(contentsOf: "</a>".utf8)
        #expect(XMLDocument(xml).text(at: "a") == text)
    }
}
