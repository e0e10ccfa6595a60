import CSystem
import DLP
import Glibc
import Synchronization

/// A message's body in memory that other processes of this host map, so that it is not sent byte by byte.
///
/// This saves the copies into the socket and out of it, and all receivers share one copy. No process can change it any
/// more, this one included. The memory is always new, which a socket's buffers are not, and memory from `dlp_realloc`
/// need not be; so making a copy pays only where several processes share it. Bodies so large that memory counts are
/// written to such memory from the beginning, and then any number of processes share them.
final class SharedBody {
    /// The least length that is shared.
    static let shortest = 1 << 20
    /// The least number of processes for which a copy is made.
    static let fewest = 4
    /// The most that exist at a time: they wait for workers that compute, and each holds a descriptor, of which the
    /// script may need some.
    static let most = 32

    private static let live = Atomic(0)

    /// The descriptor by which other processes map the memory.
    let descriptor: Int32
    /// How many bytes there are.
    let count: Int
    /// The bytes that own the descriptor; nil: it is closed with this object.
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

    /// Returns `body` in shared memory for `others` processes: a copy where it does not lie in such memory already.
    ///
    /// Nil where that does not pay, or the system refuses: then the body is sent like any other.
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
    /// - Throws: `FrameError.shared` where the memory does not have exactly that length, or can still be changed.
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
