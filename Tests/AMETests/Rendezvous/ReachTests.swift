import DLP
import Glibc
import Testing

@testable import AME

@Suite("Addresses of hosts")
struct ReachTests {
    static func interface(_ name: String, _ address: String, _ prefixLength: Int) throws -> NetworkInterface {
        let address = try #require(IPAddress(address))
        return NetworkInterface(
            name: name, address: address, prefixLength: prefixLength, isLoopback: name == "lo" || address.isLoopback)
    }

    @Test(
        "an address is written as it is read",
        arguments: ["10.0.0.1", "255.255.255.255", "0.0.0.0", "::", "::1", "fd00::1", "fe80::1:2:3:4", "2001:db8::ff"])
    func texts(text: String) throws { #expect(try #require(IPAddress(text)).description == text) }

    @Test(
        "what is no address is none",
        arguments: ["", "node1", "10.0.0", "10.0.0.256", "1.2.3.4.5", "fd00::1::2", "[::1]"])
    func names(text: String) { #expect(IPAddress(text) == nil) }

    @Test("addresses that lead nowhere else are known")
    func kinds() throws {
        for (text, real) in [("::ffff:10.0.0.7", "10.0.0.7"), ("10.0.0.7", "10.0.0.7"), ("fd77::1", "fd77::1")] {
            #expect(try #require(IPAddress(text)).withoutMapping.description == real)
        }
        for text in ["127.0.0.1", "127.9.9.9", "::1"] { #expect(try #require(IPAddress(text)).isLoopback) }
        for text in ["126.0.0.1", "::2", "fe80::1"] { #expect(try !#require(IPAddress(text)).isLoopback) }
        for text in ["169.254.1.1", "fe80::1", "febf::1"] { #expect(try #require(IPAddress(text)).isLinkLocal) }
        for text in ["169.253.1.1", "fec0::1", "10.0.0.1"] { #expect(try !#require(IPAddress(text)).isLinkLocal) }
    }

    @Test("two addresses share a prefix exactly as far as their bits are the same")
    func prefixes() throws {
        for (left, right) in [("10.1.130.0", "10.1.128.255"), ("fd00::8000", "fd00::ffff"), ("10.0.0.1", "10.0.0.1")] {
            let (a, b) = (try #require(IPAddress(left)), try #require(IPAddress(right)))
            let bits = { (address: IPAddress) in
                address.bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
            }
            let common = zip(bits(a), bits(b)).prefix { $0 == $1 }.count
            for length in 0...(a.bytes.count * 8) {
                #expect(a.sharesPrefix(ofLength: length, with: b) == (length <= common), "\(left) \(right) \(length)")
            }
        }
        let (four, six) = (try #require(IPAddress("0.0.0.0")), try #require(IPAddress("::")))
        #expect(!four.sharesPrefix(ofLength: 0, with: six))
    }

    @Test("what is published leaves out what leads nowhere, and puts bridges last")
    func published() throws {
        let interfaces = [
            try Self.interface("lo", "127.0.0.1", 8), try Self.interface("docker0", "172.17.0.1", 16),
            try Self.interface("eth0", "10.0.0.1", 24), try Self.interface("eth0", "fe80::1", 64),
            try Self.interface("br-1a2b", "172.18.0.1", 16), try Self.interface("ib0", "192.168.5.1", 24),
            try Self.interface("eth0", "fd00::1", 64), try Self.interface("eth1", "169.254.3.4", 16),
            try Self.interface("lo", "::1", 128), try Self.interface("eth2", "10.0.0.1", 24),
            try Self.interface("br0", "10.9.0.1", 24),
        ]
        #expect(
            Reach.published(interfaces).map(\.description) == [
                "10.0.0.1", "192.168.5.1", "fd00::1", "10.9.0.1", "172.17.0.1", "172.18.0.1",
            ])
        #expect(Reach.published([]).isEmpty)
    }

    @Test("a rank tries first what lies in a network of its own, and last what each host has for itself")
    func order() throws {
        let own = [
            try Self.interface("lo", "127.0.0.1", 8), try Self.interface("docker0", "172.17.0.1", 16),
            try Self.interface("eth0", "10.0.0.2", 24), try Self.interface("ib0", "fd00::2", 64),
        ]
        let addresses = [
            "172.17.0.1", "192.168.1.1", "fd00::1", "node1", "127.0.0.1", "10.0.0.1", "10.0.0.2", "::1", "10.0.1.1",
        ]
        #expect(
            Reach.order(addresses, seenFrom: own) == [
                "fd00::1", "10.0.0.1", "192.168.1.1", "node1", "10.0.1.1", "172.17.0.1", "10.0.0.2",
            ])
        #expect(Reach.order(["10.0.0.1", "fd00::1"], seenFrom: []) == ["10.0.0.1", "fd00::1"])
    }

    @Test("this host has a loopback interface")
    func own() {
        let loopback = NetworkInterface.all().first { $0.name == "lo" && $0.address.isIPv4 }
        #expect(loopback?.address.description == "127.0.0.1")
        #expect(loopback?.prefixLength == 8 && loopback?.isLoopback == true)
    }

    @Test("DLP_HOST goes before DLP_INTERFACE, and neither need be set")
    func variables() {
        let read = { (variables: [String: String]) in RootAddress { variables[$0] } }
        #expect(read([:]) == .any)
        #expect(read(["DLP_HOST": "", "DLP_INTERFACE": ""]) == .any)
        #expect(read(["DLP_HOST": "[fd00::1]", "DLP_INTERFACE": "eth0"]) == .host("fd00::1"))
        #expect(read(["DLP_INTERFACE": "eth0"]) == .interface("eth0"))
    }

    @Test("with ranks on one host only, rank 0 opens no TCP port")
    func oneHost() throws {
        let listening = try RootListening.open(.any, isOneHost: true)
        #expect(listening.listeners.count == 1 && listening.listeners[0].port == 0)
        #expect(listening.contact.port == 0 && listening.contact.addresses.isEmpty)
    }

    @Test("with a name or an interface rank 0 listens there and nowhere else", arguments: [true, false])
    func chosen(isOneHost: Bool) throws {
        for choice in [RootAddress.host("127.0.0.1"), .interface("lo")] {
            let listening = try RootListening.open(choice, isOneHost: isOneHost)
            #expect(listening.contact.addresses.first == "127.0.0.1")
            #expect(listening.listeners.dropFirst().allSatisfy { $0.port == listening.contact.port })
            // At that port, nothing listens on another address of this host.
            let other = try InternetAddress.resolve(host: "127.0.0.2", port: listening.contact.port)
            guard case .failed = other[0].connect(until: .after(generous)) else {
                Issue.record("rank 0 listens where it should not")
                return
            }
        }
    }

    @Test(
        "the error names what cannot be rank 0's address",
        arguments: [RootAddress.interface("none0"), .host("a,b"), .host("no.invalid")])
    func nonsense(choice: RootAddress) {
        let error = #expect(throws: CommunicationError.self) { try RootListening.open(choice, isOneHost: false) }
        let name =
            switch choice {
            case .host(let name), .interface(let name): name
            case .any: ""
            }
        #expect(error?.description.contains(name) == true)
    }
}
