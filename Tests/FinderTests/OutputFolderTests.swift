//! Where lists may be written to, and where not.

import Glibc
import Linux
import Testing

@testable import Finder

struct OutputFolderTests {
    static func problem(_ path: String, _ test: TestFolder) -> String? {
        do throws(FindError) {
            _ = try OutputFolder(path, outside: root(of: test))
            return nil
        } catch {
            guard case .usage(let text) = error else { return "no usage error: \(error)" }
            return text
        }
    }

    private static func root(of test: TestFolder) throws(FindError) -> RootDirectory {
        do throws(SystemError) {
            return try RootDirectory(test.tree)
        } catch {
            throw .cannotGoOn("\(error)")
        }
    }

    @Test func isMadeOrEmpty() throws {
        let test = try TestFolder()
        let path = test.newOutput()
        #expect(Self.problem(path, test) == nil)
        #expect(Self.problem(path, test) == nil)
        #expect(Self.problem(path + "2///", test) == nil)
        #expect(TestFolder.names(in: path).isEmpty)
    }

    @Test(arguments: [
        "keys-000001.list", "other.list", "manifest.json", "notes", ".keys-000001.list.partial",
    ])
    func hasNoFiles(name: String) throws {
        let test = try TestFolder()
        try test.makeDirectory("../out")
        try test.makeFile("../out/\(name)")
        #expect(Self.problem(test.path + "/out", test)?.contains("it has \(name)") == true)
    }

    @Test func mayHaveHiddenFiles() throws {
        let test = try TestFolder()
        try test.makeDirectory("../out")
        try test.makeFile("../out/.nfs0001")
        #expect(Self.problem(test.path + "/out", test) == nil)
    }

    @Test(arguments: [
        "/tree", "/tree/", "/tree/sub", "/tree/new", "/tree/sub/new", "/link", "/link/new",
    ])
    func liesOutsideOfTheTree(place: String) throws {
        let test = try TestFolder()
        try test.makeDirectory("sub")
        try #require(symlink("tree/sub", test.path + "/link") == 0)
        #expect(Self.problem(test.path + place, test)?.contains("inside of") == true)
        #expect(TestFolder.names(in: test.tree) == ["sub"])
        #expect(TestFolder.names(in: test.tree + "/sub").isEmpty)
    }

    @Test func needsItsParentAndADirectory() throws {
        let test = try TestFolder()
        try test.makeFile("../file")
        #expect(Self.problem(test.path + "/missing/out", test)?.contains("parent") == true)
        #expect(Self.problem(test.path + "/file", test)?.contains("Not a directory") == true)
        #expect(Self.problem("", test) != nil)
    }

    @Test func isFilledByOneProcess() throws {
        let test = try TestFolder()
        let path = test.newOutput()
        let first = try OutputFolder(path, outside: RootDirectory(test.tree))
        #expect(Self.problem(path, test)?.contains("another s3find") == true)
        withExtendedLifetime(first) {}
    }

    @Test(arguments: [
        ("a", "."), ("a/", "."), ("/a", "/"), ("/a/", "/"), ("/", "/"), ("a/b", "a"),
        ("a//b//", "a"), ("/a/b", "/a"), ("./a", "."), ("../a", ".."), ("//a", "/"),
    ])
    func knowsItsParent(path: String, parent: String) {
        #expect(parentPath(of: path) == parent)
    }
}
