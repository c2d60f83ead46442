//! s3find: lists a mounted directory as object keys. Options in, exit code out; the work is Finder's.

internal import ArgumentParser
internal import Finder
internal import Glibc
internal import Linux
internal import Migration

@main
struct S3Find: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "s3find",
        abstract: "List the files below a directory as object keys, for s3migrate.",
        usage: """
            s3find [OPTIONS] DIRECTORY OUTPUT_DIR
            s3find --from FILE [--null | --escaped] [OPTIONS] OUTPUT_DIR
            """,
        discussion: """
            Writes the paths of all files below DIRECTORY, relative to it and in byte order, to files of 100,000 \
            lines in OUTPUT_DIR, and at the end manifest.json; a folder without it holds an unfinished listing. \
            Hidden files are files. Symbolic links, devices, sockets and fifos are counted and not followed.

            This is no snapshot: what changes during the walk may be listed or not. A later listing with \
            --later-than has it.

            With --from it makes such lists of any file of keys instead: in any order, with newlines or NULs between \
            them. The lines are the keys as they are, unless --escaped says that they are in the list format; a \
            key that is there twice is listed once. The sort needs room in OUTPUT_DIR for the keys twice over.

            \(ExitCode.table)
            """,
        version: "s3find \(Release.version)")

    @OptionGroup var options: Options

    /// Not ArgumentParser's own, which ends with 64 where this program's contract says 2.
    static func main() {
        do {
            let command = try parse()
            Glibc.exit(command.list().rawValue)
        } catch {
            Glibc.exit(explain(error).rawValue)
        }
    }

    private func list() -> ExitCode {
        let console = Console(program: "s3find", isQuiet: options.quiet)
        do throws(FindError) {
            if let listing = options.fileListing { return try sort(listing, console) }
            return try walk(console)
        } catch {
            console.say(error.description)
            return ExitCode(error)
        }
    }

    private func walk(_ console: Console) throws(FindError) -> ExitCode {
        let report = try TreeListing(
            options.listing, console: console, stop: stopOnSignals()
        ).run()
        report.summary.forEach(console.tell)
        report.gaps.forEach(console.say)
        return report.hasGaps ? .gaps : .done
    }

    private func sort(
        _ listing: FileListing.Options, _ console: Console
    ) throws(FindError) -> ExitCode {
        let report = try FileListing(listing, console: console, stop: stopOnSignals()).run()
        report.summary.forEach(console.tell)
        report.warnings.forEach(console.say)
        return .done
    }

    /// Prints help or version where they were asked for, else what is wrong with the options.
    private static func explain(_ error: any Error) -> ExitCode {
        let text = fullMessage(for: error)
        guard exitCode(for: error).isSuccess else {
            Console(program: "s3find").tell(text)
            return .usage
        }
        print(text)
        return .done
    }
}
