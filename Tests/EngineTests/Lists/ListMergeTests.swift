//! The merge before the merge: never too many files, no line lost, nothing left behind.

import Glibc
import Linux
import Migration
import S3
import Testing

@testable import Engine

@Suite struct ListMergePlanTests {
    private func chunk(_ first: Int, _ last: Int) -> ListChunk {
        ListChunk(
            folder: "", name: "\(first)-\(last)", firstKey: ObjectKey("\(10_000 + first)"),
            lastKey: ObjectKey("\(10_000 + last)"), lineCount: 1)
    }

    /// The greatest number of intervals that share a point.
    private func overlap(_ chunks: [ListChunk]) -> Int {
        chunks.map { chunk in
            chunks.count { other in
                guard let point = chunk.firstKey, let first = other.firstKey,
                    let last = other.lastKey
                else { return true }
                return first <= point && point <= last
            }
        }.max() ?? 0
    }

    @Test func leavesListsThatFollowEachOther() {
        let plan = ListMergePlan((0..<500).map { chunk($0 * 10, $0 * 10 + 9) }, openMax: 2)
        #expect(plan.groups.isEmpty)
        #expect(plan.remaining.sorted() == Array(0..<500))
    }

    @Test(arguments: 0..<60, [2, 3, 8])
    func keepsTheBoundAndEveryChunk(round: Int, openMax: Int) {
        let chunks = (0..<Int.random(in: 1...80)).map { _ in
            let first = Int.random(in: 0..<1_000)
            return chunk(first, first + Int.random(in: 0..<[5, 100, 1_000][round % 3]))
        }
        let plan = ListMergePlan(chunks, openMax: openMax)
        var items = chunks
        var used: [Int] = []
        for group in plan.groups {
            #expect(group.members.count >= 2 && group.members.count <= openMax)
            used += group.members
            items.append(
                ListChunk(
                    folder: "", name: "",
                    firstKey: group.members.compactMap { items[$0].firstKey }.min(),
                    lastKey: group.members.compactMap { items[$0].lastKey }.max()))
        }
        used += plan.remaining
        #expect(used.sorted() == Array(items.indices))
        #expect(overlap(plan.remaining.map { items[$0] }) <= openMax)
    }

    @Test func writesLinesOnceWhereThatIsEnough() {
        let plan = ListMergePlan((0..<1_000).map { chunk($0, 5_000 + $0) }, openMax: 128)
        let rewritten = plan.groups.flatMap(\.members).filter { $0 >= 1_000 }
        #expect(rewritten.isEmpty)
        #expect(plan.remaining.count <= 128)
    }
}

@Suite(.serialized) struct ListMergeTests {
    let disk = TestFolder()

    private func lists(_ chunkCount: Int, keyCount: Int) throws -> [KeyListChunk] {
        var files: [String: String] = [:]
        for index in 0..<chunkCount {
            files["\(index)"] = stride(from: index, to: keyCount, by: chunkCount).map { number in
                number % 7 == 0
                    ? "\\\\t\(100_000 + number)\t5\tnoon\tabc\n" : "k\(100_000 + number)\n"
            }.sorted().joined()
        }
        return try KeyLists(source: [disk.folder("src", files)], target: []).source.chunks
    }

    @Test(arguments: [3, 128])
    func aThousandListsAreOne(openMax: Int) throws {
        let chunks = try lists(1_000, keyCount: 5_000)
        let whole = try events(source: chunks)
        let openBefore = openFileCount()
        var said = ""
        let reduced = try ListMerge.reduced(
            chunks, openMax: openMax, temporaryFolder: disk.path, say: { said += $0 })
        #expect(reduced.count <= openMax)
        // Tests beside this one have files too, but not hundreds.
        #expect(openFileCount() <= openBefore + openMax + 100)
        #expect(said.contains("1000 lists overlap"))
        #expect(said.contains(disk.path))
        // Nothing but the lists' own folder is to be seen.
        #expect(try names(in: disk.path) == ["src"])
        let events = try events(source: reduced)
        #expect(events == whole)
        #expect(events.work.count == 5_000)
        guard case .work(let line) = events.first else {
            Issue.record("no work")
            return
        }
        #expect(line.sizeBytes == 5 && line.modified == "noon" && line.etag == ETag("abc"))
    }

    @Test func fewListsStayAsTheyAre() throws {
        let chunks = try lists(10, keyCount: 100)
        let reduced = try ListMerge.reduced(chunks, temporaryFolder: "/nowhere") { _ in
            Issue.record("there was nothing to merge")
        }
        #expect(reduced.map(\.list) == chunks.map(\.list))
    }

    @Test func aKeyInTwoListsIsFound() throws {
        var chunks = try lists(10, keyCount: 100)
        let more = disk.folder("more", ["x": "k100001\n"])
        chunks += try KeyLists(source: [more], target: []).source.chunks
        let message = message { () throws(ListError) in
            let reduced = try ListMerge.reduced(chunks, openMax: 4, temporaryFolder: disk.path)
            _ = try events(source: reduced)
        }
        #expect(message.contains("k100001 is listed twice"))
    }

    @Test func aFolderThatIsMissingIsNamed() throws {
        let chunks = try lists(10, keyCount: 100)
        let message = message { () throws(ListError) in
            _ = try ListMerge.reduced(chunks, openMax: 2, temporaryFolder: "/nowhere")
        }
        #expect(message.contains("/nowhere: cannot make a temporary file in"))
    }

    @Test func aFullDiskIsToldWithWhatIsNeeded() {
        let message = message { () throws(ListError) in
            var output = ListMergeOutput(
                owning: Descriptor(open("/dev/full", O_WRONLY)), in: "/scratch", neededBytes: 1_234)
            try output.write { $0.append(0) }
            _ = try output.finish(named: "")
        }
        #expect(message.contains("/scratch: the disk is full"))
        #expect(message.contains("1234 bytes"))
    }

    private func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
