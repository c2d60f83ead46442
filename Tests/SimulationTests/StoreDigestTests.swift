//! The simulated server's digests: which it checks, and what it wants repeated.

import Migration
import S3
import Testing

@Suite struct StoreDigestTests {
    private let key = ObjectKey("k")
    private let body = Body(content: 1, byteCount: 8)
    private let wrong = Body(content: 2, byteCount: 8)

    private func server(
        _ checksums: MultipartTraits.Checksums, checksOthers: Bool = true
    ) -> HandServedStore {
        var traits = ServerTraits()
        (traits.checksContentMD5, traits.checksSHA256) = (checksOthers, checksOthers)
        traits.multipart.checksums = checksums
        return HandServedStore(traits)
    }

    /// Begins an upload and sends its one part, with a digest of `described`.
    private func send(
        _ algorithm: BodyDigest.Algorithm, of described: Body, named: Bool = true,
        to server: inout HandServedStore
    ) throws -> (id: String, part: CompleteMultipartUpload.Part) {
        let id = try server.create(key, digest: named ? algorithm : nil)
        let digest = described.digest(algorithm)
        return (id, try server.send(1, body, of: key, id, digest: digest))
    }

    @Test(arguments: BodyDigest.Algorithm.allCases, MultipartTraits.Checksums.allCases)
    func aWrongDigestIsRefusedOrOverlooked(
        algorithm: BodyDigest.Algorithm, checksums: MultipartTraits.Checksums
    ) throws {
        var server = server(checksums, checksOthers: checksums != .ignored)
        let (id, part) = try send(algorithm, of: body, to: &server)
        #expect(server.complete([part], of: key, id) == "200")
        if checksums == .ignored {
            _ = try send(algorithm, of: wrong, to: &server)
        } else {
            #expect(throws: S3Error.self) { try send(algorithm, of: wrong, to: &server) }
        }
    }

    @Test(arguments: [BodyDigest.Algorithm.crc32c, .crc64nvme])
    func createHasToNameTheChecksum(algorithm: BodyDigest.Algorithm) throws {
        var lenient = server(.checked)
        _ = try send(algorithm, of: body, named: false, to: &lenient)
        var strict = server(.strict)
        #expect(throws: S3Error.self) {
            try send(algorithm, of: body, named: false, to: &strict)
        }
    }

    @Test func completeHasToRepeatACRC32C() throws {
        var server = server(.strict)
        let (id, part) = try send(.crc32c, of: body, to: &server)
        let bare = CompleteMultipartUpload.Part(number: 1, etag: part.etag)
        let lie = CompleteMultipartUpload.Part(number: 1, etag: part.etag, digest: .crc32c(0))
        #expect(server.complete([bare], of: key, id) == "InvalidRequest")
        #expect(server.complete([lie], of: key, id) == "InvalidPart")
        #expect(server.complete([part], of: key, id) == "200")
    }

    @Test func completeNeedNotRepeatACRC64() throws {
        var server = server(.strict)
        let (id, part) = try send(.crc64nvme, of: body, to: &server)
        let bare = CompleteMultipartUpload.Part(number: 1, etag: part.etag)
        #expect(server.complete([bare], of: key, id) == "200")
    }

    @Test func partsAreListedWithTheirChecksums() throws {
        var server = server(.checked)
        let (id, part) = try send(.crc32c, of: body, to: &server)
        let request = ListParts.request(bucket: "b", key: key, uploadID: id)
        let listed = try ListParts.answer(server.ask(request).response, to: request).parts
        #expect(listed.map(\.digest) == [part.digest])
    }

    @Test func theCRCsAreThoseOfTheStandards() {
        let vector = Array("123456789".utf8)
        #expect(BitwiseCRC.crc32c(vector) == 0xe306_9283)
        #expect(BitwiseCRC.crc64nvme(vector) == 0xae8b_1486_0a79_9888)
        #expect(Body(text: vector).checksum("crc32c") == "4waSgw==")
        #expect(Body(text: vector).checksum("sha1") == nil)
    }

    /// The product's, at hardware speed, and the world's, bit by bit.
    @Test(arguments: [0, 1, 7, 8, 63, 1000])
    func theCRCsAgree(byteCount: Int) {
        var random = SeededRandom(seed: 2)
        let bytes = (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var short = CRC32C()
        short.update(bytes.span.bytes)
        var long = CRC64NVME()
        long.update(bytes.span.bytes)
        #expect(short.value == BitwiseCRC.crc32c(bytes))
        #expect(long.value == BitwiseCRC.crc64nvme(bytes))
    }

    @Test(arguments: BodyDigest.Algorithm.allCases)
    func digestsTellBodiesApart(algorithm: BodyDigest.Algorithm) {
        var random = SeededRandom(seed: 1)
        #expect(body.digest(algorithm) != wrong.digest(algorithm))
        #expect(body.digest(algorithm) != body.flipped(&random).digest(algorithm))
        #expect(body[0..<8].digest(algorithm) == body.digest(algorithm))
        let joined = Body(joining: [body[0..<3], body[3..<8]])
        #expect(joined.digest(algorithm) == body.digest(algorithm))
    }

    @Test func textStaysText() {
        let text = Body(text: Array("s3migrate probe".utf8))
        #expect(text[2..<9].text == Array("migrate".utf8))
        #expect(Body(joining: [text[0..<2], text[2..<15]]) == text)
        #expect(Body(joining: []).byteCount == 0)
        #expect(Body(joining: [Body(), text]) == text)
    }
}
