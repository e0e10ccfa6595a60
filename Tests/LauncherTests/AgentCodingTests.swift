import DLP
import Testing

@testable import Launcher

@Suite("What launcher and agents say to each other")
struct AgentCodingTests {
    private static let toAgent: [ToAgent] = [
        .prepare(
            Preparation(
                directory: [0xFF, 0x2F], command: [[0x61], []], isCompanion: true, exports: [Array("A=1".utf8)],
                hasRoot: true,
                isOneHost: false, tunnels: true)),
        .start(
            RankOrder(
                ranks: [1, 4], size: 5, localRanks: [0, 1], localSize: 2, rendezvous: [Array("K=v".utf8)],
                readingRank: -1,
                bindsToCore: true, columns: 80)),
        .signal(rank: 3, 15), .signalLeftovers(9), .input([]), .input([0, 1, 255]), .control("lost 3"),
        .credit(rank: 1, .error, 77), .tunnel(3, .open), .tunnel(0, .data([1, 2])), .tunnel(1, .credit(5)), .suspend,
        .resume, .ping, .leave,
    ]
    private static let fromAgent: [FromAgent] = [
        .hello(AgentHello(version: Version.current, identity: "x", hostName: "h", cpus: 8)), .ready(nil),
        .ready(RootPlace(socketName: "ame-1", freePort: 5, port: 0, addresses: ["10.1.2.3", "fd00::1"])),
        .refused("no"), .started(rank: 0, pid: 77), .notStarted(rank: 2, reason: "r", status: 2),
        .output(rank: 1, .output, [1, 2]), .output(rank: 1, .error, []), .ended(rank: 1, .exited(255)),
        .ended(rank: 1, .signalled(9)), .control("lead"), .inputCredit(9), .entrance(port: 8), .tunnel(7, .close),
        .tunnel(1, .data([])), .alone, .ping,
    ]

    private func messages<Message: AgentMessage>(_ bytes: some Sequence<UInt8>) throws -> [Message] {
        var parser = MessageParser()
        parser.append(bytes)
        var messages: [Message] = []
        while let message: Message = try parser.next() { messages.append(message) }
        return messages
    }

    @Test("every message arrives as it was sent, in pieces of any size", arguments: [1, 3, 1000])
    func roundTrip(piece: Int) throws {
        func check<Message: AgentMessage & Equatable>(_ all: [Message]) throws {
            let bytes = all.flatMap(\.frame)
            var parser = MessageParser()
            var received: [Message] = []
            for start in stride(from: 0, to: bytes.count, by: piece) {
                parser.append(bytes[start..<min(start + piece, bytes.count)])
                while let message: Message = try parser.next() { received.append(message) }
            }
            #expect(received == all)
        }
        try check(Self.toAgent)
        try check(Self.fromAgent)
    }

    @Test("a message that is cut short, or goes on behind its end, is refused")
    func wrongLengths() throws {
        func check(_ frames: [[UInt8]], _ read: ([UInt8]) throws -> Bool) {
            for frame in frames {
                for count in 5..<max(5, frame.count) {
                    var cut = Array(frame[..<count])
                    withUnsafeBytes(of: UInt32(count - 4).littleEndian) { cut.replaceSubrange(0..<4, with: $0) }
                    #expect(throws: MessageError.self, "\(cut)") { try read(cut) }
                }
                var longer = frame + [0]
                withUnsafeBytes(of: UInt32(longer.count - 4).littleEndian) { longer.replaceSubrange(0..<4, with: $0) }
                #expect(throws: MessageError.self, "\(longer)") { try read(longer) }
            }
        }
        check(Self.toAgent.map(\.frame)) { !(try messages($0) as [ToAgent]).isEmpty }
        check(Self.fromAgent.map(\.frame)) { !(try messages($0) as [FromAgent]).isEmpty }
    }

