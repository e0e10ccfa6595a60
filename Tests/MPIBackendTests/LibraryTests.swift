import DLP
import Testing

@testable import MPIBackend

// One after another, because a process opens only one MPI library, once.
@Suite("MPI library", .serialized)
struct LibraryTests {
    @Test(
        "a library's description is its first words, on one line",
        arguments: [
            ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4", "Open MPI v4.1.4"),
            ("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n", "MPICH Version: 4.0.2"),
            ("Intel(R) MPI Library 2021.11 for Linux* OS\n", "Intel(R) MPI Library 2021.11 for Linux* OS"),
            ("", ""), ("\n", ""), (",", ""), (String(repeating: "x", count: 8000), String(repeating: "x", count: 80)),
        ])
    func description(version: String, expected: String) { #expect(MPILibrary.shortened(version) == expected) }

    @Test(
        "a library says whose it is",
        arguments: [
            ("Open MPI v5.0.11", .openMPI), ("MPICH Version: 5.0.2", .mpich), ("MVAPICH Version : 4.0", .mpich),
            ("Intel(R) MPI Library 2021.11 for Linux* OS", .mpich), ("CRAY MPICH version 8.1.28", .mpich),
            ("Another MPI", .other), ("", .other),
        ] as [(String, MPIFamily)])
    func family(description: String, expected: MPIFamily) {
        #expect(MPIFamily(description: description) == expected)
    }

    @Test("Open MPI is opened without being initialized", arguments: [nil, ""])
    func builtIn(named: String?) throws {
        let library = try MPILibrary.open(family: .openMPI, named: named)
        #expect(library.family == .openMPI)
        #expect(library.description.hasPrefix("Open MPI v"))
        #expect(library.file.hasSuffix("libmpi.so.40"))
    }

    @Test(
        "what cannot be opened is named, with the reason",
        arguments: [
            ("/no/such/plugin.so", "/no/such/plugin.so: cannot open shared object file"),
            ("plugin.so", "./plugin.so: cannot open shared object file"),
            ("/etc/hostname", "/etc/hostname: file too short"),
            ("/proc/self/exe", "/proc/self/exe"),
            ("/no/such/libmpi.so.12.1", "/no/such/libmpi.so.12.1: cannot open shared object file"),
        ])
    func badPlugin(file: String, reason: String) {
        let error = #expect(throws: CommunicationError.self) { try MPILibrary.open(named: file) }
        #expect(error?.description.hasPrefix(reason) == true, "\(String(describing: error))")
    }

    @Test("without a plugin for a family its error says how to build one")
    func noPlugin() {
        let error = #expect(throws: CommunicationError.self) { try MPILibrary.open(family: .other) }
        #expect(error?.description.contains("dlp-mpi-other.so: build it with scripts/build-mpi-plugin") == true)
    }

    /// What MPI says, what the launcher said, and the contents of the objection.
    static let places: [(rank: Int, size: Int, expectedRank: Int?, expectedSize: Int?, objection: [String]?)] = [
        (0, 1, nil, nil, nil), (0, 1, 0, 1, nil), (2, 4, 2, 4, nil), (2, 4, nil, 4, nil), (2, 4, 2, nil, nil),
        (0, 1, 2, 4, ["4 processes", "only this one", "DLP_MPI_LIBRARY", "DLP_BACKEND=ame"]),
        (0, 2, 0, 4, ["4 processes", "knows of 2", "DLP_BACKEND=ame"]),
        (1, 4, 2, 4, ["rank 2", "rank 1", "DLP_BACKEND=ame"]),
    ]

    @Test("a place that the launcher did not give is objected to, with a remedy", arguments: places)
    func objection(rank: Int, size: Int, expectedRank: Int?, expectedSize: Int?, words: [String]?) {
        let objection = MPICommunicator.objection(
            to: rank, of: size, expectedRank: expectedRank, expectedSize: expectedSize, library: "Some MPI")
        #expect((objection == nil) == (words == nil))
        for word in (words ?? []) + (words == nil ? [] : ["Some MPI"]) { #expect(objection?.contains(word) == true) }
    }
}
