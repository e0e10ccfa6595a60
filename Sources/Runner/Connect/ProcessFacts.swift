import AME
import DLP
import Glibc
import MPIBackend

/// Whether something can be used here: its description, or the reason why not.
enum Availability: Equatable {
    case here(String)
    case missing(String)
}

/// Everything that the detection looks at.
///
/// Tests can replace it to imitate any launcher.
struct ProcessFacts: Sendable {
    /// A variable of this process's environment; an empty one counts as not set.
    var variable: @Sendable (String) -> String?
    /// Whether an inherited descriptor is a socket.
    ///
    /// The variable that names it may be set although the descriptor is closed.
    var isSocket: @Sendable (Int32) -> Bool
    /// Whether there is an MPI library for the launchers of a family.
    var mpi: @Sendable (MPIFamily) -> Availability
    /// Whether there is a PMIx client library.
    var pmix: @Sendable () -> Availability

    /// The facts of this process.
    static let own = ProcessFacts(
        variable: { name in getenv(name).flatMap { $0.pointee == 0 ? nil : String(cString: $0) } },
        isSocket: { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        },
        mpi: { family in
            do throws(CommunicationError) {
                let library = try Transport.library(for: family)
                return .here("\(library.description) (\(library.file))")
            } catch { return .missing(error.description) }
        },
        pmix: { Rendezvous.pmix.obstacle.map { .missing($0) } ?? .here("libpmix") })

    /// Returns a variable's value where it is a number of at least 0.
    func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}
