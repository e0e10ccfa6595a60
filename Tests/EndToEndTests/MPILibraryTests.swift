import Glibc
import TestSupport
import Testing

/// An MPI library that can be used without a plugin: its launcher, and the interface by which it is called.
enum BuiltInMPI: String, CaseIterable {
    case openMPI, openMPI5, mpich, mpich5, mpich5Standard, intel, intelStandard

    /// Starts ranks on this machine.
    func launcher(_ ranks: Int) -> String {
        switch self {
        case .openMPI: "mpiexec.openmpi -n \(ranks)"
        case .openMPI5: "\(Testbed.openMPI5) --oversubscribe -n \(ranks)"
        case .mpich: "mpiexec.hydra -n \(ranks)"
        case .mpich5, .mpich5Standard: "\(Testbed.mpi("mpich"))/bin/mpiexec -n \(ranks)"
        case .intel, .intelStandard: "\(Testbed.mpi("intel"))/bin/mpiexec -n \(ranks)"
        }
    }

    /// How its launcher may lose the last words of rank 0.
    var lostWords: LostWords? {
        switch self {
        case .openMPI: nil
        case .openMPI5: .openMPI5
        case .mpich, .mpich5, .mpich5Standard, .intel, .intelStandard: .hydra
        }
    }

    /// The library to be used, or the end of its path.
    var library: String {
        switch self {
        case .openMPI: "libmpi.so.40"
        case .openMPI5: "/openmpi/lib/libmpi.so.40"
        case .mpich: "libmpich.so.12"
        case .mpich5: "/mpich/lib/libmpi.so.12"
        case .mpich5Standard: "/mpich/lib/libmpi_abi.so.1"
        case .intel: "/intel/lib/libmpi.so.12"
        case .intelStandard: "/intel/lib/libmpi_abi.so.1"
        }
    }

    /// How the library describes itself.
    var words: String {
        switch self {
        case .openMPI: "Open MPI v4"
        case .openMPI5: "Open MPI v5"
        case .mpich: "MPICH Version: 4"
        case .mpich5, .mpich5Standard: "MPICH Version: 5"
        case .intel, .intelStandard: "Intel(R) MPI Library 2021"
        }
    }

    /// The standard's interface is used where there is no other, or where it is named.
    var environment: [String: String] {
        guard self == .mpich5Standard || self == .intelStandard else { return Testbed.environment }
        let place = Testbed.mpi(self == .intelStandard ? "intel" : "mpich")
        return Testbed.environment.merging(["DLP_MPI_LIBRARY": "\(place)/lib/libmpi_abi.so.1"]) { $1 }
    }

    /// Runs dlp-lua on this number of ranks to its end; blanks separate the words after it.
    func run(_ ranks: Int, _ words: String, in scratch: Scratch) throws -> Outcome {
        try start(ranks, words, in: scratch).finish()
    }

    func start(_ ranks: Int, _ words: String, in scratch: Scratch) throws -> Launched {
        let command = "\(launcher(ranks)) dlp-lua \(words)"
        return try Launched(
            command.split(separator: " ").map { String($0) }, in: scratch, environment: environment)
    }
}

/// The libraries of all MPIs that are there, without plugins and options.
@Suite("MPI libraries")
struct MPILibraryTests {
    @Test("each launcher's own library is opened, and no other", arguments: BuiltInMPI.allCases)
    func isOpened(mpi: BuiltInMPI) throws {
        let outcome = try mpi.run(2, "--info", in: Scratch())
        let line = outcome.lines.first { $0.contains("* MPI: ") } ?? ""
        #expect(line.contains(mpi.words) && line.hasSuffix("\(mpi.library))"), "\(outcome.output)\(outcome.error)")
        #expect(outcome.lines.contains("Backend: mpi") && outcome.status == 0)
    }

