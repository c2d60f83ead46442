//! s3migrate: finds the command that is meant, lets it do its work, and says what went wrong.

internal import ArgumentParser
internal import Engine
internal import Finder
internal import Glibc
internal import Linux
internal import Migration

/// The root of the commands; without the name of one, it is the flat form, `Migrate`.
struct S3Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "s3migrate",
        abstract: "Copy the objects of key lists from one S3 bucket to another.",
        usage: Migrate.usage,
        version: Release.version,
        subcommands: [Migrate.self, Report.self, Verify.self, Cancel.self],
        defaultSubcommand: Migrate.self)

    /// What stands beside the flat form, for its help; a new command needs no word there.
    static var otherCommands: String {
        let others = configuration.subcommands.dropFirst().map { command in
            (name: command.configuration.commandName ?? "", command.configuration.abstract)
        }
        guard let width = others.map({ $0.name.count }).max() else { return "" }
        let lines = others.map { name, abstract in
            "  " + name + String(repeating: " ", count: width - name.count) + "  " + abstract
        }
        return "OTHER COMMANDS ('s3migrate COMMAND --help' tells more):\n"
            + lines.joined(separator: "\n") + "\n\n"
    }
}

/// What stands beside the flat form: a command that ends with an exit code of ours.
protocol Subcommand: ParsableCommand {
    /// Does what is wanted; gives the exit code.
    func perform() throws -> ExitStatus
}

@main
enum Main {
    static func main() {
        do {
            exit(try perform().rawValue)
        } catch {
            exit(report(error).rawValue)
        }
    }

    private static func perform() throws -> ExitStatus {
        // The root has no options of its own, so its help would hide those of the flat form.
        if ["--help", "-h", "help"].contains(where: { CommandLine.arguments.dropFirst() == [$0] }) {
            print(S3Migrate.helpMessage(for: Migrate.self))
            return .handled
        }
        var command = try S3Migrate.parseAsRoot()
        if let command = command as? any Subcommand { return try command.perform() }
        // What is no command of ours is the parser's `help`, which ends by throwing its text.
        try command.run()
        return .handled
    }

    /// Says what is wrong; help and version are no errors.
    private static func report(_ error: any Error) -> ExitStatus {
        switch error {
        case let error as RunError:
            say(error.description)
            if case .badInput = error { return .badInput }
            return .cannotGoOn
        case let error as LogFolderError:
            say(error.description)
            return error.isUsage ? .badInput : .cannotGoOn
        case let error as SystemError:
            say(error.advice)
            return .cannotGoOn
        case let error as FindError:
            say("\(error)")
            if case .usage = error { return .badInput }
            return .cannotGoOn
        default:
            let isFine = S3Migrate.exitCode(for: error) == .success
            let text = S3Migrate.fullMessage(for: error)
            if isFine { print(text) } else { say(text) }
            return isFine ? .handled : .badInput
        }
    }

    private static func say(_ text: String) {
        Console(program: "s3migrate").say(text)
    }
}

extension Release {
    /// As lists and summaries name us.
    static var program: String { "s3migrate \(version)" }
}
