//! Folders of key lists: what is taken, what is counted, and what is refused with which words.

import Engine
import Glibc
import Migration
import S3
import Testing

@Suite struct KeyListsTests {
    let disk = TestFolder()

    @Test func countsListsWithoutAManifest() throws {
        let folder = disk.folder(
            "src", ["one": "a\t1\nc\t2\n", "two.txt": "b\t4", ".hidden": "\n\n", "empty": ""])
        let lists = try KeyLists(source: [folder], target: [])
        #expect(lists.source.objectCount == 3)
        #expect(lists.source.objectBytes == 7)
        #expect(lists.source.chunks.map(\.list.name).sorted() == ["one", "two.txt"])
        #expect(!lists.source.isEmpty)
        #expect(lists.target.isEmpty)
        #expect(try events(source: lists.source.chunks).work == ["a", "b", "c"])
    }

    @Test func sizesAreUnknownWhereOneIs() throws {
        let folder = disk.folder("src", ["one": "a\t1\nc\n"])
        #expect(try KeyLists(source: [folder], target: []).source.objectBytes == nil)
    }

    @Test func emptyFoldersAndFilesAreNoError() throws {
        let lists = try KeyLists(
            source: [disk.folder("src")], target: [disk.folder("dst", ["none": ""])])
        #expect(lists.source.isEmpty)
        #expect(lists.target.isEmpty)
        #expect(try events(source: [], target: lists.target.chunks) == [.end])
    }

    @Test func takesAListingWithoutReadingIt() throws {
        let folder = disk.listing("src", id: "id-1", bytes: 99, [["a", "b"], ["c", "\\d\\t"]])
        let lists = try KeyLists(source: [folder], target: []) { _ in
            Issue.record("lists with a manifest need no check")
        }
        #expect(lists.source.objectCount == 4)
        #expect(lists.source.objectBytes == 99)
        #expect(lists.source.identities.map(\.listing) == ["id-1"])
        #expect(lists.source.chunks.last?.list.lastKey == ObjectKey("d\t"))
    }

    @Test func reachesAKeyWithoutOpeningTheChunksBefore() throws {
        let folder = disk.listing("src", [["a", "b"], ["c", "d"], ["e"]])
        let lists = try KeyLists(source: [folder], target: [])
        // Same size, other bytes: reading it would be an error.
        disk.write("zz\n\n", to: "\(folder)/keys-000001.list")
        var reader = KeyListReader(
            source: lists.source.chunks, target: [], selection: KeySelection(after: ObjectKey("c")))
        #expect(try reader.next() == .work(KeyListLine(key: ObjectKey("d"))))
        #expect(try reader.next() == .work(KeyListLine(key: ObjectKey("e"))))
        #expect(try reader.next() == .end)
        #expect(reader.counters.before == 3)
    }

    @Test func severalFoldersAreOneList() throws {
        let lists = try KeyLists(
            source: [disk.folder("one", ["x": "a\nd\n"]), disk.listing("two", [["b"], ["e"]])],
            target: [disk.folder("three", ["x": "a\n"]), disk.folder("four", ["x": "e\n"])])
        let events = try events(source: lists.source.chunks, target: lists.target.chunks)
        #expect(events.work == ["b", "d"])
        #expect(lists.source.identities.count == 2)
    }

    @Test func followsLinksToFiles() throws {
        let real = disk.folder("real", ["keys": "a\n"])
        let linked = disk.folder("linked")
        symlink("\(real)/keys", "\(linked)/keys")
        #expect(try KeyLists(source: [linked], target: []).source.objectCount == 1)
    }

    @Test func theIdentityChangesWithTheLists() throws {
        let folder = disk.folder("src", ["keys": "a\nb\n"])
        let before = try KeyLists(source: [folder], target: []).source.identities
        #expect(try KeyLists(source: [folder + "/"], target: []).source.identities == before)
        disk.write("a\nc\n", to: "\(folder)/keys")
        #expect(try KeyLists(source: [folder], target: []).source.identities != before)
    }

    @Test func tellsHowFarTheCheckIs() throws {
        let folder = disk.folder("src", ["keys": "a\nb\n", "more": "c\n"])
        var last: KeyListCheckProgress?
        _ = try KeyLists(source: [folder], target: []) { last = $0 }
        #expect(last?.lineCount == 3)
        #expect(last?.readBytes == 6)
        #expect(last?.totalBytes == 6)
    }
}

@Suite struct KeyListsErrorTests {
    let disk = TestFolder()

    private func expectFailure(
        source: [String], target: [String] = [], _ words: String...,
        at location: SourceLocation = #_sourceLocation
    ) {
        let message = message { () throws(ListError) in
            _ = try KeyLists(source: source, target: target)
        }
        for word in words {
            #expect(message.contains(word), sourceLocation: location)
        }
    }

    @Test func foldersThatAreNone() {
        expectFailure(source: ["\(disk.path)/gone"], "\(disk.path)/gone", "no such folder")
        expectFailure(source: [], target: ["\(disk.path)/gone"], "no such folder")
        let folder = disk.folder("src", ["keys": ""])
        expectFailure(source: ["\(folder)/keys"], "src/keys: this is no folder")
    }

