internal import ArgumentParser

@main
struct S3Find: ParsableCommand {
    func run() throws {}
}