    @Test(
        "lengths and counts that nothing has are refused before anything is set aside for them",
        arguments: [
            [0, 0, 0, 0], [255, 255, 255, 255], [1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0, 0, 0, 99],
            // An output of 2^62 bytes, and one of a negative length.
            [25, 0, 0, 0, 6] + [UInt8](repeating: 0, count: 16) + [0, 0, 0, 0, 0, 0, 0, 0x40],
            [25, 0, 0, 0, 6] + [UInt8](repeating: 0, count: 16) + [UInt8](repeating: 255, count: 8),
            // A list that claims a billion places.
            [9, 0, 0, 0, 2, 0, 0xCA, 0x9A, 0x3B, 0, 0, 0, 0],
        ] as [[UInt8]])
    func hostile(bytes: [UInt8]) {
        #expect(throws: MessageError.self) { try messages(bytes) as [FromAgent] }
    }

    @Test("whatever bytes come, they are messages or refused")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 1...60)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes[0] &= 11
            withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { bytes = Array($0) + bytes }
            _ = try? messages(bytes) as [FromAgent]
            _ = try? messages(bytes) as [ToAgent]
        }
    }

    @Test("ranks that are none of a job, and addresses that are no words, are refused")
    func senseless() {
        let order = RankOrder(
            ranks: [4, 1], size: 5, localRanks: [0, 1], localSize: 2, rendezvous: [], readingRank: -1,
            bindsToCore: false,
            columns: 0)
        #expect(throws: MessageError.self) { try messages(ToAgent.start(order).frame) as [ToAgent] }
        let place = RootPlace(socketName: "a b", freePort: 5, port: 0, addresses: [])
        #expect(throws: MessageError.self) { try messages(FromAgent.ready(place).frame) as [FromAgent] }
    }

    @Test("the version of another version's agent can be read")
    func otherVersion() throws {
        var writer = MessageWriter()
        writer.put("99.0")
        writer.put("and what nobody knows today")
        var frame: [UInt8] = []
        withUnsafeBytes(of: UInt32(writer.bytes.count + 1).littleEndian) { frame += $0 }
        frame += [1] + writer.bytes
        let received: [FromAgent] = try messages(frame)
        guard case .hello(let hello) = received.first else {
            Issue.record("no hello: \(received)")
            return
        }
        #expect(hello.version == "99.0")
    }
}

@Suite("Connections that the launcher carries")
struct TunnelRelayTests {
    private func end(_ host: Int, _ id: Int) -> TunnelRelay.End { TunnelRelay.End(host: host, id: id) }

    @Test("each connection has a number of its own at rank 0's host, until one end closes it")
    func numbers() throws {
        var relay = TunnelRelay(root: 1, limits: [9, 9, 9])
        #expect(try relay.pass(.open, from: end(0, 0))?.end == end(1, 0))
        #expect(try relay.pass(.open, from: end(2, 0))?.end == end(1, 1))
        #expect(try relay.pass(.data([1]), from: end(2, 0))?.end == end(1, 1))
        #expect(try relay.pass(.data([1]), from: end(1, 0))?.end == end(0, 0))
        #expect(try relay.pass(.close, from: end(1, 0))?.end == end(0, 0))
        #expect(try relay.pass(.data([1]), from: end(0, 0))?.end == nil)
        #expect(try relay.pass(.close, from: end(2, 0))?.end == end(1, 1))
        #expect(try relay.pass(.credit(1), from: end(1, 1))?.end == nil)
    }

    @Test("what nobody has opened goes nowhere, and rank 0's host opens nothing")
    func strangers() throws {
        var relay = TunnelRelay(root: 0, limits: [9, 9, 9])
        #expect(try relay.pass(.data([1]), from: end(1, 7))?.end == nil)
        #expect(try relay.pass(.open, from: end(0, 7))?.end == nil)
        #expect(try relay.pass(.open, from: end(1, 7))?.end == end(0, 0))
        #expect(try relay.pass(.open, from: end(1, 7))?.end == nil)
    }

