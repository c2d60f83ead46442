//! The header fields of a request or a response, kept as bytes in one buffer.

/// An ordered list of HTTP header fields (RFC 9110, section 5).
///
/// Names are held in lower case, since they are compared without case and S3 returns metadata names
/// in lower case. Values are bytes: S3 metadata may hold text in any encoding, and what the source
/// sent is what the target must get. One buffer for all fields, because every object needs some
/// dozens of them and a `String` for each would cost more than the signature.
public struct HeaderFields: Sendable {
    private struct Field: Sendable {
        var nameStart: Int32
        var valueStart: Int32
        var valueEnd: Int32
    }

    private var bytes: [UInt8] = []
    private var fields: [Field] = []

    public init() {}

    public var count: Int { fields.count }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    /// Adds a field; the name is lowered, the value taken as it is.
    public mutating func append(_ name: String, _ value: String) {
        append(name: name.utf8, value: value.utf8)
    }

    /// Adds a field out of raw bytes; the name is lowered, the value taken as it is, but for line
    /// ends and NULs: they are "invalid and dangerous", since the rest would be read as another
    /// field, and become spaces (RFC 9110, section 5.5).
    public mutating func append(
        name: some Sequence<UInt8>, value: some Sequence<UInt8>
    ) {
        reserveForMany()
        let nameStart = bytes.count
        bytes.append(contentsOf: name)
        let valueStart = bytes.count
        bytes.append(contentsOf: value)
        addField(nameStart, valueStart)
    }

    /// As `append(name:value:)`, for what the transport has in its own memory: every answer has a dozen fields, and a
    /// generic would not be specialised across modules.
    public mutating func append(name: RawSpan, value: RawSpan) {
        reserveForMany()
        let nameStart = bytes.count
        appendBytes(name)
        let valueStart = bytes.count
        appendBytes(value)
        addField(nameStart, valueStart)
    }

    private mutating func appendBytes(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// An answer has a dozen fields: arrays that grow from nothing would move five times.
    private mutating func reserveForMany() {
        guard fields.isEmpty else { return }
        bytes.reserveCapacity(512)
        fields.reserveCapacity(16)
    }

    /// The last bytes become a field.
    private mutating func addField(_ nameStart: Int, _ valueStart: Int) {
        var text = bytes.mutableSpan
        for index in nameStart..<valueStart {
            text[index] = asciiLowered(withoutLineEnd(text[index]))
        }
        for index in valueStart..<text.count { text[index] = withoutLineEnd(text[index]) }
        fields.append(
            Field(
                nameStart: Int32(nameStart), valueStart: Int32(valueStart),
                valueEnd: Int32(text.count)))
    }

    /// Adds all fields of `other`, in its order.
    public mutating func append(contentsOf other: HeaderFields) {
        let shift = Int32(bytes.count)
        bytes.append(contentsOf: other.bytes)
        for field in other.fields {
            fields.append(
                Field(
                    nameStart: field.nameStart + shift, valueStart: field.valueStart + shift,
                    valueEnd: field.valueEnd + shift))
        }
    }

    public func name(at index: Int) -> ArraySlice<UInt8> {
        let field = fields[index]
        return bytes[Int(field.nameStart)..<Int(field.valueStart)]
    }

    public func value(at index: Int) -> ArraySlice<UInt8> {
        let field = fields[index]
        return bytes[Int(field.valueStart)..<Int(field.valueEnd)]
    }

    /// The place of the first field of this name. `name` must be in lower case.
    public func firstIndex(of name: String) -> Int? {
        fields.indices.first { isNamed(name, at: $0) }
    }

    /// Whether the field at `index` has this name, which must be in lower case.
    func isNamed(_ name: String, at index: Int) -> Bool {
        let field = fields[index]
        guard Int(field.valueStart - field.nameStart) == name.utf8.count else { return false }
        var place = Int(field.nameStart)
        for byte in name.utf8 {
            if bytes[place] != byte { return false }
            place += 1
        }
        return true
    }

    /// Whether every field of `other` is here with the same value, whatever the order.
    public func holdsAll(of other: HeaderFields) -> Bool {
        other.fields.indices.allSatisfy { wanted in
            fields.indices.contains { index in
                name(at: index) == other.name(at: wanted)
                    && value(at: index) == other.value(at: wanted)
            }
        }
    }

    /// The first value of this name, as bytes. `name` must be in lower case.
    public func bytes(of name: String) -> ArraySlice<UInt8>? {
        firstIndex(of: name).map(value(at:))
    }

    /// The first value of this name, as text. `name` must be in lower case.
    public subscript(name: String) -> String? {
        bytes(of: name).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension HeaderFields {
    /// Writes the places of all fields into `order`, sorted by the bytes of their names; fields of
    /// one name keep their order.
    func sort(into order: inout [Int]) {
        order.removeAll(keepingCapacity: true)
        for index in fields.indices {
            // Insertion: there are a dozen fields, and an array's own sort would allocate.
            var place = order.count
            while place > 0, namePrecedes(index, order[place - 1]) { place -= 1 }
            order.insert(index, at: place)
        }
    }

    func hasSameName(_ left: Int, _ right: Int) -> Bool {
        !namePrecedes(left, right) && !namePrecedes(right, left)
    }

    private func namePrecedes(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (fields[left], fields[right])
        var (leftIndex, rightIndex) = (Int(left.nameStart), Int(right.nameStart))
        while rightIndex < Int(right.valueStart) {
            if leftIndex == Int(left.valueStart) { return true }
            if bytes[leftIndex] != bytes[rightIndex] { return bytes[leftIndex] < bytes[rightIndex] }
            leftIndex += 1
            rightIndex += 1
        }
        return false
    }
}

@inline(__always)
private func withoutLineEnd(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0, UInt8(ascii: "\r"), UInt8(ascii: "\n"): UInt8(ascii: " ")
    default: byte
    }
}

/// The lower-case form of an ASCII letter; any other byte is itself.
@inline(__always)
func asciiLowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
