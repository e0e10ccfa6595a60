// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// Optimised in debug builds as well: the tests run through millions of courses and values.
let optimised: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-std=gnu11"])]

/// Where headers lie of libraries that are opened at run time.
///
/// They let the compiler check the calls. Without them dlp-lua builds all the same, without Open MPI
/// (libopenmpi-dev) or the meeting of ranks by PMIx (libpmix-dev).
func headers(_ name: String, named variable: String) -> [CSetting] {
    let debian = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/\(name)/include" }
    let directories = [Context.environment[variable]].compactMap { $0 } + debian
    // A directory that is not there does no harm.
    return [.unsafeFlags(directories.flatMap { ["-isystem", $0] })]
}

/// What `import DLP` brings: DLP, and the modules that it hands on.
///
/// All are declared, or a change in one of these would not build anew what uses it.
let library: [Target.Dependency] = ["DLP", "Codec", "Engine", "Scheduling", "SystemSupport"]

let package = Package(
    name: "dlp-lua",
    products: [
        .executable(name: "dlp-lua", targets: ["dlp-lua"]),
        .executable(name: "ameexec", targets: ["ameexec"]),
        .library(name: "DLP", targets: ["DLP", "AME"]),
    ],
    dependencies: [
        // X25519 and HMAC-SHA256 of the handshake. Of the BoringSSL inside it, `CSealing` calls AES-GCM, for what follows the
        // handshake, and scrypt, for secrets that people make: that may be another one in the next minor version.
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2"))
    ],
    targets: [
        // C that must be C: Lua's headers, the trampoline between Lua and Swift, fork and its kin, libraries opened at run
        // time.
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        .target(name: "CLuaHost", dependencies: ["CLua", "CSystem"], cSettings: strictC),
        .target(name: "CSystem", cSettings: strictC),
        .target(
            name: "CSealing", dependencies: [.product(name: "Crypto", package: "swift-crypto")], cSettings: strictC),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CMPI", exclude: ["plugin"], cSettings: strictC + headers("openmpi", named: "DLP_MPI_INCLUDE")),
        .target(name: "CPMIx", cSettings: strictC + headers("pmix2", named: "DLP_PMIX_INCLUDE")),

        // What the system and Swift leave to be done: deadlines, monitors, queues, strings of any bytes.
        .target(name: "SystemSupport", dependencies: ["CSystem"], swiftSettings: optimised),
        // Values as CBOR and as JSON, and their digests.
        .target(name: "Codec", dependencies: ["CSystem"], swiftSettings: optimised),
        // Who does which examples, and what becomes of those that fail: values, without threads and clocks.
        .target(name: "Scheduling", dependencies: ["SystemSupport"], swiftSettings: optimised),
        // How long jobs would take: schedules in simulated time.
        .target(name: "Planning", dependencies: ["Scheduling"], swiftSettings: optimised),
        // Loops and collectives of ranks over any transport: what ranks say to each other, and what the root makes of it.
        .target(
            name: "Engine", dependencies: ["Codec", "Scheduling", "SystemSupport", "CSystem"], swiftSettings: optimised),
        // The library for Swift programs: all of the above, and the functions of a job.
        .target(
            name: "DLP", dependencies: ["Codec", "Engine", "Scheduling", "SystemSupport", "CSystem"],
            swiftSettings: optimised),
        // The socket transport.
        .target(
            name: "AME",
            dependencies: library + [
                "CSealing", "CSystem", "CPMIx", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        // The MPI transport, on a library that is opened at run time.
        .target(name: "MPIBackend", dependencies: library + ["CMPI", "CSystem"], swiftSettings: strict),
        // The Lua state, the script contract, the module dlp.
        .target(
            name: "LuaHost", dependencies: library + ["CLua", "CLuaHost", "CSystem"],
            resources: [.embedInCode("Prelude")],
            swiftSettings: strict),
        // Progress, output files.
        .target(name: "Report", dependencies: library + ["CSystem"], swiftSettings: strict),
        // What is done, in a file from which a job goes on.
        .target(name: "Journal", dependencies: library + ["CSQLite", "CSystem"], swiftSettings: strict),
        // Command lines: options, completions.
        .target(name: "Arguments", dependencies: library + ["CSystem"], swiftSettings: strict),
        // Starting ranks on this machine: ameexec and `dlp-lua -np`.
        .target(name: "Launcher", dependencies: library + ["Arguments", "AME", "CSystem"], swiftSettings: strict),
        // One job from options to exit status.
        .target(
            name: "Runner",
            dependencies: library + [
                "Arguments", "AME", "MPIBackend", "LuaHost", "Journal", "Planning", "Report", "Launcher", "CLuaHost",
                "CSystem",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "dlp-lua",
            dependencies: library + ["Arguments", "Runner", "Launcher", "CSystem"], swiftSettings: strict),
        .executableTarget(
            name: "ameexec", dependencies: library + ["Arguments", "Launcher", "CSystem"], swiftSettings: strict),

        // What a Swift program does with the library; built with everything else, so that it stays right.
        .executableTarget(
            name: "primes", dependencies: library + ["AME"], path: "scripts/examples/swift",
            swiftSettings: strict),

        // A rank for the tests with real launchers.
        .executableTarget(
            name: "ame-probe", dependencies: library + ["AME", "CSystem"], path: "Tests/AMEProbe", swiftSettings: strict
        ),
        // What several test targets share.
        .target(
            name: "TestSupport", dependencies: ["Engine", "SystemSupport", "CSystem"], path: "Tests/TestSupport",
            swiftSettings: strict),
        // A connection that breaks when a test wants it to.
        .target(name: "FaultRelay", dependencies: ["CSystem"], path: "Tests/FaultRelay", swiftSettings: strict),
        // Jobs of any number of ranks in simulated time, for tests and for scripts/bench/scale.
        .target(
            name: "Simulation", dependencies: ["Planning"], path: "Tests/Simulation",
            swiftSettings: optimised),
        .executableTarget(
            name: "scale-probe", dependencies: library + ["Simulation", "Planning"], path: "Tests/ScaleProbe",
            swiftSettings: strict
        ),
        .testTarget(name: "SystemSupportTests", dependencies: ["SystemSupport"], swiftSettings: strict),
        .testTarget(
            name: "CodecTests", dependencies: ["Codec", "CSystem", "Simulation", "Planning", "TestSupport"],
            swiftSettings: optimised),
        .testTarget(
            name: "SchedulingTests", dependencies: ["Scheduling", "Simulation", "Planning"],
            swiftSettings: optimised),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Engine", "Codec", "Scheduling", "SystemSupport", "CSystem", "Simulation", "Planning", "TestSupport",
            ],
            swiftSettings: optimised),
        .testTarget(name: "DLPTests", dependencies: library + ["CSystem", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "AMETests",
            dependencies: library + [
                "AME", "CSystem", "FaultRelay", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MPIBackendTests", dependencies: library + ["MPIBackend", "CSystem", "Simulation", "Planning"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "LuaHostTests",
            dependencies: library + [
                "LuaHost", "CLua", "CLuaHost", "CSystem", "Simulation", "Planning", "Journal", "Runner", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReportTests",
            dependencies: library + ["Report", "CSystem", "Simulation", "Planning", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "JournalTests", dependencies: library + ["Journal", "Planning", "CSQLite", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "LauncherTests",
            dependencies: library + ["Launcher", "Arguments", "AME", "Simulation", "Planning", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "ArgumentsTests", dependencies: library + ["Arguments"], swiftSettings: strict),
        .testTarget(
            name: "RunnerTests",
            dependencies: library + ["Runner", "Arguments", "AME", "LuaHost", "MPIBackend", "Report", "TestSupport"],
            swiftSettings: strict),
        // A rank that exercises the MPI transport, for the end-to-end tests.
        .executableTarget(
            name: "mpi-probe", dependencies: library + ["MPIBackend", "CSystem"], path: "Tests/MPIProbe",
            swiftSettings: strict),
        // A program of the library's users, for the end-to-end tests.
        .executableTarget(
            name: "job-probe", dependencies: library + ["AME"], path: "Tests/JobProbe", swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["FaultRelay", "Simulation", "Planning", "TestSupport", "mpi-probe", "job-probe", "primes"],
            swiftSettings: strict),
    ]
)
