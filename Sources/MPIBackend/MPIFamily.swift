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

    /// The name of its plugin's file, as scripts/build-mpi-plugin gives it.
    var pluginName: String { "dlp-mpi-\(rawValue).so" }
}
