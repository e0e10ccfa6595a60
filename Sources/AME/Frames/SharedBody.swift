import CSystem
import DLP
import Glibc
import Synchronization

/// A message's body in memory that other processes of this host map, instead of being sent it byte by byte.
///
/// That spares the copies into the socket and out of it, and one copy is there for all who get it. Nobody can change it
/// any more, this process included. It is always new memory, which a socket's buffers are not, and those from
/// `dlp_realloc` need not be, so that a copy pays only where several share it. What is so large that memory counts is
/// written to such memory from the beginning, and then any number share it.
final class SharedBody {
    /// The least length that is shared.
    static let shortest = 1 << 20
    /// By how many it is shared at least.
    static let fewest = 4
    /// How many there are at a time: they wait for a worker that computes, and each has a descriptor, of which the script
    /// may need some.
    static let most = 32

    private static let live = Atomic(0)

    /// By it others find the memory.
    let descriptor: Int32
    /// How many bytes there are.
    let count: Int
    /// Whose descriptor it is; nil: it is closed with this.
    private let owner: Bytes?

    private init(_ descriptor: Int32, count: Int, of owner: Bytes? = nil) {
        self.descriptor = descriptor
        self.count = count
        self.owner = owner
        Self.live.add(1, ordering: .relaxed)
    }

    deinit {
        if owner == nil { close(descriptor) }
        Self.live.subtract(1, ordering: .relaxed)
    }

    /// `body` for so many others, a copy where it does not lie in such memory already; nil where that is not worth it, or the
    /// system refuses: then it is sent like any other.
    @inline(__always)
    static func of(_ body: Bytes, for others: Int) -> SharedBody? {
        guard others > 0, body.count >= shortest, others >= fewest || body.memoryFile != nil else { return nil }
        return make(body)
    }

    private static func make(_ body: Bytes) -> SharedBody? {
        guard live.load(ordering: .relaxed) < most else { return nil }
        if let descriptor = body.memoryFile { return SharedBody(descriptor, count: body.count, of: body) }
        let descriptor = body.withUnsafeBytes { dlp_memory_file_of("dlp-body", $0.baseAddress, $0.count) }
        return descriptor >= 0 ? SharedBody(descriptor, count: body.count) : nil
    }

    /// The bytes, to send them after all; nil where the system does not map them.
    var bytes: Bytes? { Self.map(descriptor, count: count) }

    /// The body of `count` bytes that another process shares by `descriptor`.
    ///
    /// - Throws: `FrameError.shared` where there is not exactly that, unchangeable.
    static func bytes(of descriptor: borrowing PassedDescriptor, count: Int) throws(FrameError) -> Bytes {
        guard let bytes = map(descriptor.number, count: count) else { throw .shared }
        return bytes
    }

    private static func map(_ descriptor: Int32, count: Int) -> Bytes? {
        dlp_map_memory_file(descriptor, count).map { Bytes(mappedAt: $0, count: count) }
    }
}

/// A descriptor that came from another process, closed in the end.
struct PassedDescriptor: ~Copyable {
    let number: Int32

    init(adopting number: Int32) { self.number = number }

    deinit { close(number) }
}
