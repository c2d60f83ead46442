//! The rules, put to what they must catch and to what they must let pass.

import Testing

@Suite struct RuleTests {
    private func findings(
        _ rule: SwiftRule, _ text: String, path: String = "Sources/S3/A.swift"
    ) -> [SwiftRule.Finding] {
        rule.findings(ProjectFile(path: path, text: text))
    }

    private func lines(_ rule: SwiftRule, _ text: String) -> [Int] {
        findings(rule, text).map(\.line)
    }

    @Test func codeEndsAtColumn100() {
        let fits = String(repeating: "x", count: 100)
        #expect(lines(.lineLength, "\(fits)\n\(fits)x\n") == [2])
        #expect(lines(.lineLength, String(repeating: "é", count: 100)) == [])
    }

    @Test func wordsEndAtColumn120() {
        let comment = "// " + String(repeating: "x", count: 117)
        #expect(lines(.lineLength, "\(comment)\n\(comment)x\n") == [2])
        let text = "    \"" + String(repeating: "x", count: 114) + "\""
        #expect(lines(.lineLength, "\(text)\n\(text),\n") == [2])
        let block = "\"\"\"\n" + String(repeating: "x", count: 120) + "\n\"\"\"\n"
        #expect(lines(.lineLength, block) == [])
        #expect(lines(.lineLength, "help: " + block + ")") == [])
        #expect(lines(.lineLength, block + String(repeating: "x", count: 101)) == [4])
    }

    @Test func filesEndSomewhere() {
        #expect(lines(.fileLength, String(repeating: "\n", count: 499)) == [])
        #expect(lines(.fileLength, String(repeating: "\n", count: 500)) == [501])
    }

    @Test(arguments: [
        ("//! It does this.\n\nimport S3", []), ("//! Is it?\n", []),
        ("//! It does\n//! this.\n", []), ("import S3\n", [1]), ("/// It does this.\n", [1]),
        ("//! It does\n", [1]), ("//! It does this.\n//! And\n", [2]), ("", [1]), ("//!\n", [1]),
    ])
    func aFileOpensWithASentence(text: String, expected: [Int]) {
        #expect(lines(.opening, text) == expected)
    }

    @Test(arguments: [
        ("struct KeyUtils {", 1), ("final class PoolManager: Sendable {", 1), ("enum Common {}", 1),
        ("extension StringHelper {", 1), ("struct Commonwealth {", 0), ("struct Managers {", 0),
        ("let manager = 1", 0), ("// struct KeyUtils", 0), ("case utils", 0),
    ])
    func typesAreCalledAfterSomething(text: String, count: Int) {
        #expect(findings(.names, text).count == count)
    }

    @Test(arguments: [
        ("Sources/S3/Utils.swift", 1), ("Sources/S3/XMLHelpers.swift", 1),
        ("Sources/S3/Common+xml.swift", 1), ("Sources/S3/ETag.swift", 0),
    ])
    func filesAreCalledAfterSomething(path: String, count: Int) {
        #expect(findings(.names, "", path: path).count == count)
    }

    @Test(arguments: [
        ("// TODO: later", 1), ("let a = 1  // FIXME", 1), ("/* XXX */", 1), ("// HACK", 1),
        ("mkdtemp(\"a-XXXXXX\")", 0), ("let TODOs = 1", 0), ("// nothing to do", 0),
    ])
    func nothingIsLeftOver(text: String, count: Int) {
        #expect(findings(.leftovers, text).count == count)
    }

    @Test(arguments: [
        ("let a = b!", 1), ("try! run()", 1), ("a as! B", 1), ("f()!.x", 1), ("a[0]!", 1),
        ("var a: B!", 1), ("a?.b!.c", 1), ("[Int]!", 1), ("Set<Int>!", 1), ("x!==y", 0),
        ("if !a {", 0), ("a != b", 0), ("a !== b", 0), ("(!a)", 0), ("&& !b", 0),
        ("\"wow!\"", 0), ("// wow!", 0), ("\"\\(a!)\"", 0), ("f(\"a\\\"b!\")", 0),
        ("\"\"\"\nwow!\n\"\"\"", 0), ("f(\"a\")!", 1),
    ])
    func nothingIsForced(text: String, count: Int) {
        #expect(findings(.force, text).count == count)
    }

