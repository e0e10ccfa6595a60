import Glibc

/// The transport of messages between ranks.
public enum Backend: String, CaseIterable, Sendable {
    case ame
    case mpi
    case none

    /// Returns the backend that `DLP_BACKEND` asks for, or `DLP_MPI_BACKEND`, the variable of dlp_mpi; nil where
    /// neither is set.
    ///
    /// - Throws: `UsageError` for an unknown value.
    static func fromEnvironment() throws(UsageError) -> Backend? {
        for name in ["DLP_BACKEND", "DLP_MPI_BACKEND"] {
            guard let raw = getenv(name), raw.pointee != 0 else { continue }
            let value = String(cString: raw)
            if value == "mpi4py" { return .mpi }
            guard let backend = Backend(rawValue: value) else {
                throw UsageError("\(name) must be ame, mpi or none, not '\(value)'")
            }
            return backend
        }
        return nil
    }
}
