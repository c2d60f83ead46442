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
        discussion: """
            Writes the paths of all files below DIRECTORY, relative to it and in byte order, to files of 100,000 \
            lines in OUTPUT_DIR, and at the end manifest.json; a folder without it holds an unfinished listing. \
            Hidden files are files. Symbolic links, devices, sockets and fifos are counted and not followed.

            This is no snapshot: what changes during the walk may be listed or not. A later listing with \
            --later-than has it.

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
            let report = try TreeListing(
                options.listing, console: console, stop: stopOnSignals()
            ).run()
            report.summary.forEach(console.tell)
            report.gaps.forEach(console.say)
            return report.hasGaps ? .gaps : .done
        } catch {
            console.say(error.description)
            return ExitCode(error)
        }
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
