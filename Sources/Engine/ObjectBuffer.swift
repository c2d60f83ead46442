//! An object's bytes between the two ends: a chain of blocks out of the pool.

internal import Migration
internal import S3

/// The buffer of one slot, which both of its exchanges know.
final class ObjectBuffer {
    /// What the pool granted; empty while the slot holds nothing.
    var blocks: [BufferPool.Block] = []

    var firstBlock: BufferPool.Block? { blocks.first }

    /// Puts bytes at a place of the object; the blocks must reach so far.
    func store(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        var rest = bytes[...]
        var position = Int(offset)
        while !rest.isEmpty {
            let (block, start) = position.quotientAndRemainder(dividingBy: Limits.blockBytes)
            let count = min(rest.count, Limits.blockBytes - start)
            let room = UnsafeMutableRawBufferPointer(start: blocks[block] + start, count: count)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            rest = rest.dropFirst(count)
            position += count
        }
    }

    /// Gives the bytes from a place on, as far as one block goes; says how many.
    func load(into buffer: UnsafeMutableRawBufferPointer, from offset: Int64) -> Int {
        let (block, start) = Int(offset).quotientAndRemainder(dividingBy: Limits.blockBytes)
        let count = min(buffer.count, Limits.blockBytes - start)
        buffer.copyMemory(
            from: UnsafeRawBufferPointer(start: blocks[block] + start, count: count))
        return count
    }

    /// A digest of the object's first bytes.
    func digest(_ algorithm: BodyDigest.Algorithm, byteCount: Int64) -> BodyDigest {
        switch algorithm {
        case .crc32c:
            var digest = CRC32C()
            forEachPiece(of: byteCount) { digest.update($0) }
            return .crc32c(digest.value)
        case .crc64nvme:
            var digest = CRC64NVME()
            forEachPiece(of: byteCount) { digest.update($0) }
            return .crc64nvme(digest.value)
        case .sha256:
            var digest = SHA256()
            forEachPiece(of: byteCount) { digest.update($0) }
            return .sha256(digest.finalize())
        case .md5:
            var digest = MD5()
            forEachPiece(of: byteCount) { digest.update($0) }
            return .md5(digest.finalize())
        }
    }

    private func forEachPiece(of byteCount: Int64, _ body: (UnsafeRawBufferPointer) -> Void) {
        var rest = Int(byteCount)
        for block in blocks where rest > 0 {
            let count = min(rest, Limits.blockBytes)
            body(UnsafeRawBufferPointer(start: block, count: count))
            rest -= count
        }
    }
}