    @Test("a job gives the same under each", arguments: BuiltInMPI.allCases)
    func job(mpi: BuiltInMPI) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 40 end
                function work(i) return {i, i == 7 and string.rep("x", 3000000) or "", math.random(1000)} end
                function summarize(results)
                  local sum, length, random = 0, 0, {}
                  for i, r in ipairs(results) do
                    sum, length, random[i] = sum + r[1], length + #r[2], r[3]
                  end
                  print(sum, length, table.concat(random, " "))
                end
                """)
        let alone = try run("dlp-lua job.lua", in: scratch)
        for words in ["", "--mode managed ", "--mode round-robin "] {
            let outcome = try mpi.run(3, "\(words)job.lua", in: scratch)
            #expect(outcome.output == alone.output && outcome.status == 0, "\(outcome.error)")
        }
    }

    @Test("collectives and loops of the module work under each", arguments: BuiltInMPI.allCases)
    func module(mpi: BuiltInMPI) throws {
        let scratch = try Scratch(
            job: """
                local word = dlp.bcast(dlp.IS_ROOT and {"from", string.rep("r", 2000000)} or nil)
                assert(#word[2] == 2000000)
                local all = dlp.gather(dlp.RANK * dlp.RANK)
                local sum = dlp.reduce(dlp.RANK, function(a, b) return a + b end)
                local squares = dlp.map(function(x) return x * x end, {1, 2, 3, 4, 5})
                dlp.barrier()
                if dlp.IS_ROOT then print(word[1], table.concat(all, " "), sum, table.concat(squares, " ")) end
                """)
        let outcome = try mpi.run(3, "job.lua", in: scratch)
        #expect(outcome.output == "from\t0 1 4\t3\t1 4 9 16 25\n" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a failing example ends the job with its message, once", arguments: BuiltInMPI.allCases)
    func failure(mpi: BuiltInMPI) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 9 end
                function work(i) if i == 7 then error("no such thing") end return i end
                """)
        let outcome = try LostWords.mayGo(mpi.lostWords) { try mpi.run(3, "job.lua", in: scratch) }
        let said = outcome.error.split(separator: "\n").filter { $0.contains("no such thing") }
        #expect(outcome.status == 1 && said.count == 1, "\(outcome.status): \(outcome.error)")
    }

    // Open MPI's mpiexec does not pass on anything more.
    @Test(
        "Ctrl-C at the launcher ends all ranks, and the root says how far it came",
        arguments: [BuiltInMPI.mpich, .mpich5, .mpich5Standard, .intel, .intelStandard])
    func interruption(mpi: BuiltInMPI) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 1000 end
                function work(i)
                  if i > 3 then
                    io.open("at." .. dlp.RANK, "w"):close()
                    while true do end
                  end
                  return i
                end
                """)
        let launched = try mpi.start(3, "job.lua", in: scratch)
        try launched.reaches("all ranks are at work") { (0..<3).allSatisfy { scratch.names.contains("at.\($0)") } }
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        let said = outcome.error.split(separator: "\n").filter { $0.contains("dlp-lua: interrupted after ") }
        #expect(outcome.status != 0 && said.count == 1, "\(outcome.status): \(outcome.error)")
    }

    @Test("a library that is named is taken as it is, without a plugin")
    func named() throws {
        let library = "\(Testbed.mpi("mpich"))/lib/libmpi.so.12"
        let command = "\(Testbed.mpi("mpich"))/bin/mpiexec -n 2 dlp-lua --info"
        let outcome = try run(command, environment: ["DLP_MPI_LIBRARY": library])
        #expect(outcome.output.contains("* MPI: MPICH: yes: MPICH Version: 5") || outcome.output.contains(library))
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    @Test("a library of another family than the launcher's is refused, by its name")
    func foreign() throws {
        let library = "\(Testbed.mpi("mpich"))/lib/libmpi_abi.so.1"
        let outcome = try run(
            "mpiexec.openmpi -n 2 dlp-lua --backend mpi -e", "print(dlp.SIZE)",
            environment: Testbed.environment.merging(["DLP_MPI_LIBRARY": library]) { $1 })
        #expect(outcome.status != 0 && outcome.output == "")
        #expect(outcome.error.contains("\(library) is for MPICH, but the launcher is not"), "\(outcome.error)")
    }

    /// The names that an interface declares, with the way to print the number of each.
    private static let numbers = [
        "MPI_SUCCESS", "MPI_ANY_SOURCE", "MPI_THREAD_SERIALIZED", "MPI_COMM_WORLD", "MPI_BYTE", "MPI_INT", "MPI_MAX",
        "MPI_ERRORS_RETURN", "MPI_STATUS_IGNORE", "sizeof(MPI_Status)", "offsetof(MPI_Status, MPI_SOURCE)",
        "offsetof(MPI_Status, MPI_TAG)", "offsetof(MPI_Status, MPI_ERROR)", "sizeof(MPI_Comm)", "sizeof(MPI_Datatype)",
        "sizeof(MPI_Op)", "sizeof(MPI_Errhandler)", "sizeof(MPI_Request)", "sizeof(MPI_Message)",
    ]

    @Test(
        "what is declared of an interface is what a library's own header says",
        arguments: [
            ("mpich-abi.h", "mpicc.mpich", "<mpi.h>"),
            ("mpich-abi.h", "cc -I\(Testbed.mpi("mpich"))/include", "<mpi.h>"),
            ("standard-abi.h", "cc -I\(Testbed.mpi("mpich"))/include", "<mpi_abi.h>"),
        ])
    func declarations(ours: String, compiler: String, theirs: String) throws {
        let scratch = try Scratch()
        let sources = "\(Program.root)/Sources/CMPI"
        let lines = Self.numbers.map { "printf(\"%s %lld\\n\", \"\($0)\", (long long)(\($0)));" }
        try scratch.write(
            "numbers.c",
            """
            #include <stddef.h>
            #include <stdio.h>
            #include HEADER
            #ifdef ROUTINES
            #include ROUTINES
            #endif
            int main(void) {
            \(lines.joined(separator: "\n"))
            return MPI_MAX_LIBRARY_VERSION_STRING > LONGEST_VERSION || MPI_MAX_ERROR_STRING > LONGEST_ERROR;
            }
            """)
        func output(_ compiler: String, _ header: String, _ more: String) throws -> String {
            let compiled = try run(
                "\(compiler) -DHEADER=\(header) -DLONGEST_VERSION=8192 -DLONGEST_ERROR=512 \(more) numbers.c -o numbers",
                in: scratch)
            try #require(compiled.status == 0, "\(compiled.error)")
            let outcome = try run("./numbers", in: scratch)
            #expect(outcome.status == 0, "texts are no longer than there is room for")
            return outcome.output
        }
        // Our declarations of the routines must not contradict the other library's header.
        let expected = try output(compiler, theirs, "-DROUTINES=\"\(sources)/routines.h\"")
        #expect(try output("cc", "\"\(sources)/\(ours)\"", "") == expected)
    }
}
