// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-std=gnu11"])]

let package = Package(
    name: "dlp-lua",
    products: [
        .executable(name: "dlp-lua", targets: ["dlp-lua"]),
        .executable(name: "ameexec", targets: ["ameexec"]),
        .library(name: "DLP", targets: ["DLP", "AME"]),
    ],
    dependencies: [
        // The command line: options, messages, completions.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // HMAC-SHA256 of the handshake.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        // C that must be C: Lua's headers, the trampoline between Lua and Swift, fork and its kin.
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        .target(name: "CLuaHost", dependencies: ["CLua"], cSettings: strictC),
        .target(name: "CSystem", cSettings: strictC),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        // Communicator, schedules, value codec: no Lua, no sockets.
        .target(name: "DLP", dependencies: ["CSystem"], swiftSettings: strict),
        // The socket transport.
        .target(
            name: "AME",
            dependencies: ["DLP", "CSystem", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        // The Lua state, the script contract, the module dlp.
        .target(
            name: "LuaHost", dependencies: ["DLP", "CLua", "CLuaHost"],
            resources: [.embedInCode("Prelude")],
            swiftSettings: strict),
        // Progress, output files.
        .target(name: "Report", dependencies: ["DLP", "CSystem"], swiftSettings: strict),
        // What is done, in a file from which a job goes on.
        .target(name: "Journal", dependencies: ["DLP", "CSQLite", "CSystem"], swiftSettings: strict),
        // Starting ranks on this machine: ameexec and `dlp-lua -np`.
        .target(name: "Launcher", dependencies: ["DLP", "AME", "CSystem"], swiftSettings: strict),
        // One job from options to exit status.
        .target(
            name: "Runner", dependencies: ["DLP", "AME", "LuaHost", "Journal", "Report", "Launcher", "CSystem"],
            swiftSettings: strict),
        .executableTarget(
            name: "dlp-lua",
            dependencies: [
                "DLP", "Runner", "Launcher", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "ameexec",
            dependencies: ["DLP", "Launcher", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),

        // What a Swift program does with the library; built with everything else, so that it stays right.
        .executableTarget(
            name: "primes", dependencies: ["DLP", "AME"], path: "scripts/examples/swift",
            swiftSettings: strict),

        .testTarget(name: "DLPTests", dependencies: ["DLP"], swiftSettings: strict),
        .testTarget(name: "AMETests", dependencies: ["AME", "DLP"], swiftSettings: strict),
        .testTarget(name: "LuaHostTests", dependencies: ["LuaHost", "DLP"], swiftSettings: strict),
        .testTarget(name: "ReportTests", dependencies: ["Report", "DLP"], swiftSettings: strict),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "DLP", "CSQLite"], swiftSettings: strict),
        .testTarget(name: "LauncherTests", dependencies: ["Launcher", "AME"], swiftSettings: strict),
        .testTarget(name: "RunnerTests", dependencies: ["Runner", "DLP"], swiftSettings: strict),
        .testTarget(name: "EndToEndTests", dependencies: ["CSystem"], swiftSettings: strict),
    ]
)
