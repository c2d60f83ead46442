//! An object's bytes without the bytes: which contents they come from, so that a mixture shows by itself.

import Migration
import S3

/// Bytes, as pieces of contents that clients once wrote. A body of gigabytes is as small as one of ten bytes, two
/// bodies are equal when their bytes would be, and what was mixed or damaged on its way can be told from it.
struct Body: Hashable, Sendable {
    struct Piece: Hashable, Sendable {
        var content: Int
        var range: Range<Int64>
    }

    /// One accident to a byte; no two are alike, as two at random seldom are.
    struct Flip: Hashable, Sendable {
        var place: Int64
        var accident: UInt64
    }

    /// The content of memory that nobody has written to.
    static let garbage = -1
    /// The content of bodies that have their bytes.
    private static let textual = -2

    private(set) var pieces: [Piece] = []
    /// Where bits are not what the content has.
    private(set) var flips: [Flip] = []

    /// The bytes themselves, of a body that is not an object's: XML, or the probe's.
    private(set) var text: [UInt8] = []

    init() {}

    init(text: [UInt8]) {
        self.init(content: Body.textual, byteCount: Int64(text.count))
        self.text = text
    }

    init(content: Int, byteCount: Int64) {
        if byteCount > 0 { pieces = [Piece(content: content, range: 0..<byteCount)] }
    }

    /// One behind the other; all have their bytes, or none has.
    init(joining bodies: [Body]) {
        let texts = bodies.flatMap(\.text)
        self = Body(text: texts)
        var start: Int64 = 0
        for body in bodies {
            precondition(body.text.isEmpty == texts.isEmpty || body.pieces.isEmpty)
            if texts.isEmpty { for piece in body.pieces { append(piece) } }
            flips += body.flips.map { Flip(place: $0.place + start, accident: $0.accident) }
            start += body.byteCount
        }
    }

    var byteCount: Int64 { pieces.reduce(0) { $0 + Int64($1.range.count) } }

    /// The bytes of a range, which must lie within.
    subscript(range: Range<Int64>) -> Body {
        var part = Body()
        var start: Int64 = 0
        for piece in pieces {
            let end = start + Int64(piece.range.count)
            let cut = range.clamped(to: start..<end)
            if !cut.isEmpty {
                let shift = piece.range.lowerBound - start
                part.append(
                    Piece(
                        content: piece.content,
                        range: cut.lowerBound + shift..<cut.upperBound + shift))
            }
            start = end
        }
        precondition(range.upperBound <= start, "bytes beyond the end of a body")
        if !text.isEmpty {
            part = Body(text: Array(text[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        for flip in flips where range.contains(flip.place) {
            part.flips.append(
                Flip(place: flip.place - range.lowerBound, accident: flip.accident))
        }
        return part
    }

    /// Puts `other` over the bytes from `offset` on; what lies between the end and `offset` is garbage.
    mutating func store(_ other: Body, at offset: Int64) {
        let count = byteCount
        let end = offset + other.byteCount
        var stored = self[0..<min(offset, count)]
        if offset > count {
            stored.append(Piece(content: Body.garbage, range: count..<offset))
        }
        for (part, start) in [(other, offset), (self[min(end, count)..<count], end)] {
            for piece in part.pieces { stored.append(piece) }
            for flip in part.flips {
                stored.flips.append(Flip(place: flip.place + start, accident: flip.accident))
            }
        }
        self = stored
    }

    /// The same with bits turned over somewhere; there must be a byte at least.
    func flipped(_ random: inout SeededRandom) -> Body {
        var body = self
        let place = Int64.random(in: 0..<byteCount, using: &random)
        body.flips.append(Flip(place: place, accident: random.next()))
        return body
    }

    private mutating func append(_ piece: Piece) {
        if let last = pieces.last, last.content == piece.content,
            last.range.upperBound == piece.range.lowerBound
        {
            pieces[pieces.count - 1].range = last.range.lowerBound..<piece.range.upperBound
        } else {
            pieces.append(piece)
        }
    }
}

extension Body {
    /// A digest that is the same for the same bytes and for no others, as an MD5 is.
    var md5: [UInt8] { MD5.digest(of: fingerprint) }

    var sha256: [UInt8] { SHA256.digest(of: fingerprint) }

    /// The bytes where they are there; else a few that are the same for the same bytes and for no others.
    var fingerprint: [UInt8] {
        var words = ""
        if text.isEmpty {
            for piece in pieces {
                words += "\(piece.content):\(piece.range.lowerBound)-\(piece.range.upperBound);"
            }
        }
        for flip in flips { words += "^\(flip.place):\(flip.accident)" }
        return text + Array(words.utf8)
    }
}

extension Body: CustomStringConvertible {
    var description: String {
        let parts = pieces.map {
            let name = $0.content == Body.garbage ? "garbage" : "content \($0.content)"
            return "\(name)[\($0.range.lowerBound)..<\($0.range.upperBound)]"
        }
        let text = parts.isEmpty ? "empty" : parts.joined(separator: " + ")
        return flips.isEmpty ? text : text + ", flipped at \(flips.map(\.place))"
    }
}
