//! The shard's hash is a contract with every run there was.

import Migration
import S3
import Testing

@Suite struct ShardTests {
    /// From the test suite of FNV's authors (test_fnv.c, FNV-1a 64).
    @Test(
        arguments: [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("b", 0xaf63_df4c_8601_f1a5),
            ("fo", 0x0898_5907_b541_d342), ("foobar", 0x8594_4171_f739_67e8),
            ("chongo was here!\n", 0x4681_0940_eff5_f915),
        ] as [(String, UInt64)])
    func isFNV1a(text: String, hash: UInt64) {
        let bytes = Array(text.utf8)
        #expect(Shard.hash(bytes.span) == hash)
    }

    @Test(arguments: [1, 2, 3, 8, 1_000])
    func sharesAreDisjointAndMakeTheWhole(count: Int) {
        var random = ListRandom(seed: 9)
        let shards = (0..<count).map { Shard(count: count, value: $0) }
        for key in random.keys(count: 300) {
            #expect(shards.count { $0.contains(key) } == 1)
        }
    }

    @Test func aKeyStaysWhereItIs() {
        // 0x85944171f73967e8 modulo 5 and 7.
        #expect(
            Shard(count: 5, value: Int(0x8594_4171_f739_67e8 % 5 as UInt64)).contains(
                ObjectKey("foobar")))
        #expect(
            Shard(count: 7, value: Int(0x8594_4171_f739_67e8 % 7 as UInt64)).contains(
                ObjectKey("foobar")))
    }

    @Test func refusesAShareThatIsNone() async {
        await #expect(processExitsWith: .failure) { _ = Shard(count: 2, value: 2) }
        await #expect(processExitsWith: .failure) { _ = Shard(count: 0, value: 0) }
        await #expect(processExitsWith: .failure) { _ = Shard(count: 2, value: -1) }
    }
}
