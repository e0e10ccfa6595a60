import DLP
import Glibc
import Testing

@testable import AME

@Suite("Meeting by PMI-1", .serialized)
struct PMI1Tests {
    typealias Reaction = PlayedPMI1Server.Reaction

    static let contact = RootContactTests.contact(host: HostIdentity.current)
    /// The requests of a rank other than 0, in order.
    static let steps = ["init", "get_maxes", "get_my_kvsname", "get", "barrier_in", "get", "finalize"]

    @Test(
        "a rank reads rank 0's contact, in whatever order the fields come", arguments: PlayedPMI1Server.Dialect.allCases
    )
    func worker(dialect: PlayedPMI1Server.Dialect) throws {
        let server = PlayedPMI1Server(dialect, contact: Self.contact.text)
        let environment = try server.meet(rank: 3, size: 5).get()
        #expect(environment.rank == 3 && environment.size == 5 && environment.listeners.isEmpty)
        #expect(environment.key.base64 == Self.contact.key.base64)
        #expect(environment.endpoints == Self.contact.endpoints())
        #expect(server.requests.map { $0.dropFirst(4).prefix { $0 != " " } } == Self.steps.map { $0[...] })
    }

    @Test("rank 0 leaves its contact and listens", arguments: PlayedPMI1Server.Dialect.allCases)
    func root(dialect: PlayedPMI1Server.Dialect) throws {
        let server = PlayedPMI1Server(dialect, mapping: "(vector,(0,2,4))")
        let environment = try server.meet(rank: 0, size: 8).get()
        #expect(environment.rank == 0 && environment.size == 8 && environment.listeners.count == 2)
        let put = try #require(server.requests.first { $0.hasPrefix("cmd=put ") })
        #expect(put.utf8.count < 1000)
        let contact = try #require(RootContact(text: put.split(separator: "value=")[1]))
        #expect(contact.key.base64 == environment.key.base64)
    }

    static let mappings: [(String?, Bool)] = [
        (nil, false), ("(vector,(0,1,4))", true), ("(vector,(0,1,64))", true), ("(vector,(0,2,4))", false),
        ("(vector,(0,1,4),(1,1,2))", false), ("(vector,(0,11,4))", false), ("", false), ("(vector", false),
    ]

    @Test("no TCP port is opened where the launcher knows of one host", arguments: mappings)
    func oneHost(mapping: String?, isOneHost: Bool) throws {
        let environment = try PlayedPMI1Server(mapping: mapping).meet(rank: 0).get()
        #expect((environment.listeners.count == 1) == isOneHost)
    }

    @Test("a job of one rank does not listen, but leaves the launcher in order")
    func single() throws {
        let server = PlayedPMI1Server()
        #expect(try server.meet(rank: 0, size: 1).get().listeners.isEmpty)
        #expect(server.requests.last == "cmd=finalize")
    }

    @Test("a server that hangs up is an error at every step", arguments: 0..<7)
    func hangUp(step: Int) throws {
        let result = try PlayedPMI1Server(contact: Self.contact.text).meet { number, _ in number == step ? .hangUp : nil
        }
        #expect(result.complaint?.contains("(\(Self.steps[step]): it closed the connection)") == true)
    }

    @Test("a server that says no is an error at every step, but for what it may not know", arguments: 0..<7)
    func refusal(step: Int) throws {
        let result = try PlayedPMI1Server(contact: Self.contact.text).meet { number, request in
            let answers = ["init": "response_to_init", "get_maxes": "maxes", "get_my_kvsname": "my_kvsname"]
            let more = ["get": "get_result", "barrier_in": "barrier_out", "finalize": "finalize_ack"]
            let name = Self.steps[step]
            return number == step ? .say("cmd=\(answers[name] ?? more[name] ?? "") rc=-1 msg=no_way") : nil
        }
        if step == 3 {
            #expect(try result.get().rank == 1)
        } else {
            #expect(result.complaint?.contains("(\(Self.steps[step]): it refuses with code -1 (no_way))") == true)
        }
    }

    @Test("a server that is silent is an error at the deadline, at every step", arguments: 0..<7)
    func silence(step: Int) throws {
        let result = try PlayedPMI1Server(contact: Self.contact.text).meet(size: 9, within: second) { number, _ in
            number == step ? .silence : nil
        }
        let reason =
            Self.steps[step] == "barrier_in"
            ? "not all of the 9 ranks came to the launcher's meeting point within 1 s"
            : "does not answer within 1 s"
        #expect(result.complaint?.contains(reason) == true)
    }

    static let garbage = [
        "", " ", "hello", "cmd", "cmd=", "rc=0", "cmd=something_else rc=0", "=", "cmd =maxes", "\u{0}\u{1}",
        String(repeating: "a=b ", count: 1000), "cmd=maxes" + String(repeating: " ", count: 5000),
    ]

