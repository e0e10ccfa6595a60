import SystemSupport

/// The communicator of a job with a single rank, which can only send to itself.
public final class LoneCommunicator: Communicator, Sendable {
    /// This rank: 0.
    public let rank = 0
    /// One.
    public let size = 1

    private struct State {
        var queue = Queue<Message>()
        var isWoken = false
    }

    private struct Bell: Waker {
        let state = Monitor(State())

        func wake() { state.update { $0.isWoken = true } }
    }

    private let bell = Bell()

    /// A communicator.
    public init() {}

    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { bell }

    /// Puts the message where `receive` finds it.
    public func send(_ message: Message, to destination: Int) { bell.state.update { $0.queue.append(message) } }

    /// Waits, asleep, for what comes next.
    public func receive(until deadline: UInt64?) -> Delivery {
        let next: Delivery? = bell.state.wait(until: deadline) { state in
            if let message = state.queue.popFirst() { return .message(message, from: 0) }
            guard state.isWoken else { return nil }
            state.isWoken = false
            return .woken
        }
        return next ?? .timedOut
    }

    /// Does nothing: there are no other ranks.
    public func close(until deadline: UInt64?) {}
}
