import AME

/// What comes to a job, what it does about that, and after how long.
extension Job {
    enum Event: Hashable {
        /// A rank ended.
        case ended(rank: Int, Ending)
        /// The ranks from `first` on could not be started; `status` is the job's.
        case notStarted(first: Int, status: Int32)
        /// The launcher was sent a signal that is meant for the job.
        case signal(Int32, fromTerminal: Bool)
        /// The user wants to know how far the job is.
        case asked
        /// Rank 0 copes with the death of a worker.
        case lead
        /// Rank 0 will say when the job is over.
        case begun
        /// The job is over, and rank 0 ends.
        case over
        /// Nobody reads what the ranks write, or it cannot be written; `status` is the job's.
        case outputLost(status: Int32)
        /// All ranks have ended and so has everything that they started.
        case alone
        /// Time passed.
        case clock
    }

    enum Action: Equatable {
        case signal(rank: Int, Int32)
        /// Send a signal to whatever outlived the ranks that started it.
        case signalLeftovers(Int32)
        /// Send a packet to rank 0.
        case notify(ControlMessage)
        /// Tell the user that a rank was killed by a signal that was not the launcher's.
        case reportKilled(rank: Int, signal: Int32)
        case reportTimeout
        /// Tell the user that nobody can say how far the job is.
        case reportIgnorance
        /// Tell the user that rank 0 ended with status 0 although the job was not over.
        case reportUnfinished
        /// Tell the user that the ranks were ended by the signal that he sent.
        case reportInterrupted
    }

    /// Periods in nanoseconds.
    enum Period {
        /// For the other ranks, after one failed: they often fail for the same reason, and rank 0 is about to say why.
        static let moment: UInt64 = 300_000_000
        /// From SIGTERM to SIGKILL; also from a signal of the user's, on which ranks end one by one, to SIGTERM.
        static let grace: UInt64 = 5_000_000_000
        /// The same as long as a rank 0 is there that leads: it lets all ranks finish what they do.
        static let leadersGrace: UInt64 = 15_000_000_000
        /// From a second signal of the user's to SIGKILL: for a rank 0 that leads to say how far the job came.
        static let lastWord: UInt64 = 1_000_000_000
        /// For the workers, after a rank 0 that leads has ended.
        static let farewell: UInt64 = 2_000_000_000
        /// From SIGTERM to SIGKILL for leftovers.
        static let leftoverGrace: UInt64 = 500_000_000
        /// From SIGKILL on, for leftovers that even that does not end at once.
        static let lastWait: UInt64 = 2_000_000_000
        /// Signals that follow each other faster are one: `timeout` signals its child and then the whole group.
        static let repetition: UInt64 = 100_000_000
        /// The same where rank 0 leads, which looks at it in this way.
        static let leadersRepetition: UInt64 = 600_000_000
    }
}
