import CSystem
import DLP
import FaultRelay
import Glibc
import Testing

@testable import AME

@Suite("Bodies in shared memory", .serialized)
struct SharedBodyTests {
    static let body = pattern(SharedBody.shortest)

    /// A link at each end of a connected pair of sockets.
    static func links(sharesMemory: Bool = true) throws -> (Link, Link) {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        let links = ends.map { Link(socket: Socket(adopting: $0), channel: nil, sharesMemory: sharesMemory) }
        return (links[0], links[1])
    }

    /// Returns everything that `reader` has, and why it ended, if it has.
    static func drain(_ reader: inout FrameReader) -> (messages: [Message], ending: String?) {
        let scratch = Scratch()
        var messages: [Message] = []
        while true {
            switch reader.receive(through: scratch, emit: { messages.append($0) }) {
            case .some: continue
            case .nothing: return (messages, nil)
            case .ended(let reason): return (messages, reason)
            }
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

    /// How many descriptors of shared bodies this process has open.
    private static var openDescriptors: Int {
        get throws {
            let directory = try #require(opendir("/proc/self/fd"))
            defer { closedir(directory) }
            var count = 0
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { text(Array($0)) }
                var path = [CChar](repeating: 0, count: 64)
                readlink("/proc/self/fd/\(name)", &path, path.count)
                if text(path.map { UInt8(bitPattern: $0) }).hasPrefix("/memfd:dlp-body") { count += 1 }
            }
            return count
        }
    }

    @Test("a large body goes whatever the socket holds, between small ones and in their order; nothing stays open")
    func order() throws {
        let (sender, receiver) = try Self.links()
        var writer = FrameWriter(sender)
        var reader = FrameReader(receiver)
        let lengths = [0, 10, SharedBody.shortest, 30_000_000, 1, SharedBody.shortest + 1, SharedBody.shortest - 1]
        let sent = lengths.enumerated().map { Message(.results, first: $0, body: pattern($1)) }
        var received: [Message] = []
        for message in sent {
            writer.begin(message, shared: SharedBody.of(message.body, for: SharedBody.fewest))
            // A body that is too small to be shared may have to wait until the other side makes room.
            while writer.flush() == .wouldBlock { received += Self.drain(&reader).messages }
        }
        received += Self.drain(&reader).messages
        #expect(received == sent)
        received = []
        // Tests that run at the same time may have some open for a moment.
        let deadline = dlp_now() + generous
        while try Self.openDescriptors > 0, dlp_now() < deadline { usleep(10_000) }
        #expect(try Self.openDescriptors == 0)
    }

    @Test("a body is shared from a length on, and by more than a few")
    func threshold() {
        let (length, others) = (SharedBody.shortest, SharedBody.fewest)
        #expect(SharedBody.of(Self.body, for: others) != nil && SharedBody.of(Self.body, for: 1_000) != nil)
        #expect(SharedBody.of(Self.body[1..<length], for: 1_000) == nil)
        #expect(SharedBody.of(pattern(10 * length), for: others - 1) == nil)
    }

    @Test("any number share what lies in such memory already, and without a copy")
    func withoutCopy() throws {
        var writer = ByteWriter()
        writer.share(from: SharedBody.shortest)
        writer.append(Self.body)
        let bytes = writer.take()
        #expect(SharedBody.of(bytes, for: 0) == nil)
        for others in [1, SharedBody.fewest] {
            let shared = try #require(SharedBody.of(bytes, for: others))
            #expect(shared.descriptor == bytes.memoryFile)
            let (sender, receiver) = try Self.links()
            var writer = FrameWriter(sender)
            var reader = FrameReader(receiver)
            writer.begin(Message(.collective, body: bytes), shared: shared)
            #expect(writer.flush() == .count(FrameHeader.length))
            #expect(Self.drain(&reader).messages == [Message(.collective, body: Self.body)])
        }
    }

    @Test("several get the same memory")
    func shared() throws {
        let shared = try #require(SharedBody.of(Self.body, for: SharedBody.fewest))
        for _ in 0..<3 {
            let (sender, receiver) = try Self.links()
            var writer = FrameWriter(sender)
            var reader = FrameReader(receiver)
            writer.begin(Message(.collective, body: Self.body), shared: shared)
            let transfer = writer.flush()
            #expect(transfer == .count(FrameHeader.length))
            #expect(Self.drain(&reader).messages == [Message(.collective, body: Self.body)])
        }
    }

    @Test("memory that is shared already does not go to a worker with which there is none")
    func notShared() throws {
        let shared = try #require(SharedBody.of(Self.body, for: SharedBody.fewest))
        let (sender, receiver) = try Self.links(sharesMemory: false)
        let peer = Peer(rank: 1, link: sender)
        var reader = FrameReader(receiver)
        for number in 0..<3 { peer.send(Message(.collective, first: number, body: Self.body), shared: shared) }
        var received: [Message] = []
        while received.count < 3 {
            received += Self.drain(&reader).messages
            peer.flush()
        }
        #expect(received == (0..<3).map { Message(.collective, first: $0, body: Self.body) })
    }

    @Test("what waits in a queue for a worker that shares memory arrives as what does not", arguments: [true, false])
    func queued(sharesMemory: Bool) throws {
        let (sender, receiver) = try Self.links(sharesMemory: sharesMemory)
        let peer = Peer(rank: 1, link: sender)
        var reader = FrameReader(receiver)
        let large = pattern(10 * SharedBody.shortest)
        let sent = (0..<10).map { Message(.collective, first: $0, body: $0 % 3 == 0 ? large : Self.body) }
        // The first one is larger than what a socket holds, and is sent as bytes.
        for message in sent {
            let shared = message.first % 3 == 0 ? nil : SharedBody.of(message.body, for: SharedBody.fewest)
            peer.send(message, shared: shared)
        }
        var received: [Message] = []
        while received.count < sent.count {
            received += Self.drain(&reader).messages
            peer.flush()
        }
        #expect(received == sent)
    }

    @Test("where the system passes no more descriptors the bytes go through the socket")
    func bytesAfterAll() throws {
        var frame = OutgoingFrame(
            Message(.results, body: Self.body), in: SharedBody.of(Self.body, for: SharedBody.fewest))
        let (first, second) = (frame.sendBytesAfterAll(), frame.sendBytesAfterAll())
        #expect(first && !second, "the second time there is nothing shared any more")
        let (sender, receiver) = try Self.links(sharesMemory: false)
        var reader = FrameReader(receiver)
        var received: [Message] = []
        while frame.send(through: sender.socket) == .wouldBlock { received += Self.drain(&reader).messages }
        #expect(received + Self.drain(&reader).messages == [Message(.results, body: Self.body)])
    }

    /// What a peer may pass instead of the right descriptor.
    enum Fraud: CaseIterable {
        case nothing, writable, empty, shorter, longer, pipe, device, file, twice, withoutNeed
    }

    /// Returns a descriptor of this kind, or -1.
    private static func descriptor(_ fraud: Fraud) throws -> Int32 {
        switch fraud {
        case .nothing: return -1
        case .writable: return dlp_memory_file("dlp-fraud", body.count, dlp_promise_size)
        case .empty:
            // Sealed like the real ones, but sparse: reading it would take memory that was not announced.
            let descriptor = dlp_memory_file("dlp-fraud", body.count, dlp_promise_size)
            #expect(fcntl(descriptor, 1033, 0x9) == 0, "F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL")
            return descriptor
        case .shorter: return memory(of: pattern(body.count - 1))
        case .longer: return memory(of: pattern(body.count + 1))
        case .pipe:
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            close(ends[1])
            return ends[0]
        case .device: return open("/dev/zero", O_RDONLY)
        case .file: return open("/proc/self/exe", O_RDONLY)
        case .twice, .withoutNeed: return memory(of: body)
        }
    }

    private static func memory(of bytes: Bytes) -> Int32 {
        bytes.withUnsafeBytes { dlp_memory_file_of("dlp-fraud", $0.baseAddress, $0.count) }
    }

    @Test("what is not memory of that size which nobody can change ends the connection", arguments: Fraud.allCases)
    func fraud(_ fraud: Fraud) throws {
        let (sender, receiver) = try Self.links()
        var reader = FrameReader(receiver)
        let message = Message(.results, body: fraud == .withoutNeed ? .empty : Self.body)
        let header = FrameHeader(message, flags: fraud == .withoutNeed ? 0 : FrameFlag.shared)
        let passed = try Self.descriptor(fraud)
        header.withBytes { bytes in
            guard passed >= 0 else {
                #expect(sender.socket.send(bytes, UnsafeRawBufferPointer(start: nil, count: 0)) == .count(bytes.count))
                return
            }
            let first = UnsafeRawBufferPointer(rebasing: bytes.prefix(10))
            let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(10))
            #expect(sender.socket.send(first, passing: passed) == .count(10))
            if fraud == .twice {
                #expect(sender.socket.send(rest, passing: passed) == .count(rest.count))
            } else {
                #expect(sender.socket.send(rest, UnsafeRawBufferPointer(start: nil, count: 0)) == .count(rest.count))
            }
        }
        if passed >= 0 { close(passed) }
        let (messages, ending) = Self.drain(&reader)
        #expect(messages.isEmpty || fraud == .withoutNeed)
        #expect(ending == FrameError.shared.description)
    }

