import CLuaHost
import DLP
import Glibc
import LuaHost
import Report

/// Does what the command line asks for, on this rank.
///
/// - Returns: the exit status.
public func run(_ invocation: Invocation) -> Int32 {
    dlp_buffer_standard_output()
    let connection: Connection
    do {
        connection = try Connection.detect(invocation.options.backend)
    } catch let error as UsageError {
        return complainOnce(error.message, status: 2)
    } catch {
        Complaint.write((error as? StartError)?.message ?? "\(error)")
        return 2
    }
    let session: Session
    do {
        let timeout = invocation.options.connectTimeout ?? 60
        session = try Session(connection, connectTimeout: UInt64(timeout * 1e9))
    } catch {
        Complaint.write(connection.size > 1 ? "rank \(connection.rank): \(error.description)" : error.description)
        return 3
    }
    if invocation.task == .info { return Info.show(session) }
    return ScriptRun(session, invocation).run()
}

/// Complains on the root alone: the other ranks were called with the same words.
public func complainOnce(_ message: String, status: Int32) -> Int32 {
    if ForeignLauncher.rank == 0 { Complaint.write(message) }
    return status
}
