import CSystem
import Glibc

/// The root's service thread, which alone talks to the other ranks: it sleeps until something comes, and gives that to the
/// engine.
final class RootThread {
    private let communicator: any Communicator
    private let shared: RootShared
    private let observer: any JobObserver
    private let engine: RootEngine

    /// How long to wait after the communicator has failed, in microseconds.
    private static let pause: UInt32 = 10_000
    /// How long the others may take to hear of the end, in nanoseconds.
    private static let grace: UInt64 = 2_000_000_000
    /// The same where one of them does not answer.
    private static let shortGrace: UInt64 = 200_000_000

    init(_ communicator: any Communicator, _ shared: RootShared, _ observer: any JobObserver) {
        self.communicator = communicator
        self.shared = shared
        self.observer = observer
        engine = RootEngine(communicator, shared, observer, now: dlp_now())
    }

    /// Serves until the main thread wants it to stop.
    func run() {
        while true {
            var delivery = Delivery.timedOut
            do { delivery = try communicator.receive(until: engine.deadline) } catch {
                engine.fail(error)
                // A communicator that cannot wait any more returns at once, until the main thread has ended: the pause
                // keeps this loop from spinning.
                usleep(Self.pause)
            }
            engine.now = dlp_now()
            for command in shared.takeCommands() {
                if case .stop(let status) = command { return stop(status) }
                engine.handle(command)
            }
            switch delivery {
            case .message(let message, let source): engine.receive(message, from: source)
            case .lost(let rank, let reason): engine.lost(rank, reason)
            case .joined(let rank): engine.joined(rank)
            case .returned(let rank): engine.returned(rank)
            case .woken, .timedOut: break
            }
            if engine.advance(), let end = engine.end { observer.jobIsStuck(end) { stop(end.status) } }
        }
    }

    private func stop(_ status: Int32) {
        let (isEarly, isAbandoning) = engine.stop(status: status)
        let deadline = dlp_now() + (isAbandoning ? Self.shortGrace : Self.grace)
        if isEarly {
            communicator.abort(status: status, until: deadline)
        } else {
            communicator.close(until: deadline)
        }
    }
}
