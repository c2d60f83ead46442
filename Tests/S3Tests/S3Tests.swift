//! What the tests of this module share.

import S3

func response(
    _ status: Int, _ headers: [(String, String)] = [], body: String = ""
) -> Response {
    var fields = HeaderFields()
    for (name, value) in headers { fields.append(name, value) }
    return Response(status: status, headers: fields, body: Array(body.utf8))
}

func pairs(_ headers: HeaderFields) -> [String] {
    (0..<headers.count).map { index in
        String(decoding: headers.name(at: index), as: UTF8.self) + ": "
            + String(decoding: headers.value(at: index), as: UTF8.self)
    }
}

extension Request {
    /// The query as it is meant: `a=1&b=2`.
    var queryText: String { query.map { "\($0.name)=\($0.value)" }.joined(separator: "&") }

    var bodyText: String { String(decoding: body, as: UTF8.self) }
}

extension SignedRequest {
    /// The header lines as text, `name: value` or `name;`.
    var lines: [String] {
        headerLineStarts.map { start in
            String(decoding: headerLines[start...].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    func value(of name: String) -> String? {
        lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.utf8.count + 2)) }
    }

    var urlText: String { String(decoding: url.dropLast(), as: UTF8.self) }
}

/// A small generator with a seed (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
