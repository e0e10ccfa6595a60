import DLP
import Glibc
import Launcher
import LuaHost

extension LuaHost {
    /// Sets how long an example may take on the rank of `port`; nil: for ever.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    func limit(toSeconds timeout: Double?, on port: any Port) throws(CommunicationError) {
        let (rank, size, ender) = (port.rank, port.size, (port as? RootPort)?.ender)
        let giveUp = (port as? WorkerPort)?.giveUp
        let endPrograms: @Sendable ([Int32]) -> Void = { programs in
            var processes = Descendants(and: programs)
            processes.end()
        }
        try limitTime(to: timeout, endPrograms: endPrograms) { example in
            let fault = Fault(
                phase: .work,
                message:
                    "it takes longer than --timeout allows, in a C function or a finalizer, which cannot be interrupted",
                example: example, rank: rank, host: HostName.current)
            // The root's other thread can still end the job.
            if let ender { return ender(.fault(fault)) }
            if let giveUp {
                giveUp(example - 1, fault)
                Abandonment.finish(status: 3)
            }
            // To the root this is a dead rank.
            Complaint.write("\(fault.text(ranks: size)); this rank is given up")
            Abandonment.finish(status: 3)
        }
    }
}
