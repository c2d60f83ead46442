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

    /// The MD5 of the object's first bytes.
    func md5(byteCount: Int64) -> [UInt8] {
        var digest = MD5()
        var rest = Int(byteCount)
        for block in blocks where rest > 0 {
            let count = min(rest, Limits.blockBytes)
            digest.update(UnsafeRawBufferPointer(start: block, count: count))
            rest -= count
        }
        return digest.finalize()
    }
}
