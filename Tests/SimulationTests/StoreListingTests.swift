//! The simulated server's lists of parts and uploads: every page size gives the same whole.

import Migration
import S3
import Testing

@Suite struct StoreListingTests {
    private static let pageCounts = [1, 2, 3, 1000]

    private func server(pageCount: Int) -> HandServedStore {
        var traits = ServerTraits()
        traits.multipart.pageCountMax = pageCount
        return HandServedStore(traits)
    }

    private func pages(_ count: Int, of pageCount: Int) -> Int {
        max(1, (count + pageCount - 1) / pageCount)
    }

    @Test(arguments: pageCounts, [[], [1], [3, 1, 2], [10_000, 7, 8, 1, 2]])
    func allPartsAreListed(pageCount: Int, numbers: [Int]) throws {
        let key = ObjectKey("k")
        var server = server(pageCount: pageCount)
        let id = try server.create(key)
        for number in numbers {
            let body = Body(content: number, byteCount: Int64(number))
            _ = try server.send(number, body, of: key, id)
        }
        var listed: [ListParts.Part] = []
        var next: Int? = 0
        var asked = 0
        while let after = next {
            let request = ListParts.request(bucket: "b", key: key, uploadID: id, after: after)
            let answer = try ListParts.answer(server.ask(request).response, to: request)
            listed += answer.parts
            next = answer.next
            asked += 1
        }
        #expect(listed.map(\.number) == numbers.sorted())
        #expect(listed.map(\.sizeBytes) == numbers.sorted().map(Int64.init))
        #expect(
            listed.map(\.etag.text)
                == numbers.sorted().map {
                    hexText(Body(content: $0, byteCount: Int64($0)).md5)
                })
        #expect(asked == pages(numbers.count, of: pageCount))
    }

    @Test(arguments: pageCounts)
    func allUploadsAreListed(pageCount: Int) throws {
        var server = server(pageCount: pageCount)
        let keys = ["a", "a", "a b", "a&<", "a\n", "a/é", "a+", "a%2F", "b", "a"].map {
            ObjectKey($0)
        }
        var begun: [(key: ObjectKey, id: String)] = []
        for key in keys { begun.append((key, try server.create(key))) }
        let wanted = begun.filter { $0.key.bytes.first == UInt8(ascii: "a") }
        let (ids, asked) = try list(ObjectKey("a"), &server)
        #expect(ids.count == wanted.count)
        #expect(Set(ids) == Set(wanted.map(\.id)))
        #expect(ids.prefix(3) == [begun[0].id, begun[1].id, begun[9].id], "by key, then by age")
        #expect(asked == pages(wanted.count, of: pageCount))
        #expect(try list(ObjectKey("c"), &server).ids.isEmpty)
    }

    /// What an abort of the page's last upload must not do: hide those behind it.
    @Test func aMarkerMayBeGone() throws {
        var server = server(pageCount: 2)
        let key = ObjectKey("k")
        let ids = [try server.create(key), try server.create(key), try server.create(key)]
        let first = ListMultipartUploads.request(bucket: "b", prefix: key)
        let next = try ListMultipartUploads.answer(server.ask(first).response, to: first).next
        #expect(server.abort(key, ids[1]) == "204")
        let second = ListMultipartUploads.request(
            bucket: "b", prefix: key, keyMarker: next?.keyMarker,
            uploadIDMarker: next?.uploadIDMarker)
        let rest = try ListMultipartUploads.answer(server.ask(second).response, to: second)
        #expect(rest.uploads.map(\.id) == [ids[2]])
    }

    private func list(
        _ prefix: ObjectKey, _ server: inout HandServedStore
    ) throws -> (ids: [String], asked: Int) {
        var ids: [String] = []
        var asked = 0
        var markers: (keyMarker: ObjectKey, uploadIDMarker: String?)?
        repeat {
            let request = ListMultipartUploads.request(
                bucket: "b", prefix: prefix, keyMarker: markers?.keyMarker,
                uploadIDMarker: markers?.uploadIDMarker)
            let answer = try ListMultipartUploads.answer(server.ask(request).response, to: request)
            ids += answer.uploads.map(\.id)
            markers = answer.next
            asked += 1
        } while markers != nil && asked < 100
        return (ids, asked)
    }
}
