//! Header fields, tags and keys: the small values that everything else is told in.

import Testing

@testable import S3

@Suite struct HeaderFieldsTests {
    @Test func namesAreLoweredAndValuesKept() {
        var fields = HeaderFields()
        fields.append("Content-TYPE", " Text ")
        fields.append("X-É", "")
        #expect(fields["content-type"] == " Text ")
        #expect(fields.firstIndex(of: "x-É") == 1)
        #expect(fields["content"] == nil)
        #expect(fields.count == 2)
        fields.removeAll()
        #expect(fields.count == 0)
        #expect(fields["content-type"] == nil)
    }

    @Test func appendsAnotherList() {
        var fields = HeaderFields()
        fields.append("a", "1")
        var others = HeaderFields()
        others.append("b", "2")
        others.append("a", "3")
        fields.append(contentsOf: others)
        #expect(fields.count == 3)
        #expect(fields["a"] == "1")
        #expect(fields["b"] == "2")
        #expect(fields.value(at: 2).elementsEqual("3".utf8))
    }

    @Test func lineEndsBecomeSpaces() {
        var fields = HeaderFields()
        fields.append("a\r\nb", "1\r\n2\u{0}3\t4")
        #expect(fields["a  b"] == "1  2 3\t4")
    }

    @Test func sortsByTheBytesOfTheNamesAndKeepsTheOrderOfEquals() {
        var fields = HeaderFields()
        for name in ["b", "a-b", "a", "b", "aa", "a.b", "a", "a_b", ""] { fields.append(name, "") }
        var order: [Int] = []
        fields.sort(into: &order)
        #expect(order == [8, 2, 6, 1, 5, 7, 4, 0, 3])
        #expect(fields.hasSameName(0, 3))
        #expect(!fields.hasSameName(1, 2))
    }
}

@Suite struct ETagTests {
    @Test(arguments: [
        ("\"abc\"", "abc"), ("abc", "abc"), ("W/\"abc\"", "abc"), ("\"\"", ""), ("\"", "\""),
        ("", ""),
    ])
    func quotesAreDropped(raw: String, text: String) {
        #expect(ETag(raw).text == text)
    }

    @Test(arguments: [
        ("d41d8cd98f00b204e9800998ecf8427e", true, nil),
        ("D41D8CD98F00B204E9800998ECF8427E", true, nil),
        ("d41d8cd98f00b204e9800998ecf8427e-3", false, 3),
        ("d41d8cd98f00b204e9800998ecf8427e-0", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427g", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427", false, nil),
        ("abc-3", false, nil), ("d41d8cd98f00b204e9800998ecf8427e-", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427e-99999999999999999999", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427e-+5", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427e--5", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427e-3-5", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427e-\u{301}3", false, nil),
        ("d41d8cd98f00b204e9800998ecf8427\u{E9}", false, nil),
        ("00000000000000000000000000000000", false, nil),
        ("00000000000000000000000000000000-2", false, 2),
    ])
    func tellsItsKind(text: String, isMD5: Bool, partCount: Int?) {
        #expect((ETag(text).md5 != nil) == isMD5)
        #expect(ETag(text).partCount == partCount)
    }

    @Test func emptyBodysTagIsItsMD5() {
        #expect(ETag("d41d8cd98f00b204e9800998ecf8427e").md5 == MD5.digest(of: []))
    }
}

@Suite struct ObjectKeyTests {
    @Test func orderIsThatOfTheBytes() {
        let keys = ["a", "a-b", "a.b", "a/b", "aa", "b", "\u{e9}", "\u{ffff}", "\u{10000}"].map {
            ObjectKey($0)
        }
        #expect(keys.shuffled().sorted() == keys)
    }

    @Test func keysAreNotNormalised() {
        #expect(ObjectKey("\u{e9}") != ObjectKey("e\u{301}"))
    }
}
