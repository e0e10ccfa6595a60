import Glibc
import TestSupport
import Testing

/// What the tests with real launchers need: a Slurm, several hosts, a plugin for another MPI.
enum Testbed {
    /// A directory for all of it, removed with this process: below `DLP_TESTBED`, or in /tmp.
    static let directory: String = {
        let parent = getenv("DLP_TESTBED").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(parent)/dlp-tests-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { return "/nonexistent" }
        atexit { system("rm -rf '\(Testbed.directory)'") }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// Calls one of the testbed's scripts, for the testbed in `bed`.
    ///
    /// It does not use `Launched`, because the processes that a script starts outlive it.
    static func call(_ script: String, _ words: String, bed: String) throws {
        let log = "\(directory)/log"
        let status = system("DLP_TESTBED='\(bed)' '\(Program.scripts)/\(script)' \(words) </dev/null >'\(log)' 2>&1")
        guard status == 0 else {
            let file = open(log, O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            throw Failure(description: "\(script) \(words): \(String(decoding: contents(of: file), as: UTF8.self))")
        }
    }

    /// The complaint of a testbed script.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Variables for jobs under foreign launchers.
    static let environment = [
        // Files that a killed launcher does not delete are removed with the testbed.
        "TMPDIR": directory, "OMPI_MCA_btl_vader_backing_directory": directory,
        // Unless it is told to, Open MPI starts neither as root nor more ranks than there are cores.
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_ALLOW_RUN_AS_ROOT": "1",
        "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]

    /// The directory of the Slurm that all tests share, once it has started.
    private static let slurm = Result { () throws -> String in
        let bed = directory + "/slurm"
        try call("testbed/slurm", "start", bed: bed)
        atexit { try? Testbed.call("testbed/slurm", "stop", bed: Testbed.directory + "/slurm") }
        return bed
    }

    /// The variables by which Slurm's commands find it.
    static func slurmEnvironment() throws -> [String: String] {
        // Its nodes are a single host. Ranks that Open MPI takes to be on several hosts would collide in its shared
        // memory, and would try to meet at an address that the host cannot reach from itself.
        let variables = [
            "SLURM_CONF": "\(try slurm.get())/slurm/slurm.conf", "OMPI_MCA_btl": "tcp,self",
            "OMPI_MCA_btl_tcp_if_include": "lo",
        ]
        return environment.merging(variables) { $1 }
    }

    /// The directory of an MPI that scripts/test installs.
    static func mpi(_ name: String) -> String { "\(Program.root)/.build/mpi/\(name)" }

    /// The mpiexec of Open MPI 5.
    static let openMPI5 = "\(mpi("openmpi"))/bin/mpiexec"

    /// The plugin for MPICH, once it is built.
    private static let plugin = Result { () throws -> String in
        try call("build-mpi-plugin", "mpicc.mpich '\(directory)'", bed: directory)
        return directory + "/dlp-mpi-mpich.so"
    }

    /// The file of the plugin for MPICH.
    static func mpichPlugin() throws -> String { try plugin.get() }
}
