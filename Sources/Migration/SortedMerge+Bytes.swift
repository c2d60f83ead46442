//! The two byte loops of the merge, left to the C library, whose versions are the fastest there are.

internal import Glibc

extension Span<UInt8> {
    /// Where `byte` stands first in `range`, which must lie inside.
    @inline(__always)
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + range.lowerBound, Int32(byte), range.count)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// Below 0, 0 or above 0 as the bytes of `range` are below, equal to or above those of `other` at `otherRange`.
    @inline(__always)
    func order(of range: Range<Int>, to otherRange: Range<Int>, in other: Span<UInt8>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(otherRange.lowerBound >= 0 && otherRange.upperBound <= other.count)
        let shared = unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs -> Int32 in
                guard let left = mine.baseAddress, let right = theirs.baseAddress else { return 0 }
                return unsafe memcmp(
                    left + range.lowerBound, right + otherRange.lowerBound,
                    min(range.count, otherRange.count))
            }
        }
        return shared != 0 ? Int(shared) : range.count - otherRange.count
    }
}

extension [UInt8] {
    /// Moves the bytes of `range` to `target`; both may overlap.
    mutating func move(_ range: Range<Int>, to target: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(target >= 0 && target + range.count <= count)
        unsafe withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe memmove(base + target, base + range.lowerBound, range.count)
        }
    }

    /// Appends a part of a span.
    mutating func append(_ source: Span<UInt8>) {
        unsafe source.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

extension MutableSpan<UInt8> {
    /// Writes all of `source` to the beginning of `room`.
    mutating func write(_ source: Span<UInt8>, at room: Range<Int>) {
        precondition(room.lowerBound >= 0 && room.upperBound <= count)
        precondition(source.count <= room.count, "\(source.count) bytes into \(room.count)")
        unsafe withUnsafeMutableBytes { bytes in
            unsafe source.withUnsafeBytes { new in
                guard let base = bytes.baseAddress, let from = new.baseAddress else { return }
                unsafe memcpy(base + room.lowerBound, from, new.count)
            }
        }
    }
}