    @Test("a frame that says it is shared is refused where nothing is")
    func flag() throws {
        let (sender, receiver) = try Self.links(sharesMemory: false)
        var reader = FrameReader(receiver)
        FrameHeader(Message(.results), flags: FrameFlag.shared).withBytes { bytes in
            _ = sender.socket.send(bytes, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(Self.drain(&reader).ending == FrameError.flags(FrameFlag.shared).description)
    }

    @Test("a worker that shares memory with the root is refused")
    func fromWorker() throws {
        let (sender, receiver) = try Self.links()
        let peer = Peer(rank: 1, link: receiver)
        var writer = FrameWriter(sender)
        writer.begin(
            Message(.results, body: Self.body), shared: SharedBody.of(Self.body, for: SharedBody.fewest))
        _ = writer.flush()
        guard case .ended(let reason) = peer.receive(through: Scratch(), emit: { _ in }) else {
            Issue.record("the frame was taken")
            return
        }
        #expect(reason == FrameError.flags(FrameFlag.shared).description)
    }

    @Test("memory is shared where both ends are here and nothing is encrypted", arguments: [0, 1, 2, 3], [0, 1, 2, 3])
    func terms(root: Int, worker: Int) throws {
        let greetings = [(Greeting.Role.root, root), (.worker, worker)].map { role, flags in
            Greeting(
                role: role, rank: role == .root ? 0 : 1, size: 2, isEncrypted: flags & 2 != 0, isLocal: flags & 1 != 0)
        }
        let key = JobKey()
        var ours = RootHandshake(key: key, greeting: greetings[0])
        var theirs = WorkerHandshake(key: key, greeting: greetings[1])
        let challenge = ours.receive(theirs.hello) { _ in false }
        let verdict = ours.receive(theirs.receive(challenge)) { _ in false }
        _ = theirs.receive(verdict)
        let share = root == 1 && worker == 1
        #expect(ours.sharesMemory == share && theirs.sharesMemory == share)
        #expect((theirs.outcome == .accepted) == ((root & 2) == (worker & 2)))
    }

    @Test("no more than a few are there at a time: then the bytes are sent")
    func bound() throws {
        let shared = (0..<SharedBody.most * 2).map { _ in SharedBody.of(Self.body, for: SharedBody.fewest) }
        #expect(shared.count { $0 != nil } <= SharedBody.most && shared.contains { $0 == nil })
    }

    @Test("a limit on files is one on what is shared, too: then the bytes are sent")
    func limit() async {
        await #expect(processExitsWith: .success) {
            let body = Bytes([UInt8](repeating: 1, count: SharedBody.shortest))
            var limit = rlimit(rlim_cur: rlim_t(body.count), rlim_max: rlim_t(body.count))
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let fits = SharedBody.of(body, for: SharedBody.fewest)
            limit.rlim_cur -= 1
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            exit(fits != nil && SharedBody.of(body, for: SharedBody.fewest) == nil ? 0 : 1)
        }
    }

    @Test("where no descriptor is left the connection ends, and says why")
    func noDescriptor() async {
        await #expect(processExitsWith: .success) {
            let (sender, receiver) = try SharedBodyTests.links()
            var writer = FrameWriter(sender)
            var reader = FrameReader(receiver)
            let body = Bytes([UInt8](repeating: 1, count: SharedBody.shortest))
            writer.begin(Message(.collective), shared: SharedBody.of(body, for: SharedBody.fewest))
            _ = writer.flush()
            var limit = rlimit(rlim_cur: 3, rlim_max: 3)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            exit(SharedBodyTests.drain(&reader).ending == FrameError.descriptors.description ? 0 : 1)
        }
    }
}
