//! The last lines on the terminal: what the run did.

internal import Migration

extension RunSummary {
    /// The summary for people; scripts read summary.json.
    var text: String {
        var lines = [heading]
        lines.append("  objects listed      \(objects)")
        if before > 0 { lines.append("  at or before start  \(before)") }
        if ignored > 0 { lines.append("  of other hosts      \(ignored)") }
        lines += verify.map(comparisonLines) ?? copyLines
        lines.append("  failed              \(failed)")
        if failedBefore > 0 { lines.append("  failed before       \(failedBefore)") }
        if notReached > 0 { lines.append("  not reached         \(notReached)") }
        lines += warnings
        let tenths = (seconds * 10).rounded() / 10
        lines.append("  took \(tenths) s")
        return lines.joined(separator: "\n")
    }

    private var heading: String {
        if isDryRun { return "dry run \(ending); nothing was written" }
        return verify == nil ? "run \(ending)" : "verification \(ending)"
    }

    private var copyLines: [String] {
        let skipped = "  already at target   \(skippedTarget)\(detail(skips))"
        return [
            "  exist at the target \(exist)",
            "  \(isDryRun ? "would be copied     " : "copied              ")\(copied), "
                + "\(bytesCopied) bytes\(detail(proofs))",
        ] + replacedLines + ["  gone from source    \(skippedSource)"] + (isDryRun ? [] : [skipped])
    }

    private var replacedLines: [String] {
        guard let replaced, replaced > 0 else { return [] }
        return ["  replaced, of these  \(replaced)"]
    }

    /// Lists of a target that has a part of the objects, taken for the source's, look like a migration that is done.
    private var mayBeExchanged: Bool {
        let handled = copied + skippedSource + skippedTarget + failed
        return verify == nil && before + handled + notReached == 0 && exist > 0 && targetOnly > 0
    }

    private func comparisonLines(_ verify: VerifySummary) -> [String] {
        [
            "  same                \(verify.same), \(verify.bytesSame) bytes\(detail(proofs))",
            "  differ              \(verify.differs)", "  missing at target   \(verify.missing)",
            "  gone from both      \(verify.gone)", "  only at the target  \(verify.extra)",
        ]
    }

    private func detail(_ counts: [String: Int]) -> String {
        guard !counts.isEmpty else { return "" }
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return " (\(parts.joined(separator: " ")))"
    }

    private var warnings: [String] {
        var lines: [String] = []
        let word = verify == nil ? "failed" : "not the same"
        for (name, error) in errors.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "  \(word), \(name): \(error.count), such as '\(error.exampleKey)': "
                    + error.exampleMessage)
        }
        if let count = verify?.unproved, count > 0 {
            lines.append(
                "  WARNING: of \(count) objects only size and metadata could be compared, since their ETags are no "
                    + "digests of one kind (grep -w size verify.log); --deep reads them")
        }
        if let count = skips["differs"], count > 0 {
            lines.append(
                "  WARNING: \(count) objects at the target differ from the source's and were left alone: "
                    + "grep 'skip-up.*differs' migrate.log")
        }
        if let count = skips["size"], count > 0 {
            lines.append(
                "  WARNING: of \(count) objects that the target had already only the sizes could be compared: "
                    + "grep 'skip-up.*size' migrate.log; 's3migrate verify --deep' reads them")
        }
        if let count = existSamples?["missing"], count > 0 {
            lines.append(
                "  WARNING: \(count) keys of the target's lists were asked for and are not there: "
                    + "grep 'exist.*missing' migrate.log")
        }
        if let count = existSamples?["differs"], count > 0 {
            lines.append(
                "  WARNING: \(count) keys of the target's lists were asked for and are other objects than the "
                    + "source's lists say: grep 'exist.*differs' migrate.log")
        }
        if lostTags > 0 { lines.append("  WARNING: \(lostTags) copies lack their tags (no-tags)") }
        if lostMetadata > 0 {
            lines.append("  WARNING: \(lostMetadata) copies lack some metadata (no-meta)")
        }
        if mayBeExchanged {
            lines.append(
                "  WARNING: there was nothing to copy, and the target's lists have keys that the source's have "
                    + "not: either clients have written them, or --src-folder and --dest-folder are exchanged"
            )
        }
        if existDiffers > 0 {
            lines.append(
                "  WARNING: \(existDiffers) keys are in both lists with different sizes or ETags")
        }
        if uploadsOpen > 0 {
            lines.append(
                "  \(uploadsOpen) uploads are left open at the target, for --resume to go on with; "
                    + "'s3migrate cancel' aborts them")
        }
        if !identityHolds { lines.append("  WARNING: the counts do not add up; this is a bug") }
        return lines
    }
}
