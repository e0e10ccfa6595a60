import DLP
import Synchronization

/// The wish that this process, which has joined a job, leaves it again.
///
/// A signal sets it; it is read between two examples.
final class LeaveWish: Sendable {
    private let flag = Atomic(false)
    private let waker: any Waker

    /// - Parameter waker: wakes the thread that waits for the root.
    init(_ waker: any Waker) { self.waker = waker }

    var isThere: Bool { flag.load(ordering: .relaxed) }

    func express() {
        flag.store(true, ordering: .relaxed)
        waker.wake()
    }
}
