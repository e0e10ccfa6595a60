import CSystem
import DLP
import Glibc
import Testing

@testable import AME

@Suite("Several addresses of rank 0", .serialized)
struct EndpointsTests {
    /// A TCP address of this host that never answers: its backlog is full and no process accepts.
    final class Swallower {
        let endpoint: AMEEnvironment.Endpoint
        private let listener: Int32
        private var fillers: [Int32] = []

        init() throws {
            let (descriptor, port) = try listenOnLoopback(.ipv4)
            listener = descriptor
            endpoint = .tcp(host: "127.0.0.1", port: port)
            // Changes the backlog: a listening socket may call listen again.
            try #require(listen(descriptor, 0) == 0)
            let addresses = try InternetAddress.resolve(host: "127.0.0.1", port: port)
            for _ in 0..<4 {
                let filler = addresses[0].makeSocket()
                _ = addresses[0].withSockaddr { connect(filler, $0, $1) }
                fillers.append(filler)
            }
            guard case .failed("no answer") = addresses[0].connect(until: .after(second / 20)) else {
                throw CommunicationError("the address does not swallow")
            }
        }

        deinit { for descriptor in fillers + [listener] { close(descriptor) } }
    }

    /// A root that listens by a rendezvous, and a function that makes the environments of its workers for any
    /// endpoints.
    static func job(
        size: Int
    ) throws -> (root: AMEEnvironment, contact: RootContact, worker: (Int, [AMEEnvironment.Endpoint]) -> AMEEnvironment)
    {
        let listening = try RootListening.open(.any, isOneHost: false)
        let contact = listening.contact
        var place: any MeetingPlace = PlayedPlace(rank: 1, size: size, contact: contact)
        let key = try Rendezvous.meet(at: &place, address: .any).key
        let root = AMEEnvironment(
            rank: 0, size: size, endpoints: contact.endpoints(), key: key,
            listeners: listening.listeners.map { $0.release() })
        return (root, contact, { AMEEnvironment(rank: $0, size: size, endpoints: $1, key: key) })
    }

    /// Lets each worker send its rank to rank 0, and returns the sum.
    static func sum(_ root: AMEEnvironment, _ workers: [AMEEnvironment]) throws -> Int64 {
        let threads = try workers.map { environment in
            try TestThread {
                Result {
                    let worker = try AMEWorker(environment: environment, connectTimeout: generous)
                    try worker.send(Message(.goodbye, first: environment.rank), to: 0)
                    worker.close(until: dlp_now() + generous)
                }
            }
        }
        let communicator = try AMERoot(environment: root, connectTimeout: generous)
        var sum: Int64 = 0
        for _ in workers { sum += try message(from: communicator, ignoringLosses: true).message.first }
        for thread in threads { try thread.join().get() }
        return sum
    }

    @Test("workers by the local socket and by TCP are in one job")
    func bothWires() throws {
        let (root, contact, worker) = try Self.job(size: 5)
        let local = [AMEEnvironment.Endpoint.local(name: contact.socketName)]
        let four = [AMEEnvironment.Endpoint.tcp(host: "127.0.0.1", port: contact.port)]
        let six = hasIPv6 ? [AMEEnvironment.Endpoint.tcp(host: "::1", port: contact.port)] : four
        #expect(try Self.sum(root, [worker(1, local), worker(2, four), worker(3, six), worker(4, local + four)]) == 10)
    }

    @Test("missing ranks are named with several listeners too")
    func missing() throws {
        let (root, _, _) = try Self.job(size: 3)
        let error = #expect(throws: CommunicationError.self) {
            try AMERoot(environment: root, connectTimeout: second / 10)
        }
        #expect(error?.description == "ranks 1-2 of 3 did not connect within 0.1 s")
    }

    @Test("an address that swallows what is sent does not cost the job")
    func swallowed() throws {
        let swallower = try Swallower()
        let (root, contact, worker) = try Self.job(size: 2)
        let good = AMEEnvironment.Endpoint.tcp(host: "127.0.0.1", port: contact.port)
        #expect(try Self.sum(root, [worker(1, [swallower.endpoint, good])]) == 1)
    }

    @Test("however many addresses swallow what is sent, the one behind them is found at once")
    func manySwallowed() throws {
        let swallowers = try (0..<16).map { _ in try Swallower() }
        let (root, contact, worker) = try Self.job(size: 2)
        let good = AMEEnvironment.Endpoint.tcp(host: "127.0.0.1", port: contact.port)
        let environment = worker(1, swallowers.map(\.endpoint) + [good])
        let thread = try TestThread {
            // One after the other, they would take as many seconds as there are addresses.
            Result { try AMEWorker(environment: environment, connectTimeout: 15 * second) }.complaint
        }
        let communicator = try AMERoot(environment: root, connectTimeout: generous)
        #expect(try thread.join() == nil)
        communicator.close(until: nil)
    }

    @Test("another program, or another job, at one of the addresses does not cost the job")
    func others() throws {
        let (listener, port) = try listenOnLoopback(.ipv4)
        defer { close(listener) }
        let program = try TestThread {
            let connection = accept(listener, nil, nil)
            _ = send(connection, "SSH-2.0-OpenSSH\r\n", 17, Int32(MSG_NOSIGNAL))
            close(connection)
        }
        let another = try TestJob(size: 2)
        let anotherRoot = try another.root { try message(from: $0).rank }
        let (root, contact, worker) = try Self.job(size: 2)
        let endpoints: [AMEEnvironment.Endpoint] = [
            .tcp(host: "127.0.0.1", port: port), another.endpoint, .local(name: contact.socketName),
        ]
        #expect(try Self.sum(root, [worker(1, endpoints)]) == 1)
        try program.join()
        // The other job is not affected.
        try another.worker(1) { try $0.send(Message(.goodbye), to: 0) }.join().get()
        #expect(try anotherRoot.join().get() == 1)
    }

    @Test("a refusal by who has the key is final, whatever other addresses there are")
    func refusal() throws {
        let swallower = try Swallower()
        let (root, contact, worker) = try Self.job(size: 2)
        let thread = try TestThread { Result { try AMERoot(environment: root, connectTimeout: generous) }.complaint }
        var misfit = worker(1, [.local(name: contact.socketName), swallower.endpoint])
        misfit.size = 3
        let error = #expect(throws: CommunicationError.self) {
            try AMEWorker(environment: misfit, connectTimeout: generous)
        }
        #expect(error?.description.hasPrefix("rank 0 was started as one of 2 ranks, rank 1 as one of 3") == true)
        _ = try AMEWorker(environment: worker(1, [.local(name: contact.socketName)]), connectTimeout: generous)
        #expect(try thread.join() == nil)
    }

    @Test("where no address leads to rank 0 the error says what each did, and the remedy")
    func nowhere() throws {
        let swallower = try Swallower()
        let refusing = try TestJob(size: 2, over: .ipv4, inheritsListener: false)
        let environment = AMEEnvironment(
            rank: 1, size: 2, endpoints: [refusing.endpoint, swallower.endpoint], key: JobKey())
        let error = #expect(throws: CommunicationError.self) {
            try AMEWorker(environment: environment, connectTimeout: second / 5)
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("rank 1 cannot reach rank 0 within 0.2 s: "))
        #expect(
            text.contains("\(refusing.endpoint): Connection refused, \(swallower.endpoint): no answer; see whether"))
        #expect(text.hasSuffix("DLP_HOST or DLP_INTERFACE"))
    }
}
