//! What the documents name: links, files, modules.

/// A document, and where its words lead.
struct Document: Sendable {
    var file: ProjectFile

    private var folder: String {
        file.path.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// The targets of relative links, from the project's folder on.
    var links: [String] {
        prose.split(separator: "](", omittingEmptySubsequences: false).dropFirst()
            .map { String($0.prefix { $0 != ")" && $0 != "#" && $0 != " " }) }
            .filter { !$0.isEmpty && !$0.contains("://") && !$0.hasPrefix("mailto:") }
            .map { Document.resolved($0, in: folder) }
    }

    /// What stands in backticks and has the name of a file of ours.
    var fileNames: [String] {
        prose.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
            .filter { name in
                Document.endings.contains { name.hasSuffix($0) } && !name.contains(" ")
                    && !name.contains("*") && !name.hasPrefix(".")
            }
    }

    private static let endings = [".swift", ".py", ".sh", ".md"]

    /// Without blocks of code, whose backticks come in threes.
    private var prose: String {
        var isCode = false
        return file.lines.filter { line in
            let isFence = line.drop { $0 == " " }.hasPrefix("```")
            if isFence { isCode.toggle() }
            return !isFence && !isCode
        }.joined(separator: "\n")
    }

    /// The first cells of a table's rows, where the table has such a heading.
    func column(_ number: Int, ofTableHeaded heading: String) -> [String] {
        let rows = file.lines.drop { !$0.hasPrefix("| \(heading) |") }.dropFirst(2)
            .prefix { $0.hasPrefix("|") }
        return rows.map { row in
            let cells = row.split(separator: "|").map { $0.drop { $0 == " " } }
            return cells.count > number ? String(cells[number]).trimmed : ""
        }
    }

    static func resolved(_ link: String, in folder: String) -> String {
        var parts = link.hasPrefix("/") ? [] : folder.split(separator: "/").map(String.init)
        for part in link.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// Whether a file of this name exists: beside the document, in the project, in `Sources`, or anywhere below the
    /// document when only its name is given.
    func knows(_ name: String, among paths: [String]) -> Bool {
        let places = [folder, "", "Sources", "Tests"].map { Document.resolved(name, in: $0) }
        if places.contains(where: paths.contains) { return true }
        let below = folder.isEmpty ? "" : folder + "/"
        return paths.contains { $0.hasPrefix(below) && $0.hasSuffix("/" + name) }
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.hasSuffix(" ") { rest = rest.dropLast() }
        return String(rest)
    }
}
