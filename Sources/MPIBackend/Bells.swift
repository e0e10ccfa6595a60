import CSystem
import DLP
import Glibc
import Synchronization

/// Wakes this rank and the others of its host: MPI itself cannot be waited for asleep.
///
/// A rank that has sent something rings the receiver's bell, so that the receiver may sleep until then. A bell is not
/// heard on another host: a rank that may receive from there has to look by itself. Every rank has to look now and
/// then, since a library need not let a message go when it is sent.
///
/// Unchecked because of the pointer: what it points to is changed by atomic operations only, and stays as long as this.
final class Bells: Waker, @unchecked Sendable {
    private let bells: OpaquePointer
    private let rank: UInt32
    private let size: UInt32
    /// Whether these bells are the root's own, or were found where the root has them.
    private let areShared: Bool
    /// The descriptor by which the other ranks find what the root has made.
    private let descriptor: Int32
    private let isWoken = Atomic(false)

    /// Makes the bells of a job on its root, of which `address` tells the others.
    ///
    /// - Throws: `CommunicationError` where the system has no memory.
    init(ofRootOf size: Int, address: inout dlp_bells_address) throws(CommunicationError) {
        bells = try Self.made(dlp_bells_make_shared(UInt32(size), &address))
        (rank, self.size, descriptor, areShared) = (0, UInt32(size), address.descriptor, true)
    }

    /// Finds the bells that the root has made, or makes some by which other threads can wake this rank.
    ///
    /// - Throws: `CommunicationError` where the system has no memory.
    init(of rank: Int, size: Int, root: dlp_bells_address) throws(CommunicationError) {
        var address = root
        (self.rank, self.size) = (UInt32(rank), UInt32(size))
        let found = dlp_bells_find(&address)
        (descriptor, areShared) = (-1, found != nil)
        bells = try Self.made(found ?? dlp_bells_make(UInt32(size)))
    }

    private static func made(_ bells: OpaquePointer?) throws(CommunicationError) -> OpaquePointer {
        guard let bells else {
            throw CommunicationError("cannot get memory to wake ranks by: \(systemMessage(-errno))")
        }
        return bells
    }

    deinit {
        dlp_bells_close(bells, size)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether all ranks that send messages to this one are heard here.
    var hearsAll: Bool { areShared && (rank != 0 || dlp_bells_finders(bells) == size - 1) }

    /// How often this rank's bell has been rung; it wraps.
    var rings: UInt32 { dlp_bell_rings(bells, rank) }

    /// How many messages to this rank have been announced; it wraps.
    var announced: UInt32 { dlp_bell_announced(bells, rank) }

    /// Lets `other` know that a message was sent to it.
    func announce(to other: Int) { dlp_bell_announce(bells, UInt32(other)) }

    /// Lets `other` know that a message to it, which was announced before, has been sent only now.
    func ring(_ other: Int) { dlp_bell_ring(bells, UInt32(other)) }

    func wake() {
        isWoken.store(true, ordering: .sequentiallyConsistent)
        dlp_bell_ring(bells, rank)
    }

    /// Whether another thread has woken this rank; clears that.
    func takeWake() -> Bool {
        isWoken.load(ordering: .relaxed) && isWoken.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Sleeps until this rank's bell has been rung more than `heard` times, at most `nanoseconds`.
    ///
    /// Returns false where it has not; that may be before the time is up.
    func wait(heard: UInt32, nanoseconds: UInt64) -> Bool { dlp_bell_wait(bells, rank, heard, nanoseconds) != 0 }
}
