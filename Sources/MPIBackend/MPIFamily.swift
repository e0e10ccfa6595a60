/// MPI libraries that programs are compiled for alike, and whose launchers understand each other.
public enum MPIFamily: String, Sendable, CaseIterable {
    /// Open MPI and what is made from it.
    case openMPI = "openmpi"
    /// MPICH, Intel MPI, MVAPICH, Cray MPICH.
    case mpich
    /// Any other, by a plugin that the user names.
    case other

    /// What people call it.
    public var name: String {
        switch self {
        case .openMPI: "Open MPI"
        case .mpich: "MPICH"
        case .other: "another MPI"
        }
    }

    /// The family of a library that describes itself like this.
    init(description: String) {
        let makers: [(String, MPIFamily)] = [
            ("Open MPI", .openMPI), ("MPICH", .mpich), ("Intel", .mpich), ("MVAPICH", .mpich), ("CRAY MPICH", .mpich),
        ]
        self = makers.first { description.hasPrefix($0.0) }?.1 ?? .other
    }

    /// The binary interfaces by which its libraries can be called, the usual one first.
    var interfaces: [MPIInterface] {
        switch self {
        case .openMPI: [.openMPI, .standard]
        case .mpich: [.mpich, .standard]
        case .other: []
        }
    }

    /// The name of its plugin's file, as scripts/build-mpi-plugin gives it.
    var pluginName: String { "dlp-mpi-\(rawValue).so" }
}
