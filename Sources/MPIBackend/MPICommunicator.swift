import CSystem
public import DLP
import Glibc
import Synchronization

/// One rank of a job on MPI, connected with rank 0, or as rank 0 with every other.
///
/// MPI is initialized when this object is made, and used by that thread. While a worker computes, another thread looks,
/// now and then, whether the root has sent its last message, where the library allows that. There is no way to wait for
/// MPI asleep: ranks of one host wake each other, and a rank that may receive from another host looks again and again,
/// ever more rarely. MPI does not report a rank that is lost: its launcher ends the others.
public final class MPICommunicator: Communicator {
    /// This rank, from 0.
    public let rank: Int
    /// How many ranks the job has.
    public let size: Int
    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { bells }

    private let calls: MPICalls
    private let limits: BodyLimits
    private let traffic: Traffic
    private let bells: Bells
    /// How often this rank's bell had been rung when it last attended to it.
    private var heard: UInt32 = 0
    /// When to look for messages although none is known of, in nanoseconds of the monotonic clock.
    private var nextLook: UInt64 = 0
    private var isClosed = false
    /// Held by the thread that calls the library, or uses what is above.
    private let turn = Mutex(())
    /// The thread that looks for the root's last message, and what ends it.
    private var watch: (thread: ServiceThread, stopper: EventWaker)?

    /// Initializes MPI; all ranks must, at the same time.
    ///
    /// - Parameters:
    ///   - library: The library of the MPI whose launcher started the ranks.
    ///   - expectedRank: What the launcher says; nil where it does not.
    ///   - expectedSize: The same for the number of ranks.
    /// - Throws: `CommunicationError` where MPI cannot be initialized, or where it does not know of the ranks that the
    ///   launcher started: then on all of them.
    public convenience init(
        library: MPILibrary, expectedRank: Int? = nil, expectedSize: Int? = nil
    ) throws(CommunicationError) {
        try self.init(library: library, expectedRank: expectedRank, expectedSize: expectedSize, limits: BodyLimits())
    }

    /// As above, with the sizes from which on bodies are sent in another way; for tests.
    package init(
        library: MPILibrary, expectedRank: Int?, expectedSize: Int?, limits: BodyLimits
    ) throws(CommunicationError) {
        calls = library.calls
        self.limits = limits
        dlp_sleep_precisely()
        (rank, size) = try calls.start()
        let objection = Self.objection(
            to: rank, of: size, expectedRank: expectedRank, expectedSize: expectedSize, library: library.description)
        // Where one rank objects, all ranks have to leave; otherwise the others would wait for it.
        if try calls.isAnywhere(objection != nil) {
            try calls.finish()
            if let objection { throw CommunicationError(objection) }
            // Some launchers end all ranks when the first one fails; the rank that knows why should have reported it by
            // then.
            usleep(500_000)
            throw CommunicationError("MPI and its launcher do not agree on another rank's place")
        }
        var address = dlp_bells_address()
        let own = rank == 0 ? try Bells(ofRootOf: size, address: &address) : nil
        try calls.share(&address)
        if let own { bells = own } else { bells = try Bells(of: rank, size: size, root: address) }
        traffic = Traffic(calls, limits, bells)
    }

    /// What is wrong with the place that MPI gives this rank, if anything is.
    static func objection(
        to rank: Int, of size: Int, expectedRank: Int?, expectedSize: Int?, library: String
    ) -> String? {
        if let expectedSize, expectedSize != size {
            return size == 1
                ? "the launcher started \(expectedSize) processes, but \(library) is not the launcher's MPI and sees only "
                    + "this one: name its library by DLP_MPI_LIBRARY, or set DLP_BACKEND=ame"
                : "the launcher started \(expectedSize) processes, but \(library) knows of \(size): start them by this "
                    + "MPI's own launcher, or set DLP_BACKEND=ame"
        }
        if let expectedRank, expectedRank != rank {
            return "the launcher says that this is rank \(expectedRank), but \(library) that it is rank \(rank): start "
                + "it by this MPI's own launcher, or set DLP_BACKEND=ame"
        }
        return nil
    }

