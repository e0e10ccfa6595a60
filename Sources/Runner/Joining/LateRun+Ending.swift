import CLuaHost
import CSystem
import DLP
import LuaHost

// How a process ends that has joined a job, or wanted to.

extension LateRun {
    /// `os.exit` in the script: in an example it ends the job, before that only this process.
    func willExit(_ status: Int32, example: Int?) {
        dlp_flush()
        if takesPart {
            port.report(.exit(status: status, rank: port.rank, example: example))
            _ = port.waitForStop(until: Deadline.after(Self.patience).moment)
        }
        _ = leave(status: status)
    }

    /// Takes leave of the root, as the last thing that this process does.
    func leave(status: Int32) -> Int32 {
        dlp_allow_exit()
        dlp_flush()
        port.leave()
        departure.wake()
        port.close(status: 0)
        return status
    }

    /// Ends this process because of an error, of its own or of the job.
    func end(_ error: any Error, _ host: LuaHost?) -> Int32 {
        // What a script raises because the job is over is no error.
        if let end = host?.jobEnd { return self.end(end) }
        if host?.isInterrupted ?? false {
            let status = port.waitForStop(until: Deadline.after(1_000_000_000).moment)
            return self.end(status.map { JobEnd.stopped(status: $0) } ?? lostRoot)
        }
        switch error {
        case let end as JobEnd: return self.end(end)
        case let error as WorkError: return end(workFault(error))
        case let error as PhaseError: return fail(error.error)
        case let error as ScriptError: return fail(error)
        case let error as UsageError: return fail(error.message, status: 3)
        default: return fail("\(error)", status: 3)
        }
    }

    private func end(_ end: JobEnd) -> Int32 {
        switch end {
        case .stopped(let status) where takesPart: return leave(jobStatus: status)
        case .stopped: return fail("the job ended before this process could join it", status: 3)
        case .fault(let fault) where fault.phase == .communication: return fail(fault.message, status: 3)
        case .fault, .exit, .interrupted:
            // The root tells the user.
            port.report(end)
            return leave(jobStatus: port.waitForStop(until: Deadline.after(Self.patience).moment) ?? end.status)
        }
    }

    /// Ends this process as the job has ended, of which somebody who looks here only should hear.
    private func leave(jobStatus status: Int32) -> Int32 {
        if status != 0 {
            Complaint.write("rank \(port.rank): the job has ended with status \(status); rank 0 says why")
        }
        return leave(status: status)
    }

    private var lostRoot: JobEnd {
        .fault(
            Fault(
                phase: .communication, message: "lost the connection to rank 0", rank: port.rank,
                host: HostName.current, status: 3))
    }

    /// The end of the job because of an example that failed here.
    private func workFault(_ error: WorkError) -> JobEnd {
        var fault = Fault(
            phase: .work, message: error.error.message, traceback: error.error.traceback, example: error.index + 1,
            rank: port.rank, host: HostName.current)
        fault.given = error.given
        return .fault(fault)
    }

    private func fail(_ error: ScriptError) -> Int32 {
        let traceback = error.traceback.isEmpty ? "" : "\n\(error.traceback)"
        return fail(error.message + traceback, status: 1)
    }

    /// Tells the user why this process does not take part, or no longer.
    private func fail(_ message: String, status: Int32) -> Int32 {
        Complaint.write(takesPart ? "rank \(port.rank): \(message)" : "cannot join the job: \(message)")
        return leave(status: status)
    }
}
