// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is built with: the strictest language that 6.3 offers.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
]

/// The pure modules, which decide and never do, also say where they are unsafe.
let pure = strict + [.strictMemorySafety()]

let package = Package(
    name: "s3migrate",
    products: [
        .executable(name: "s3migrate", targets: ["s3migrate"]),
        .executable(name: "s3find", targets: ["s3find"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        // Floor 0: the doors to C. Module maps and typed shims, no logic.
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CChecksum"),
        // Floor 1: libcurl in Swift; knows no S3.
        .target(name: "Curl", dependencies: ["CCurl"], swiftSettings: strict),
        // Floor 1: Linux in Swift: threads, locks, files, the terminal; knows no S3.
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
        // Floor 2: speaks S3; pure.
        .target(
            name: "S3", dependencies: ["CCrypto", "CExpat", "CChecksum"], swiftSettings: pure),
        // Floor 3: decides; pure.
        .target(
            name: "Migration",
            dependencies: ["S3", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: pure),
        // Floor 4: does.
        .target(
            name: "Engine",
            dependencies: [
                "Migration", "S3", "Curl", "Linux", "CLinux",
            ],
            swiftSettings: strict),
        .target(
            name: "Finder",
            dependencies: [
                "Migration", "S3", "Linux", "CLinux",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        // Floor 5: options, signals, exit codes.
        .executableTarget(
            name: "s3migrate",
            dependencies: [
                "Engine", "Finder", "Migration", "S3", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "s3find",
            dependencies: [
                "Finder", "Migration", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(name: "CurlTests", dependencies: ["Curl"], swiftSettings: strict),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"], swiftSettings: strict),
        .testTarget(
            name: "S3Tests", dependencies: ["S3"], exclude: ["Oracle"], swiftSettings: strict),
        .testTarget(
            name: "MigrationTests", dependencies: ["Migration", "S3"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "Linux", "Migration", "S3"],
            swiftSettings: strict),
        .testTarget(
            name: "FinderTests", dependencies: ["Finder", "Linux", "Migration", "S3"],
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Migration", "S3"], swiftSettings: strict),
        .testTarget(name: "StyleTests", swiftSettings: strict),
        // What reads bytes from outside, for libFuzzer and for the replay of what it found.
        .target(
            name: "FuzzTargets", dependencies: ["Migration", "S3"], path: "Tests/FuzzTargets",
            exclude: ["Corpus"], swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: strict),
    ]
)

// Only `make fuzz` can build the fuzzer: its main function comes from libFuzzer.
if Context.environment["S3MIGRATE_FUZZER"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