    /// Sends a message.
    ///
    /// The root only begins to send; a worker waits until that is done, since its data would not move while it
    /// computes.
    ///
    /// - Throws: `CommunicationError` where MPI fails.
    public func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        try turn.withLock { (_) throws(CommunicationError) in try sendInTurn(message, to: destination) }
    }

    private func sendInTurn(_ message: Message, to destination: Int) throws(CommunicationError) {
        try requireOpen()
        if destination == rank { return traffic.arrivals.append(message, from: rank) }
        guard rank == 0 || destination == 0 else {
            throw CommunicationError("rank \(rank) is connected with rank 0 only, not with rank \(destination)")
        }
        try traffic.send(message, to: destination..<destination + 1)
        if rank != 0 { _ = try work(until: nil) { () throws(CommunicationError) in traffic.isSent } }
    }

    /// Sends a message from the root to every other rank, a large one by a broadcast.
    ///
    /// - Throws: `CommunicationError` where MPI fails.
    public func sendToAll(_ message: Message) throws(CommunicationError) {
        try turn.withLock { (_) throws(CommunicationError) in try sendToAllInTurn(message) }
    }

    private func sendToAllInTurn(_ message: Message) throws(CommunicationError) {
        try requireOpen()
        guard rank == 0 else {
            throw CommunicationError("rank \(rank) is connected with rank 0 only, not with all ranks")
        }
        if size > 2, message.body.count >= limits.broadcast {
            try traffic.broadcast(message, to: 1..<size)
        } else {
            try traffic.send(message, to: 1..<size)
        }
    }

    /// Waits for the next delivery: until `deadline`, in nanoseconds of the monotonic clock, or without limit.
    ///
    /// - Throws: `CommunicationError` where MPI fails.
    public func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        try turn.withLock { (_) throws(CommunicationError) in try receiveInTurn(until: deadline) }
    }

    private func receiveInTurn(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        try requireOpen()
        traffic.backoff.endWait()
        while true {
            if let (message, source) = traffic.arrivals.popFirst() { return .message(message, from: source) }
            let rings = bells.rings
            if rings != heard {
                heard = rings
                traffic.backoff.endWait()
            }
            let now = dlp_now()
            let isQuiet = self.isQuiet
            if !isQuiet || now >= nextLook {
                nextLook = now + Backoff.shortestSleepWithBell
                if try traffic.progress() {
                    traffic.backoff.endWait()
                    continue
                }
            }
            if bells.takeWake() { return .woken }
            if let deadline, deadline <= now { return .timedOut }
            let pause = pause(at: now, until: deadline, willHear: isQuiet)
            if pause > 0 { _ = bells.wait(heard: heard, nanoseconds: pause) }
        }
    }

    /// Whether nothing is under way, and all ranks that may send something announce it.
    ///
    /// What was announced has to be looked for until it is found: the first look may only make the library take it in.
    private var isQuiet: Bool { bells.hearsAll && bells.announced == traffic.foundCount && !traffic.isBusy }

    // MARK: - While this rank computes

    /// Calls `action` once, on another thread, when the root's last message has come while this rank computes.
    ///
    /// Does nothing where only one thread may use the library.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    public func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError) {
        guard rank != 0, watch == nil, calls.takesTurns else { return }
        let stopper = try EventWaker()
        // Unsafe because this is not `Sendable`; it is sound because all of it that the thread uses is used only by a
        // holder of `turn`, except for `isClosed`, which is written when the thread has been waited for. The thread
        // keeps this object until then: `close` and `abort` end the thread.
        nonisolated(unsafe) let own = self
        let look: @Sendable () -> Void = {
            while !stopper.wait(nanoseconds: Self.lookInterval) { if own.hasStop() { return action() } }
        }
        watch = (try ServiceThread(look), stopper)
    }

    /// How long the root's last message may wait while this rank computes, in nanoseconds.
    private static let lookInterval: UInt64 = 200_000_000

    /// Whether the root has sent its last message; false while this rank's own thread attends to messages.
    private func hasStop() -> Bool {
        let found = turn.withLockIfAvailable { _ in
            guard !isClosed else { return false }
            // What fails here fails once more where it can be reported.
            while (try? traffic.progress()) == true {}
            return traffic.arrivals.has(.stop)
        }
        return found ?? false
    }

    private func stopWatching() {
        guard let (thread, stopper) = watch else { return }
        watch = nil
        stopper.wake()
        thread.join()
    }

    // MARK: - The end

    /// Ends communication with the other ranks.
    ///
    /// All ranks must call it, and it returns when the last one has: a rank cannot leave MPI alone. Until then this
    /// rank takes in what the others send.
    public func close(until deadline: UInt64?) {
        stopWatching()
        guard !isClosed else { return }
        isClosed = true
        do throws(CommunicationError) {
            try leave(until: nil)
            try calls.finish()
        } catch { end(status: 3) }
    }

    /// Ends the processes of all ranks.
    ///
    /// The root does so after a moment in which they may finish what they do; a worker does so where the root does not.
    ///
    /// This does not return.
    public func abort(status: Int32, until deadline: UInt64?) {
        stopWatching()
        guard !isClosed else { return }
        isClosed = true
        do throws(CommunicationError) {
            let latest = dlp_now() + (rank == 0 ? Self.rootPatience : Self.workerPatience)
            try leave(until: rank == 0 ? Deadline.earlier(Deadline(deadline), Deadline(latest)).moment : latest)
            // All are here: the root ends them.
            if rank != 0 { _ = try work(until: latest) { () throws(CommunicationError) in false } }
        } catch {
            // MPI has failed: all that is left is to end every process.
        }
        end(status: status)
    }

    private func end(status: Int32) -> Never {
        calls.abort(status: status)
        _exit(status)
    }

    /// How long the root lets the others end what they do before it ends them, in nanoseconds.
    private static let rootPatience: UInt64 = 200_000_000
    /// How long a worker waits for the root to end it, in nanoseconds.
    private static let workerPatience: UInt64 = 5_000_000_000

    /// Waits until all ranks are here and nothing is under way, or until `deadline`.
    private func leave(until deadline: UInt64?) throws(CommunicationError) {
        // A rank enters the barrier only when what it sent has been taken; the others go on taking in messages until
        // all are here.
        guard try work(until: deadline, { () throws(CommunicationError) in traffic.isSent }) else { return }
        var barrier = try calls.barrier()
        _ = try work(until: deadline) { () throws(CommunicationError) in
            while traffic.arrivals.popFirst() != nil {}
            return try calls.isDone(&barrier) && !traffic.isBusy
        }
    }

    /// Makes progress until `isOver`; false where `deadline` came before.
    private func work(
        until deadline: UInt64?, _ isOver: () throws(CommunicationError) -> Bool
    ) throws(CommunicationError) -> Bool {
        traffic.backoff.endWait()
        while try !isOver() {
            if try traffic.progress() {
                traffic.backoff.endWait()
                continue
            }
            let now = dlp_now()
            if let deadline, deadline <= now { return false }
            var rest = timespec(tv_sec: 0, tv_nsec: Int(pause(at: now, until: deadline, willHear: false)))
            if rest.tv_nsec > 0 { nanosleep(&rest, nil) }
        }
        return true
    }

    /// Yields where that is due.
    ///
    /// Returns for how many nanoseconds to sleep; 0: not at all.
    private func pause(at now: UInt64, until deadline: UInt64?, willHear: Bool) -> UInt64 {
        switch traffic.backoff.pause(at: now, isTransferring: traffic.isBusy, willHear: willHear) {
        case .none: return 0
        case .yield:
            sched_yield()
            return 0
        case .sleep(let nanoseconds): return min(nanoseconds, deadline.map { $0 - now } ?? .max)
        }
    }

    private func requireOpen() throws(CommunicationError) {
        guard !isClosed else { throw CommunicationError("rank \(rank) has taken leave of the other ranks") }
    }
}
