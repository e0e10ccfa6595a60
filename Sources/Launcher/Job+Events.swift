import AME

/// The events of a job, its actions, and the periods that it waits.
extension Job {
    enum Event: Hashable {
        /// A rank ended.
        case ended(rank: Int, Ending)
        /// The ranks from `first` on could not be started; `status` is the job's.
        case notStarted(first: Int, status: Int32)
        /// The launcher was sent a signal that is meant for the job.
        case signal(Int32, fromTerminal: Bool)
        /// The user asks how far the job is.
        case asked
        /// Rank 0 handles the death of workers.
        case lead
        /// Rank 0 will say when the job is over.
        case begun
        /// The job is over, and rank 0 ends.
        case over
        /// The output of the ranks cannot be written, or its reader is gone; `status` is the job's.
        case outputLost(status: Int32)
        /// All ranks have ended, and so have all processes that they started.
        case alone
        /// Time passed.
        case clock
    }

    enum Action: Equatable {
        case signal(rank: Int, Int32)
        /// Send a signal to all processes that outlived the ranks that started them.
        case signalLeftovers(Int32)
        /// Send a packet to rank 0.
        case notify(ControlMessage)
        /// Tell the user that a rank was killed by a signal that did not come from the launcher.
        case reportKilled(rank: Int, signal: Int32)
        case reportTimeout
        /// Tell the user that it is not known how far the job is.
        case reportIgnorance
        /// Tell the user that rank 0 ended with status 0 although the job was not over.
        case reportUnfinished
        /// Tell the user that the ranks were ended by the user's own signal.
        case reportInterrupted
    }

    /// Periods in nanoseconds.
    enum Period {
        /// For the other ranks after one has failed.
        ///
        /// They often fail for the same reason, and rank 0 is about to report it.
        static let moment: UInt64 = 300_000_000
        /// From SIGTERM to SIGKILL; also from a user's signal that makes ranks end one by one to SIGTERM.
        static let grace: UInt64 = 5_000_000_000
        /// The same as long as a leading rank 0 is there, which lets all ranks finish what they do.
        static let leadersGrace: UInt64 = 15_000_000_000
        /// From the user's second signal to SIGKILL: time for a leading rank 0 to say how far the job came.
        static let lastWord: UInt64 = 1_000_000_000
        /// For the workers after a leading rank 0 has ended.
        static let farewell: UInt64 = 2_000_000_000
        /// From SIGTERM to SIGKILL for leftovers.
        static let leftoverGrace: UInt64 = 500_000_000
        /// After SIGKILL, for leftovers that do not end at once even then.
        static let lastWait: UInt64 = 2_000_000_000
        /// Signals in faster succession count as one: `timeout` signals its child and then the whole group.
        static let repetition: UInt64 = 100_000_000
        /// The same where rank 0 leads.
        ///
        /// Rank 0 has a similar rule.
        static let leadersRepetition: UInt64 = 600_000_000
    }
}
