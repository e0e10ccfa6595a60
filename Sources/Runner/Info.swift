import AME
import CLuaHost
import DLP
import Glibc

/// The installation check: how ranks find each other, and a greeting from each.
enum Info {
    static func show(_ session: Session) -> Int32 {
        let client = session.client
        if session.isRoot {
            show(session.connection)
            dlp_flush()
        }
        do {
            try client.barrier()
            print("Hello from rank \(client.rank) of \(client.size)!")
            return session.finish()
        } catch { return session.end(error) }
    }

    private static func show(_ connection: Connection) {
        let methods = connection.methods
        print("dlp-lua \(Version.current)")
        print("Backend: \(connection.transport.name)")
        print("dlp-lua init info from the root process:")
        let chosen = methods.first { $0.isChosen }
        print("  Using \(chosen?.name ?? "none") for getting host, port, rank, size:")
        if let launcher = connection.detection.launcher { print("    Launcher: \(launcher.name)") }
        for endpoint in connection.transport.environment?.endpoints ?? [] { print("    Address: \(endpoint)") }
        if let environment = connection.transport.environment {
            print("    Encryption: \(Encryption.describe(environment.encryption))")
        }
        print("    Rank: \(connection.rank), Size: \(connection.size), Host: \(HostName.current)")
        print("  Methods:")
        for method in methods {
            switch method.availability {
            case .here(let description): print("    \(method.isChosen ? "*" : "+") \(method.name): \(description)")
            case .missing(let reason): print("    - \(method.name): no: \(reason)")
            }
        }
        print("    (* chosen, + available, - not)")
    }
}
