import AME
import DLP
import Glibc

/// How this process was started and which backend that means.
struct Connection {
    /// What the launcher says, for AME with more than one rank.
    var environment: AMEEnvironment?
    var size: Int
    var rank: Int
    /// `ame` or `none`.
    var backendName: String

    /// Decides, from what was asked for and what the launcher set.
    ///
    /// - Throws: `UsageError` where what was asked for is not there.
    ///   `StartError` where this rank's own place makes no sense.
    static func detect(_ wanted: Backend?) throws -> Connection {
        var wanted = wanted
        if wanted == nil { wanted = try backendFromEnvironment() }
        let solo = Connection(environment: nil, size: 1, rank: 0, backendName: "none")
        switch wanted {
        case .mpi: throw UsageError("the backend mpi is not built into this dlp-lua; use ameexec, or -np")
        case .some(.none): return solo
        case .ame, nil: break
        }
        let environment: AMEEnvironment?
        do { environment = try AMEEnvironment() } catch { throw StartError(message: error.description) }
        // A program that the script starts is no rank of this job, and the key is none of its business.
        AMEEnvironment.removeFromEnvironment()
        guard let environment else {
            if wanted == .ame {
                throw UsageError(
                    "the backend ame was asked for, but no launcher set AME_RANK: start with ameexec or -np")
            }
            if let objection = ForeignLauncher.objection() { throw UsageError(objection) }
            return solo
        }
        return Connection(
            environment: environment, size: environment.size, rank: environment.rank, backendName: "ame")
    }

    /// `DLP_BACKEND`, or `DLP_MPI_BACKEND` as dlp_mpi names it.
    private static func backendFromEnvironment() throws(UsageError) -> Backend? {
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

/// What is wrong with this rank alone, so that it must speak for itself.
struct StartError: Error {
    var message: String
}
