import DLP
import Glibc

/// A limit to the time that MPI takes to start, which by itself waits for ever for a rank that has died.
final class MPIStart {
    private let end: EventWaker
    private let thread: ServiceThread

    /// Ends this process with a message, and status 3, unless `isOver` is called within `timeout` nanoseconds.
    ///
    /// - Throws: `CommunicationError` where there is no thread for it.
    init(rank: Int, within timeout: UInt64) throws(CommunicationError) {
        let end = try EventWaker()
        self.end = end
        thread = try ServiceThread {
            if end.wait(nanoseconds: timeout) { return }
            // Each rank waits for some other: one message is enough.
            if rank == 0 {
                Complaint.write(
                    "MPI did not start on all ranks within \(Double(timeout) / 1e9) seconds: see whether one of them "
                        + "failed, give them more time with --connect-timeout, or say --backend ame")
            }
            _exit(3)
        }
    }

    /// MPI has started, or failed to.
    func isOver() {
        end.wake()
        thread.join()
    }
}