    @Test func foldersWithOtherThings() {
        let folder = disk.folder("src")
        mkdir("\(folder)/below", 0o777)
        expectFailure(source: [folder], "\(folder): the folder holds another folder, below")
        let pipes = disk.folder("pipes")
        mkfifo("\(pipes)/pipe", 0o666)
        expectFailure(source: [pipes], "pipe is no regular file")
    }

    @Test(.enabled(if: getuid() != 0, "root reads everything"))
    func foldersThatCannotBeRead() {
        let folder = disk.folder("src", ["keys": "a\n"])
        chmod("\(folder)/keys", 0)
        expectFailure(source: [folder], "src/keys: cannot open the list: Permission denied")
        chmod(folder, 0)
        expectFailure(source: [folder], "cannot be read: Permission denied")
        chmod(folder, 0o777)
    }

    @Test func wrongLinesAreToldBeforeTheRun() {
        expectFailure(
            source: [disk.folder("a", ["x": "b\na\n"])], "a/x, line 2: the key a comes after b")
        expectFailure(
            source: [], target: [disk.folder("b", ["x": "a\r\n"])], "b/x, line 1", "tr -d")
        expectFailure(source: [disk.folder("c", ["x": "a\na\n"])], "listed twice")
    }

    @Test func interruptedListings() throws {
        let folder = disk.folder("src", ["keys-000001.list": "a\n"])
        expectFailure(
            source: [folder], "keys-000001.list was written by s3find", "--allow-incomplete-list")
        let partial = disk.listing("part", complete: false, [["a"]])
        expectFailure(source: [partial], "not complete", "--allow-incomplete-list")
        for path in [folder, partial] {
            let lists = try KeyLists(source: [path], target: [], allowIncomplete: true)
            #expect(lists.source.objectCount == 1)
        }
    }

    @Test func namesThatOnlyLookLikeOurs() throws {
        let folder = disk.folder(
            "src", ["keys-00001.list": "a\n", "keys-000001.lis": "b\n", "keys-00000a.list": "c\n"])
        #expect(try KeyLists(source: [folder], target: []).source.objectCount == 3)
        expectFailure(source: [disk.folder("b", ["keys-1000000.list": "a\n"])], "interrupted")
    }

    @Test func manifestsThatDoNotFit() {
        let damaged = disk.folder("damaged", ["manifest.json": "{"])
        expectFailure(source: [damaged], "damaged/manifest.json: ")
        let missing = disk.listing("missing", [["a"], ["b"]])
        unlink("\(missing)/keys-000002.list")
        expectFailure(source: [missing], "keys-000002.list: ", "it is missing")
        let shorter = disk.listing("shorter", [["a"], ["bb"]])
        disk.write("b\n", to: "\(shorter)/keys-000002.list")
        expectFailure(source: [shorter], "it has 2 bytes, not 3", "make the list again")
        let mixed = disk.listing("mixed", [["a"]])
        disk.write("b\n", to: "\(mixed)/other")
        expectFailure(source: [mixed], "other is not named in manifest.json")
        let badKey = disk.listing("bad", [["\\q\\q"]])
        expectFailure(source: [badKey], "bad/manifest.json: the key \\q\\q: the escape at byte 3")
    }

    @Test func theSameListsTwice() {
        let folder = disk.folder("src", ["keys": "a\n"])
        symlink(folder, "\(disk.path)/link")
        for other in [folder, "\(folder)/", "\(disk.path)/link"] {
            expectFailure(source: [folder], target: [other], folder, other, "same key lists")
            expectFailure(source: [folder, other], "same key lists")
        }
        let one = disk.listing("one", id: "id", [["a"]])
        let copy = disk.listing("copy", id: "id", [["a"]])
        expectFailure(source: [one], target: [copy], "one and ", "copy are the same key lists")
    }

    @Test func filesThatChangeMeanwhile() throws {
        let folder = disk.folder("src", ["keys": "a\nb\n"])
        let lists = try KeyLists(source: [folder], target: [])
        disk.write("a\n", to: "\(folder)/keys")
        #expect(failure(of: lists).contains("it has 2 bytes, not 4"))
        disk.write("a\nc\n", to: "\(folder)/keys")
        #expect(failure(of: lists).contains("last key is c, not b"))
        unlink("\(folder)/keys")
        #expect(failure(of: lists).contains("src/keys: cannot open the list: No such file"))
    }

    @Test func aManifestThatLiesIsNoticed() throws {
        let folder = disk.listing("src", [["a", "b"]])
        let lists = try KeyLists(source: [folder], target: [])
        disk.write("abc\n", to: "\(folder)/keys-000001.list")
        #expect(failure(of: lists).contains("first key is abc, not a"))
    }

    private func failure(of lists: KeyLists) -> String {
        message { () throws(ListError) in _ = try events(source: lists.source.chunks) }
    }
}
