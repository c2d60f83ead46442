//! The rules, put to the whole project.

import Testing

@Suite struct ProjectStyleTests {
    @Test func findsTheProject() {
        #expect(Project.exists("Package.swift"), "\(Project.root)")
        #expect(Project.sources.count > 50)
        #expect(Project.swift.count > Project.sources.count)
    }

    @Test(arguments: SwiftRule.all.map(\.name))
    func keepsTheRule(name: String) throws {
        let rule = try #require(SwiftRule.all.first { $0.name == name })
        for file in Project.swift where Self.concerns(rule, file) {
            for finding in rule.findings(file) { Issue.record("\(file.path), \(finding)") }
        }
    }

    /// Tests may force, since a crash is a failure there too, and speak of what they forbid.
    private static func concerns(_ rule: SwiftRule, _ file: ProjectFile) -> Bool {
        let isSource = file.path.hasPrefix("Sources/")
        switch rule.name {
        case SwiftRule.force.name: return isSource
        case SwiftRule.leftovers.name, SwiftRule.names.name: return file.module != "StyleTests"
        // The place holder of a test target that has no tests yet.
        case SwiftRule.opening.name: return isSource || file.lines.count > 2
        default: return true
        }
    }
}

@Suite struct FloorPlanTests {
    private static let modules = FloorPlan.modules.keys.sorted()

    @Test func namesEveryModule() {
        #expect(Project.folders(in: "Sources") == Self.modules)
    }

    @Test(arguments: modules)
    func importsWhatThePlanSays(module: String) throws {
        let plan = try #require(FloorPlan.modules[module])
        let files = Project.sources.filter { $0.module == module }
        let imports = Set(files.flatMap { Import.all(in: $0.text) }.map(\.module))
        let unplanned = imports.subtracting(plan.imports).subtracting(plan.system)
        #expect(unplanned.isEmpty, "imported, but not planned")
        let unused = plan.imports.union(plan.system).subtracting(imports)
        #expect(unused.isEmpty, "planned, but not imported")
    }

    @Test(arguments: modules)
    func importsOnlyDownwards(module: String) throws {
        let plan = try #require(FloorPlan.modules[module])
        for name in plan.imports {
            guard let below = FloorPlan.modules[name] else { continue }
            #expect(below.floor < plan.floor, "\(name) is not below \(module)")
        }
    }

    @Test(arguments: FloorPlan.pure)
    func pureModulesDoNothing(module: String) throws {
        let plan = try #require(FloorPlan.modules[module])
        #expect(plan.system.isDisjoint(with: ["Synchronization", "Dispatch", "Foundation"]))
        #expect(plan.imports.isDisjoint(with: ["Linux", "CLinux", "Curl", "CCurl"]))
        for file in Project.sources where file.module == module {
            let imports = Import.all(in: file.text).map(\.module)
            guard imports.contains("Glibc") else { continue }
            let words = Set(CodeText.stripped(file.text).words)
            #expect(words.contains("memcmp") || words.contains("memchr"), "\(file.path)")
        }
    }

    /// What comes from C stays inside: a C type in a public signature would reach every module above.
    @Test func importsCInternally() {
        for file in Project.sources {
            for item in Import.all(in: file.text) where FloorPlan.modules[item.module]?.floor == 0 {
                #expect(item.access == "internal", "\(file.path): \(item.module)")
            }
        }
    }

    @Test func agreesWithPackageSwift() {
        let declared = Manifest.dependencies(in: Project.read("Package.swift"))
        for module in Self.modules {
            #expect(declared[module] == FloorPlan.modules[module]?.imports, "\(module)")
        }
    }

    @Test func agreesWithTheArchitecturePage() throws {
        let page = try #require(Project.markdown.first { $0.path == "Sources/README.md" })
        let floors = Document(file: page).column(0, ofTableHeaded: "floor | module | its duty")
        let names = Document(file: page).column(1, ofTableHeaded: "floor | module | its duty")
        var named: [String: Int] = [:]
        for (floor, cell) in zip(floors, names) {
            for name in cell.words { named[String(name)] = Int(floor) }
        }
        #expect(named == FloorPlan.modules.mapValues(\.floor))
    }
}

@Suite struct DocumentTests {
    private static let documents = Project.markdown.map(\.path)

    private func document(_ path: String) throws -> Document {
        Document(file: try #require(Project.markdown.first { $0.path == path }))
    }

    @Test func findsTheDocuments() {
        for path in ["README.md", "Sources/README.md", "Tests/README.md", "CONTRIBUTING.md"] {
            #expect(Self.documents.contains(path))
        }
    }

    @Test(arguments: documents)
    func linksLeadSomewhere(path: String) throws {
        for link in try document(path).links {
            #expect(Project.exists(link), "a link to \(link)")
        }
    }

    @Test(arguments: documents)
    func namedFilesExist(path: String) throws {
        let document = try document(path)
        for name in document.fileNames {
            // Apart, since a failure would print the document.
            let isKnown = document.knows(name, among: Project.paths)
            #expect(isKnown, "\(name)")
        }
    }

    @Test func theReadingOrderNamesManyFiles() throws {
        #expect(try document("Sources/README.md").fileNames.count > 20)
    }

    @Test func theTestsPageNamesEveryFolder() throws {
        let cells = try document("Tests/README.md")
            .column(0, ofTableHeaded: "folder | what it shows | runner")
        let named = Set(cells.flatMap { $0.words }.map(String.init))
        #expect(named == Set(Project.folders(in: "Tests")))
    }
}
