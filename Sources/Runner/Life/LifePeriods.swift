/// How long ranks wait for each other when one of them ends, in nanoseconds: the table of all such periods.
enum LifePeriods {
    /// Signals within this period count as one.
    ///
    /// Launchers forward to all processes what the system has sent them already.
    static let sameSignal: UInt64 = 500_000_000

    /// The time that running examples get to finish after SIGTERM.
    ///
    /// Most batch systems send SIGKILL half a minute after SIGTERM. The journal and the other ranks need time, too.
    static let grace: UInt64 = 10_000_000_000

    /// The time that the root gets to end the job after a worker has got a signal.
    ///
    /// The root has mostly got the same signal. If it does nothing, the signal was meant for this worker alone.
    static let rootsReaction: UInt64 = 2_000_000_000

    /// The same before the ranks are connected.
    ///
    /// It is short because a root that gets the signal then ends at once. It is not zero because the root would report a
    /// worker that ends before it as lost.
    static let rootsReactionAtStart: UInt64 = 500_000_000

    /// The time that the root gets to end the job, and to send its status, after a rank has reported why it must end.
    ///
    /// The root may close a journal and wait for its own script first.
    static let rootsVerdict: UInt64 = 5_000_000_000

    /// The time that the root's last message gets to arrive after the end of the job has made this rank's script fail.
    ///
    /// It is short because the root has sent the message before it closed the connection.
    static let rootsWord: UInt64 = 1_000_000_000

    /// The time that a script gets to end after the connection with the root is gone.
    ///
    /// Lua code fails at its next instruction. A C function may take longer than anyone waits for.
    static let scriptsEnd: UInt64 = 2_000_000_000

    /// The time within which another rank must finish once the root of a job has finished; it begins anew with each rank.
    ///
    /// All examples are done by then, so only a rank that does not answer takes so long.
    static let othersFinish: UInt64 = 5_000_000_000

    /// The time that a worker waits for a signal of its own when it has lost the root.
    ///
    /// The root may have got the signal a moment earlier, or the launcher may end all ranks because of the root's end.
    static let lateSignal: UInt64 = 500_000_000

    /// The time that a rank stays after it has told for its host that the root is gone.
    ///
    /// The other ranks of the host must notice within it that one has spoken.
    static let hostsNotice: UInt64 = 1_000_000_000

    /// The time that ranks under MPI get to connect by sockets as well; without these connections the job runs all the same.
    static let deathWatchStart: UInt64 = 10_000_000_000

    /// The time that rank 0 gets to complain of the command line before other ranks end because of it.
    ///
    /// Some launchers end all ranks when the first one fails.
    static let rootsComplaint: UInt64 = 500_000_000
}
