import DLP
import Synchronization

/// Whether this process, which has joined a job, is to leave it again: said by a signal, heard between two examples.
final class LeaveWish: Sendable {
    private let flag = Atomic(false)
    private let waker: any Waker

    /// - Parameter waker: of what waits for the root.
    init(_ waker: any Waker) { self.waker = waker }

    var isThere: Bool { flag.load(ordering: .relaxed) }

    func express() {
        flag.store(true, ordering: .relaxed)
        waker.wake()
    }
}