    @Test("the connections of a host that is lost are closed at the other end")
    func lost() throws {
        var relay = TunnelRelay(root: 0, limits: [9, 9, 9])
        for (host, id) in [(1, 0), (2, 0), (1, 1)] { _ = try relay.pass(.open, from: end(host, id)) }
        #expect(relay.lose(host: 1) == [end(0, 0), end(0, 2)])
        #expect(relay.lose(host: 1) == [])
        #expect(try relay.pass(.data([1]), from: end(0, 0))?.end == nil)
        #expect(try relay.pass(.data([1]), from: end(0, 1))?.end == end(2, 0))
    }

    @Test("nobody sends more than the window, nor has more connections than its limit")
    func limits() throws {
        var relay = TunnelRelay(root: 0, limits: [0, 1])
        let half = [UInt8](repeating: 0, count: AgentRules.window / 2)
        _ = try relay.pass(.open, from: end(1, 5))
        #expect(try relay.pass(.open, from: end(1, 6)) == TunnelRelay.Delivery(end: end(1, 6), word: .close))
        for _ in 0..<2 { #expect(try relay.pass(.data(half), from: end(1, 5))?.end == end(0, 0)) }
        // Each direction has a separate window.
        #expect(try relay.pass(.data(half), from: end(0, 0))?.end == end(1, 5))
        _ = try relay.pass(.credit(half.count), from: end(0, 0))
        #expect(try relay.pass(.data(half), from: end(1, 5))?.end == end(0, 0))
        #expect(throws: MessageError.self) { try relay.pass(.data([1]), from: end(1, 5)) }
        _ = try relay.pass(.close, from: end(0, 0))
        #expect(try relay.pass(.open, from: end(1, 7))?.end == end(0, 1))
    }
}

@Suite("Which ranks run on which hosts")
struct RankPlanTests {
    @Test("ranks go by host, as given, and share a machine that has two names")
    func plan() {
        let plan = RankPlan(
            entries: [(host: 0, places: 2), (host: 1, places: 1), (host: 2, places: 2), (host: 0, places: 1)],
            identities: ["x", "y", "x"], limit: nil)
        #expect(plan.size == 6 && plan.ranks == [[0, 1, 5], [2], [3, 4]])
        #expect(plan.localRanks == [[0, 1, 4], [0], [2, 3]] && plan.localSizes == [5, 1, 5])
    }

    @Test("a limit leaves the last places free")
    func limit() {
        let plan = RankPlan(
            entries: [(host: 0, places: 2), (host: 1, places: 2)], identities: ["x", "y"], limit: 3)
        #expect(plan.size == 3 && plan.ranks == [[0, 1], [2]])
        #expect(RankPlan(entries: [(host: 0, places: 2)], identities: ["x"], limit: 5).size == 2)
    }

    @Test(
        "ranks for people",
        arguments: [([3], "rank 3"), ([0, 1, 2, 5], "ranks 0 to 2, 5"), ([1, 3], "ranks 1, 3")])
    func description(ranks: [Int], text: String) { #expect(describe(ranks: ranks) == text) }
}

@Suite("How agents are started")
struct RemoteShellTests {
    private func words(_ host: String, path: SystemString? = nil, ssh: String? = nil) throws -> [String] {
        try RemoteShell(remotePath: path, command: ssh, ownDirectory: "/opt/it's").command(for: host).map(\.description)
    }

    @Test("ssh is asked for nothing but the agent, which this machine gets without it")
    func commands() throws {
        #expect(try words("localhost") == ["/opt/it's/ameexec", "--agent"])
        let words = try words("me@h")
        #expect(words.first == "ssh" && words.contains("-oBatchMode=yes"))
        #expect(words.suffix(2) == ["me@h", #"exec '/opt/it'\''s/ameexec' --agent"#])
        #expect(try self.words("h", path: "/p").last == "exec '/p/ameexec' --agent")
    }

    @Test("another command gets no options of ssh's")
    func otherCommand() throws {
        #expect(try words("h", path: "/p", ssh: "my-rsh  -q") == ["my-rsh", "-q", "h", "exec '/p/ameexec' --agent"])
        #expect(try words("h", ssh: "/usr/bin/ssh -F x").contains("-oBatchMode=yes"))
        #expect(throws: LaunchError.self) { try words("h", ssh: " ") }
    }
}
