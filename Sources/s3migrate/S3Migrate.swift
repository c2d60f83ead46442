internal import ArgumentParser

@main
struct S3Migrate: ParsableCommand {
    func run() throws {}
}
