import DLP
import Launcher
import LuaHost

extension LuaHost {
    /// Sets how long an example may take on the rank of `client`, whose life `supervisor` watches; nil: unlimited.
    ///
    /// - Throws: `CommunicationError` where the system has no more threads.
    func limit(
        toSeconds timeout: Double?, on client: any RankClient, _ supervisor: Supervisor
    ) throws(CommunicationError) {
        let rank = client.rank
        let endPrograms: @Sendable ([Int32]) -> Void = { programs in
            var processes = Descendants(and: programs)
            processes.end()
        }
        try limitTime(to: timeout, endPrograms: endPrograms) { example in
            let fault = Fault(
                phase: .work,
                message:
                    "it takes longer than --timeout allows, in a C function, a finalizer or a handler of xpcall, which cannot be interrupted",
                example: example, rank: rank, host: HostName.current)
            supervisor.handle(.exampleIsStuck(fault))
        }
    }
}
