import CMPI

/// A binary interface of MPI libraries: the types, numbers and names by which compiled programs call them.
enum MPIInterface: CaseIterable {
    /// Open MPI's, since its version 3.
    case openMPI
    /// That of MPICH and the libraries made from it, since MPICH 3.1.
    case mpich
    /// That of the MPI standard, since its version 5.
    case standard

    typealias Opener = (
        UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int
    ) -> UnsafePointer<dlp_mpi_table>?

    /// What libraries with this interface are called; Debian has a name of its own for MPICH.
    var names: [String] {
        switch self {
        case .openMPI: ["libmpi.so.40"]
        case .mpich: ["libmpi.so.12", "libmpich.so.12"]
        case .standard: ["libmpi_abi.so.1"]
        }
    }

    /// Opens a file that has this interface.
    var opener: Opener {
        switch self {
        case .openMPI: dlp_mpi_open_openmpi
        case .mpich: dlp_mpi_open_mpich
        case .standard: dlp_mpi_open_standard
        }
    }
}
