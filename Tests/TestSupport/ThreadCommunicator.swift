public import Engine
import SystemSupport

/// A communicator between threads of one process, for tests of everything that uses `Communicator`.
public final class ThreadCommunicator: Communicator, Sendable {
    /// This rank, from 0.
    public let rank: Int
    /// How many ranks the job has.
    public let size: Int
    /// The mailboxes of these ranks, followed by those of ranks that may join late.
    private let mailboxes: [Mailbox]

    /// The place where one rank's deliveries wait.
    private struct Mailbox: Waker {
        struct State {
            var queue: [Delivery] = []
            var head = 0
            var isWoken = false
            var isClosed = false
        }
        let state = Monitor(State())

        func wake() { state.update { $0.isWoken = true } }

        func put(_ delivery: Delivery) {
            state.update { if !$0.isClosed { $0.queue.append(delivery) } }
        }
    }

    private init(rank: Int, size: Int, mailboxes: [Mailbox]) {
        self.rank = rank
        self.size = size
        self.mailboxes = mailboxes
    }

    /// Returns connected communicators for ranks `0 ..< size`, each to be used by one thread, and for `late` more,
    /// which the root does not know before they `join`.
    public static func group(of size: Int, late: Int = 0) -> [ThreadCommunicator] {
        let mailboxes = (0..<size + late).map { _ in Mailbox() }
        return mailboxes.indices.map { ThreadCommunicator(rank: $0, size: size, mailboxes: mailboxes) }
    }

    /// Tells the root about this rank, which joins late.
    public func join() { mailboxes[0].put(.joined(rank: rank)) }

    /// Connects this rank again after it has closed its end; what the root had sent to it is lost.
    public func comeBack() {
        mailboxes[rank].state.update { $0 = Mailbox.State() }
        mailboxes[0].put(.returned(rank: rank))
    }

    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { mailboxes[rank] }

    /// Puts the message into the other thread's mailbox; throws where the root is gone.
    public func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        let isClosed = mailboxes[destination].state.withLock { $0.isClosed }
        if isClosed, destination == 0 { throw CommunicationError("the root has gone") }
        mailboxes[destination].put(.message(message, from: rank))
    }

    /// Waits, asleep, for the next delivery.
    public func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        let next: Delivery? = mailboxes[rank].state.wait(until: deadline) { state in
            if state.head < state.queue.count {
                let delivery = state.queue[state.head]
                state.head += 1
                if state.head == state.queue.count {
                    state.queue.removeAll(keepingCapacity: true)
                    state.head = 0
                }
                return delivery
            }
            guard state.isWoken else { return nil }
            state.isWoken = false
            return .woken
        }
        return next ?? .timedOut
    }

    /// Closes this rank's end: the root, or on the root every worker, sees it as lost.
    public func close(until deadline: UInt64?) {
        mailboxes[rank].state.update { $0.isClosed = true }
        for (other, mailbox) in mailboxes.enumerated() where other != rank && (rank == 0 || other == 0) {
            mailbox.put(.lost(rank: rank, reason: "it closed its end"))
        }
    }
}
