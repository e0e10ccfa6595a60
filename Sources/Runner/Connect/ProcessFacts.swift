import AME
import DLP
import Glibc
import MPIBackend

/// Whether something can be used here: with its description, or the reason why not.
enum Availability: Equatable {
    case here(String)
    case missing(String)
}

/// All that detection looks at, so that tests can play any launcher.
struct ProcessFacts: Sendable {
    /// A variable of this process's environment; an empty one counts as not set.
    var variable: @Sendable (String) -> String?
    /// Whether an inherited descriptor is a socket: the variable that names it may have outlived it.
    var isSocket: @Sendable (Int32) -> Bool
    /// The MPI library for launchers of a family.
    var mpi: @Sendable (MPIFamily) -> Availability
    /// The PMIx client library.
    var pmix: @Sendable () -> Availability

    /// Those of this process.
    static let own = ProcessFacts(
        variable: { name in getenv(name).flatMap { $0.pointee == 0 ? nil : String(cString: $0) } },
        isSocket: { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        },
        mpi: { family in
            do throws(CommunicationError) {
                let library = try Connection.library(for: family)
                return .here("\(library.description) (\(library.file))")
            } catch { return .missing(error.description) }
        },
        pmix: { Rendezvous.pmix.obstacle.map { .missing($0) } ?? .here("libpmix") })

    /// A variable that is a number from 0 on.
    func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}
