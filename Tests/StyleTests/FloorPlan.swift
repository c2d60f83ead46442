//! The floor plan of `Sources/README.md` and `Package.swift`, in a form that can be checked.

/// A module: its floor, and what its files import.
struct FloorPlan: Sendable {
    var floor: Int
    /// Modules of ours, and products of other packages.
    var imports: Set<String>
    /// What comes with the toolchain.
    var system: Set<String> = []

    /// A change of this table is a change of the architecture.
    static let modules: [String: FloorPlan] = [
        "CCurl": FloorPlan(floor: 0, imports: []),
        "CCrypto": FloorPlan(floor: 0, imports: []),
        "CExpat": FloorPlan(floor: 0, imports: []),
        "CLinux": FloorPlan(floor: 0, imports: []),
        "CChecksum": FloorPlan(floor: 0, imports: []),
        "Curl": FloorPlan(floor: 1, imports: ["CCurl"], system: ["Glibc", "Synchronization"]),
        "Linux": FloorPlan(floor: 1, imports: ["CLinux"], system: ["Glibc"]),
        "S3": FloorPlan(floor: 2, imports: ["CCrypto", "CExpat", "CChecksum"]),
        "Migration": FloorPlan(
            floor: 3, imports: ["S3", "DequeModule"], system: ["FoundationEssentials", "Glibc"]),
        "Engine": FloorPlan(
            floor: 4, imports: ["Migration", "S3", "Curl", "Linux", "CLinux"],
            system: ["Glibc", "Synchronization"]),
        "Finder": FloorPlan(
            floor: 4, imports: ["Migration", "S3", "Linux", "CLinux", "DequeModule"],
            system: ["Glibc", "Synchronization"]),
        "s3migrate": FloorPlan(
            floor: 5, imports: ["Engine", "Finder", "Migration", "S3", "Linux", "ArgumentParser"],
            system: ["Glibc"]),
        "s3find": FloorPlan(
            floor: 5, imports: ["Finder", "Migration", "Linux", "ArgumentParser"],
            system: ["Glibc"]),
    ]

    /// The pure modules have no network, files, clock or threads. Migration's one use of the C library is `memcmp`.
    static let pure: Set = ["S3", "Migration"]
}

/// An import as a file writes it.
struct Import: Hashable {
    var module: String
    /// `public`, `internal`, …; empty when it is not said.
    var access: String

    init?(_ line: some StringProtocol) {
        let words = String(line).words
        guard let place = words.firstIndex(of: "import"), place < words.count - 1,
            words[..<place].allSatisfy(Import.modifiers.contains)
        else { return nil }
        let name = words[place + 1]
        let isMember = Import.kinds.contains(name) && place + 2 < words.count
        module = String(isMember ? words[place + 2] : name)
        access = words[..<place].first(where: Import.levels.contains).map(String.init) ?? ""
    }

    private static let levels: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let modifiers = levels.union(["testable", "preconcurrency", "_exported"])
    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]

    /// The imports of a file.
    static func all(in text: String) -> [Import] {
        CodeText.stripped(text).split(separator: "\n")
            .filter { $0.contains("import ") }.compactMap { Import($0) }
    }
}

/// What `Package.swift` says that a target depends on.
enum Manifest {
    /// Targets by name, with the names of their dependencies.
    static func dependencies(in text: String) -> [String: Set<String>] {
        var targets: [String: Set<String>] = [:]
        let openings = [".target(", ".executableTarget(", ".systemLibrary("]
        for opening in openings {
            for piece in pieces(of: text, behind: opening) {
                let names = quoted(behind: "name: ", in: piece)
                guard let name = names.first else { continue }
                let list = pieces(of: piece, behind: "dependencies: [").first ?? ""
                targets[name] = Set(dependencies(ofList: list))
            }
        }
        return targets
    }

    private static func dependencies(ofList list: String) -> [String] {
        var list = list
        var products: [String] = []
        for product in pieces(of: list, behind: ".product(") {
            products += quoted(behind: "name: ", in: product)
            list = list.split(separator: product).joined()
        }
        let own = list.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
        return own + products
    }

    /// What stands between each opening bracket of this kind and the one that closes it.
    private static func pieces(of text: String, behind opening: String) -> [String] {
        text.split(separator: opening, omittingEmptySubsequences: false).dropFirst().map { rest in
            var depth = 1
            return String(
                rest.prefix { letter in
                    if "([".contains(letter) { depth += 1 }
                    if ")]".contains(letter) { depth -= 1 }
                    return depth > 0
                })
        }
    }

    private static func quoted(behind label: String, in text: String) -> [String] {
        text.split(separator: "\(label)\"").dropFirst(text.hasPrefix("\(label)\"") ? 0 : 1)
            .map { String($0.prefix { $0 != "\"" }) }
    }
}