    @Test("an answer that is none is an error at every step", arguments: 0..<7, garbage)
    func nonsense(step: Int, line: String) throws {
        let result = try PlayedPMI1Server(contact: Self.contact.text).meet { number, _ in
            number == step ? .say(line) : nil
        }
        #expect(result.complaint?.contains("(\(Self.steps[step]): ") == true)
    }

    @Test("a line without an end is not read for ever", arguments: 0..<7)
    func endlessLine(step: Int) throws {
        let result = try PlayedPMI1Server(contact: Self.contact.text).meet { number, _ in
            number == step ? .bytes([UInt8](repeating: 0x61, count: 1 << 20)) : nil
        }
        #expect(result.complaint?.contains("its answer has no end") == true)
    }

    @Test("whatever a server says, a rank comes to an end", arguments: 0..<100 as Range<UInt64>)
    func randomWalk(seed: UInt64) throws {
        let server = PlayedPMI1Server(contact: Self.contact.text)
        let result = try server.meet(within: second / 10) { number, request in
            var generator = SeededGenerator(state: seed &* 16 &+ UInt64(number))
            guard case .say(let line) = server.answer(request), Int.random(in: 0..<4, using: &generator) == 0 else {
                return nil
            }
            var bytes = Array("\(line)\n".utf8)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes += bytes.prefix(.random(in: 0...bytes.count, using: &generator)) }
            return .bytes(bytes)
        }
        if case .success(let environment) = result { #expect(environment.rank == 1, "seed \(seed)") }
    }

    @Test("what another program left is not taken for a contact", arguments: ["", "127.0.0.1:4711", "dlp9,x,y,z,0"])
    func foreignContact(text: String) throws {
        let complaint = try PlayedPMI1Server(contact: text).meet().complaint
        #expect(complaint?.contains("start the same dlp-lua on every rank") == true)
    }

    @Test("a contact that the server would cut is not left there")
    func shortValues() throws {
        let server = PlayedPMI1Server(longestValue: 100)
        let complaint = try server.meet(rank: 0).complaint
        #expect(complaint?.contains("values of 100 bytes") == true && complaint?.contains("DLP_HOST") == true)
        #expect(!server.requests.contains { $0.hasPrefix("cmd=put ") })
    }

    @Test("rank and size come over the wire where the server has a port", arguments: [Wire.ipv4, .ipv6])
    func port(wire: Wire) throws {
        guard wire != .ipv6 || hasIPv6 else { return }
        let (listener, port) = try listenOnLoopback(wire)
        defer { close(listener) }
        let played = PlayedPMI1Server(contact: Self.contact.text)
        let server = try TestThread {
            played.serve(accept(listener, nil, nil)) { _, request in
                request.hasPrefix("cmd=initack")
                    ? .say("cmd=initack rc=0\ncmd=set size=7\ncmd=set rank=\(request.suffix(1))\ncmd=set debug=0") : nil
            }
        }
        let host = wire == .ipv6 ? "::1" : "127.0.0.1"
        let environment = try Rendezvous.pmi1Port(host: host, port: port, id: "5").meet(connectTimeout: generous)
        #expect(environment.rank == 5 && environment.size == 7)
        #expect(played.requests.first == "cmd=initack pmiid=5")
        try server.join()
    }

    @Test("places that cannot be are refused", arguments: [(2, 2), (-1, 2), (0, 0), (0, -1), (0, Int.max)])
    func place(rank: Int, size: Int) throws {
        #expect(try PlayedPMI1Server().meet(rank: rank, size: size).complaint?.contains("cannot be") == true)
    }

    @Test("what the variables say is compared with what the launcher says")
    func claim() throws {
        let server = PlayedPMI1Server(contact: Self.contact.text)
        #expect(try server.meet(rank: 3, size: 7, claimed: (3, 7)).get().rank == 3)
        let complaint = try server.meet(rank: 3, size: 7, claimed: (3, 8)).complaint
        #expect(complaint?.contains("rank 3 of 8, the launcher itself rank 3 of 7") == true)
    }

    @Test("a descriptor that is no socket is an obstacle, and stays as it is")
    func notASocket() throws {
        let descriptor = open("/dev/null", O_RDONLY)
        defer { close(descriptor) }
        for number in [descriptor, 99_999, -1] {
            let rendezvous = Rendezvous.pmi1(descriptor: number, rank: 0, size: 2)
            #expect(rendezvous.obstacle?.contains("PMI_FD") == true)
            let error = #expect(throws: CommunicationError.self) { try rendezvous.meet(connectTimeout: second) }
            #expect(error?.description == rendezvous.obstacle)
        }
        #expect(fcntl(descriptor, F_GETFD) >= 0)
    }
}
