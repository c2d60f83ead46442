//! The report as text.

internal import Migration

extension MigrationReport {
    /// The report for people; scripts read the JSON.
    var text: String {
        (verdict + passes.indices.flatMap(passLines) + objectLines + errorLines
            + warnings.map { "WARNING: \($0)" }).joined(separator: "\n")
    }

    private var verdict: [String] {
        let places =
            "\(source.endpoint)/\(source.bucket) to \(target.endpoint)/\(target.bucket)"
        guard !isComplete else { return ["the migration is complete: \(places)"] }
        return ["the migration is NOT complete: \(places)"] + reasons.map { "  - \($0)" }
    }

    private func passLines(_ index: Int) -> [String] {
        let pass = passes[index]
        let listed = pass.objects.map { "\($0)" } ?? "an unknown number of"
        let heading =
            "pass \(index + 1): \(listed) keys in the lists, \(pass.logged) in the logs of \(pass.hashCount) "
            + (pass.hashCount == 1 ? "host" : "hosts")
        let hosts = pass.hosts.map { host in
            "  \(host.hashValue)  \(host.state)  \(host.logged)  \(host.folders.joined(separator: " "))"
        }
        return [heading] + hosts
    }

    private var objectLines: [String] {
        let replacing =
            replaced.map { ["  replaced by copies  \($0.count), such as '\($0.example)'"] } ?? []
        let healing = healed > 0 ? ["  failed at first     \(healed), and were made good"] : []
        return [
            "objects               \(objects)", "  exist at the target \(exist)",
            "  copied              \(copied), \(bytesCopied) bytes\(detail(proofs))",
        ] + replacing + [
            "  gone from source    \(skippedSource)",
            "  already at target   \(skippedTarget)\(detail(skips))",
            "  still failed        \(failed)",
        ] + healing
    }

    private var errorLines: [String] {
        errors.sorted { $0.key < $1.key }.map { name, cause in
            "  failed, \(name): \(cause.count), such as '\(cause.exampleKey)': \(cause.exampleMessage)"
        }
    }

    private func detail(_ counts: [String: ReportTally.Count]) -> String {
        guard !counts.isEmpty else { return "" }
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.count)" }
        return " (\(parts.joined(separator: " ")))"
    }
}
