//! Digests against the vectors of their standards, and bytes as text.

import Testing

@testable import S3

@Suite struct DigestTests {
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ])
    func md5(text: String, digest: String) {
        #expect(hexText(MD5.digest(of: Array(text.utf8))) == digest)
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func sha256(text: String, digest: String) {
        #expect(hexText(SHA256.digest(of: Array(text.utf8))) == digest)
    }

    /// RFC 4231, test cases 1, 2, 6 and 7; the last two have keys longer than a block.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            "This is a test using a larger than block-size key and a larger than block-size data. "
                + "The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ])
    func hmac(key: [UInt8], message: String, code: String) {
        #expect(hexText(HMACSHA256.code(of: Array(message.utf8), key: key)) == code)
    }

    @Test func keyOfAnHMACServesManyMessages() {
        let secret = Array("key".utf8)
        var key = HMACKey(secret)
        var code = [UInt8](repeating: 0, count: 32)
        for message in ["one", "", "three"].map({ Array($0.utf8) }) {
            key.authenticate(message, into: &code)
            #expect(code == HMACSHA256.code(of: message, key: secret))
        }
    }

    @Test(arguments: [1, 3, 63, 64, 65, 1000])
    func piecesDigestAsTheWhole(pieceByteCount: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var md5 = MD5()
        var sha256 = SHA256()
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            let piece = bytes[start..<min(start + pieceByteCount, bytes.count)]
            piece.withUnsafeBytes {
                md5.update($0)
                sha256.update($0)
            }
        }
        #expect(md5.finalize() == MD5.digest(of: bytes))
        #expect(sha256.finalize() == SHA256.digest(of: bytes))
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64(text: String, base64: String) {
        #expect(base64Text(Array(text.utf8)) == base64)
    }

    @Test(arguments: [
        ("plain", "plain"), (" a\n\tb \u{7f}", "a b"), ("\u{1b}[31mred", "[31mred"),
        ("a\u{202e}b\u{2028}c\u{9b}d", "a b c d"), ("日本 😀", "日本 😀"), ("\r\n", ""),
        ("0123456789abc", "0123456789"),
    ])
    func shownTextHoldsNoControls(raw: String, shown: String) {
        #expect(shownText(raw, countMax: 10) == shown)
    }
}
