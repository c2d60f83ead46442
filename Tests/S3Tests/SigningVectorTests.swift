//! Our signature is botocore's, for generated requests.

import FoundationEssentials
import S3
import Testing

@Suite struct SigningVectorTests {
    @Test func signsAsBotocoreDoes() throws {
        let path = #filePath.replacing(
            "SigningVectorTests.swift", with: "Oracle/signing_vectors.tsv")
        try checkVectors(of: path, countMin: 300)
    }

    @Test(.enabled(if: generatedVectorsPath != nil))
    func signsGeneratedRequestsAsBotocoreDoes() throws {
        try checkVectors(of: #require(generatedVectorsPath), countMin: 1)
    }

    private func checkVectors(of path: String, countMin: Int) throws {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count >= countMin)
        var signed = SignedRequest()
        for (number, line) in lines.enumerated() {
            let vector = try #require(SigningVector(line), "line \(number + 1) is no vector")
            var signer = try vector.signer()
            signer.sign(vector.request, at: vector.time, into: &signed)
            let ours = signed.value(of: "authorization")
            guard ours != vector.authorization else { continue }
            Issue.record(
                "line \(number + 1): \(signed)\nours \(ours ?? "")\ntheirs \(vector.authorization)")
            break
        }
    }
}

private let generatedVectorsPath = ProcessInfo.processInfo.environment["SIGNING_VECTORS"]

/// One line of make_signing_vectors.py, which tells the fields.
private struct SigningVector {
    let fields: [Substring]
    let request: Request
    let time: Timestamp

    init?(_ line: Substring) {
        fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 13, let method = Request.Method(rawValue: String(fields[0])),
            let seconds = Int64(fields[6]), let query = pairs(fields[9]),
            let headers = pairs(fields[10])
        else { return nil }
        time = Timestamp(secondsSince1970: seconds)
        var request = Request(method, operation: "Vector", bucket: String(fields[7]))
        if fields[8] != "-" {
            guard let key = bytes(fields[8]) else { return nil }
            request.key = ObjectKey(key)
        }
        request.query = query.map {
            (String(decoding: $0, as: UTF8.self), String(decoding: $1, as: UTF8.self))
        }
        for (name, value) in headers { request.headers.append(name: name, value: value) }
        switch fields[11] {
        case "empty": request.payloadHash = .empty
        case "unsigned": request.payloadHash = .unsigned
        default: request.payloadHash = .sha256(bytes(fields[11]) ?? [])
        }
        self.request = request
    }

    var authorization: String { String(fields[12]) }

    func signer() throws -> Signer {
        let token = fields[4] == "-" ? nil : String(fields[4])
        let credentials = try Credentials(
            accessKey: String(fields[2]), secret: String(fields[3]), sessionToken: token)
        return Signer(
            endpoint: try Endpoint(String(fields[1])), credentials: credentials,
            region: String(fields[5]))
    }
}

private func pairs(_ text: Substring) -> [(name: [UInt8], value: [UInt8])]? {
    var pairs: [(name: [UInt8], value: [UInt8])] = []
    for pair in text.split(separator: ",") {
        let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let name = bytes(sides[0]), let value = bytes(sides[1]) else {
            return nil
        }
        pairs.append((name, value))
    }
    return pairs
}

private func bytes(_ hex: Substring) -> [UInt8]? {
    let digits = Array(hex)
    guard digits.count.isMultiple(of: 2) else { return nil }
    let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    return bytes.count * 2 == digits.count ? bytes : nil
}
