import AME
import CSystem
import DLP
import FaultRelay
import Glibc
import Synchronization
import Testing

/// A second in the transport's unit of time.
///
/// Deadlines in tests are generous: they only limit how long a failing test takes.
let second: UInt64 = 1_000_000_000
let generous = 60 * second

/// A thread whose result can be awaited.
struct TestThread<Result: Sendable>: Sendable {
    private final class Box: Sendable {
        let result = Mutex<Result?>(nil)
    }

    private let handle: pthread_t
    private let box: Box

    init(_ body: @escaping @Sendable () -> Result) throws {
        let box = Box()
        self.box = box
        handle = try startThread {
            let result = body()
            box.result.withLock { $0 = result }
        }
    }

    /// Waits for the thread, once, and returns what its body returned.
    func join() throws -> Result {
        pthread_join(handle, nil)
        return try #require(box.result.withLock { $0 })
    }
}

/// Carries a thread's body across `pthread_create`, which passes one pointer.
private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func startThread(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
    var handle = pthread_t()
    let code = pthread_create(
        &handle, nil,
        { argument in
            if let argument { Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(ThreadStart(body)).toOpaque())
    try #require(code == 0)
    return handle
}

/// A flag that one thread sets and others read.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}

/// The kinds of sockets between ranks.
enum Wire: CaseIterable, Sendable {
    case local
    case ipv4
    case ipv6
}

/// A job on threads of this process: a unique endpoint, a key, and a listener that rank 0 inherits.
struct TestJob: Sendable {
    let size: Int
    let endpoint: AMEEnvironment.Endpoint
    let key = JobKey()
    var isEncrypted: Bool
    private let listener: Int32?

    private static let counter = Atomic(0)

    /// - Parameter inheritsListener: whether rank 0 inherits an open listener, as from our launcher.
    init(size: Int, over wire: Wire = .local, inheritsListener: Bool = true, isEncrypted: Bool = false) throws {
        self.size = size
        self.isEncrypted = isEncrypted
        if wire == .local {
            let name = "dlp-test-\(getpid())-\(Self.counter.add(1, ordering: .relaxed).newValue)"
            endpoint = .local(name: name)
            let listen = { Array(name.utf8).withUnsafeBytes { dlp_local_listen($0.baseAddress, $0.count, 4096) } }
            listener = inheritsListener ? listen() : nil
        } else {
            let (descriptor, port) = try listenOnLoopback(wire, willClose: !inheritsListener)
            endpoint = .tcp(host: wire == .ipv4 ? "127.0.0.1" : "::1", port: port)
            if !inheritsListener { close(descriptor) }
            listener = inheritsListener ? descriptor : nil
        }
    }

    func environment(rank: Int, size: Int? = nil, key: JobKey? = nil) -> AMEEnvironment {
        var environment = AMEEnvironment(
            rank: rank, size: size ?? self.size, endpoints: [endpoint], key: key ?? self.key,
            listeners: rank == 0 ? listener.map { [$0] } ?? [] : [])
        environment.encryption = isEncrypted ? .everywhere : .betweenHosts
        return environment
    }

    /// Starts rank 0 on a thread.
    func root<Result: Sendable>(
        within timeout: UInt64 = generous, _ body: @escaping @Sendable (AMERoot) throws -> Result
    ) throws -> TestThread<Swift.Result<Result, any Error>> {
        let environment = environment(rank: 0)
        return try TestThread {
            Swift.Result {
                let root = try AMERoot(environment: environment, connectTimeout: timeout)
                defer { root.close(until: dlp_now() + generous) }
                return try body(root)
            }
        }
    }

    /// A relay to rank 0's listener, which must be on TCP.
    func relay(_ conduct: Relay.Conduct) throws -> Relay {
        guard case .tcp(_, let port) = endpoint else { throw CommunicationError("a relay leads to a port") }
        return try Relay(conduct) { .loopback(port: port) }
    }

    /// Starts a worker on a thread, connected directly or through a relay.
    func worker<Result: Sendable>(
        _ rank: Int, size: Int? = nil, key: JobKey? = nil, through relay: Relay? = nil,
        within timeout: UInt64 = generous,
        _ body: @escaping @Sendable (AMEWorker) throws -> Result
    ) throws -> TestThread<Swift.Result<Result, any Error>> {
        var environment = environment(rank: rank, size: size, key: key)
        if let relay { environment.endpoints = [.tcp(host: "127.0.0.1", port: relay.port)] }
        return try TestThread { [environment] in
            defer { withExtendedLifetime(relay) {} }
            return Swift.Result {
                let worker = try AMEWorker(environment: environment, connectTimeout: timeout)
                defer { worker.close(until: dlp_now() + generous) }
                return try body(worker)
            }
        }
    }

    /// Opens a bare connection to rank 0's listener, as a stranger or as a worker that the test plays by hand.
    func connect() throws -> RawConnection { try #require(RawConnection(to: endpoint)) }
}

extension Result {
    /// The error's sentence.
    var complaint: String? {
        if case .failure(let error) = self { return "\(error)" }
        return nil
    }
}

/// Returns the next delivery, which must be a message; losses of ranks that are done can be ignored.
func message(
    from communicator: some Communicator, ignoringLosses: Bool = false
) throws -> (message: Message, rank: Int) {
    while true {
        let delivery = try communicator.receive(until: dlp_now() + generous)
        switch delivery {
        case .message(let message, let rank): return (message, rank)
        case .lost where ignoringLosses: continue
        default: throw CommunicationError("expected a message, got \(delivery)")
        }
    }
}

/// Returns the next delivery, which must be the loss of a rank.
func loss(from communicator: some Communicator) throws -> (rank: Int, reason: String) {
    let delivery = try communicator.receive(until: dlp_now() + generous)
    guard case .lost(let rank, let reason) = delivery else {
        throw CommunicationError("expected a loss, got \(delivery)")
    }
    return (rank, reason)
}

/// Returns bytes each of which depends on its place.
func pattern(_ count: Int) -> Bytes {
    var writer = ByteWriter(capacity: count + 8)
    for word in 0..<(count / 8 + 1) { writer.append(littleEndian: UInt64(word) &* 0x9E37_79B9_7F4A_7C15) }
    return writer.finish()[0..<count]
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Whether both hold the same bytes; fast enough for large amounts.
func areSame(_ left: Bytes, _ right: Bytes) -> Bool {
    left.withUnsafeBytes { a in
        right.withUnsafeBytes { b in
            guard let x = a.baseAddress, let y = b.baseAddress else { return a.count == b.count }
            return a.count == b.count && memcmp(x, y, a.count) == 0
        }
    }
}

/// Nanoseconds of processor time that this thread has used.
func threadTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * second + UInt64(time.tv_nsec)
}