    @Test func whitespaceIsPlain() {
        #expect(lines(.whitespace, "a\n\tb\nc \n    d\n") == [2, 3])
    }
}

@Suite struct CodeTextTests {
    @Test(arguments: [
        ("a // b", "a     "), ("\"a\" + b", "    + b"), ("\"\\(f(\"x\"))\" + b", "            + b"),
        ("\"\\\"\" + b", "     + b"), ("\"a\nb", "  \nb"), ("\"//\" b", "     b"),
        ("\"\"\"\na \"b\"\n\"\"\" c", "   \n     \n    c"),
    ])
    func blanksWhatIsNoCode(text: String, expected: String) {
        #expect(CodeText.stripped(text) == expected)
    }
}

@Suite struct ImportTests {
    @Test(arguments: [
        ("import S3", "S3", ""), ("internal import CCurl", "CCurl", "internal"),
        ("public import S3", "S3", "public"), ("@testable import Engine", "Engine", ""),
        ("private import struct S3.ETag", "S3", "private"),
        ("@preconcurrency internal import Glibc", "Glibc", "internal"),
    ])
    func readsAnImport(line: String, module: String, access: String) throws {
        let item = try #require(Import(line))
        #expect(item.module == module)
        #expect(item.access == access)
    }

    @Test(arguments: ["let x = import", "// import S3", "important()", "func import S3"])
    func readsNothingElse(line: String) {
        #expect(Import.all(in: line).isEmpty)
    }

    @Test func readsPackageSwift() {
        let text = """
            targets: [
                .systemLibrary(name: "C", pkgConfig: "c", providers: [.apt(["libc-dev"])]),
                .target(name: "A", dependencies: ["C"], swiftSettings: strict),
                .executableTarget(
                    name: "B",
                    dependencies: [
                        "A", "C",
                        .product(name: "P", package: "other-package"),
                    ],
                    swiftSettings: strict),
                .target(name: "D"),
            ]
            """
        #expect(
            Manifest.dependencies(in: text)
                == ["C": [], "A": ["C"], "B": ["A", "C", "P"], "D": []])
    }
}

@Suite struct DocumentRuleTests {
    private func document(_ text: String, path: String = "docs/A.md") -> Document {
        Document(file: ProjectFile(path: path, text: text))
    }

    @Test func readsLinks() {
        let text = """
            See [one](B.md), [two](../C.md#part), [three](https://example.org/x), [four](#here),
            and [five](sub/D.md "title").
            ```
            [no](E.md)
            ```
            """
        #expect(document(text).links == ["docs/B.md", "C.md", "docs/sub/D.md"])
    }

    @Test func readsFileNames() {
        let text = """
            Open `S3/ETag.swift` and `run.sh`, then `make test`; `*.swift` and `migrate.log` are others'.
            ```
            `E.md`
            ```
            """
        #expect(document(text).fileNames == ["S3/ETag.swift", "run.sh"])
    }

    @Test func knowsFilesByWhereTheyAre() {
        let paths = ["docs/B.md", "Sources/S3/ETag.swift", "docs/sub/run.py", "Other/x.py"]
        let document = document("")
        for name in ["B.md", "S3/ETag.swift", "Sources/S3/ETag.swift", "run.py", "docs/B.md"] {
            #expect(document.knows(name, among: paths), "\(name)")
        }
        for name in ["C.md", "ETag.swift", "x.py", "un.py"] {
            #expect(!document.knows(name, among: paths), "\(name)")
        }
    }

    @Test func readsTables() {
        let text = """
            | floor | module | its duty |
            | --- | --- | --- |
            | 5 | `a`, `b` | this |
            | 4 | `C` | that |

            | floor | other |
            """
        let document = document(text)
        #expect(document.column(0, ofTableHeaded: "floor | module | its duty") == ["5", "4"])
        #expect(
            document.column(1, ofTableHeaded: "floor | module | its duty") == ["`a`, `b`", "`C`"])
        #expect(document.column(0, ofTableHeaded: "no such table").isEmpty)
    }
}
