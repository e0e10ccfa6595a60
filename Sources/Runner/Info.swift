import AME
import CLuaHost
import DLP
import Glibc

/// The installation check: how ranks find each other, and a greeting from each.
enum Info {
    static func show(_ session: Session) -> Int32 {
        let port = session.port
        if session.isRoot {
            print("dlp-lua \(Version.current)")
            print("Backend: \(session.connection.backendName)")
            print("dlp-lua init info from the root process:")
            if let environment = session.connection.environment {
                print("  Using AME for getting host, port, rank, size:")
                print("    Address: \(environment.address)")
            } else {
                print("  Using None for getting host, port, rank, size:")
            }
            print("    Rank: \(port.rank), Size: \(port.size), Host: \(HostName.current)")
            print("  Available methods:")
            if session.connection.environment != nil {
                print("    AME: the variables AME_RANK, AME_SIZE, ... of ameexec")
            }
            print("    None: one process without a launcher")
            dlp_flush()
        }
        do {
            try port.barrier()
            print("Hello from rank \(port.rank) of \(port.size)!")
            return session.finish()
        } catch { return session.end(error) }
    }
}
