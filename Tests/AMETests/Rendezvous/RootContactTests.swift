import DLP
import Testing

@testable import AME

@Suite("Rank 0's contact")
struct RootContactTests {
    static func contact(
        host: String = "boot.1", port: UInt16 = 4711, addresses: [String] = ["10.0.0.1", "fd00::1"]
    ) -> RootContact {
        RootContact(key: JobKey(), host: host, socketName: "dlp-x", port: port, addresses: addresses)
    }

    static let contacts = [
        contact(), contact(port: 0, addresses: []), contact(addresses: ["node1.cluster.example"]),
        contact(addresses: (1...8).map { "fd00:1111:2222:3333:4444:5555:6666:777\($0)" }),
    ]

    @Test("a contact survives as text of one word within its bounds", arguments: contacts)
    func roundTrip(contact: RootContact) throws {
        let text = contact.text
        #expect(text.utf8.count <= RootContact.longest)
        #expect(!text.contains { " =;\t\n".contains($0) })
        let read = try #require(RootContact(text: text))
        #expect(read.text == text && read.key.base64 == contact.key.base64 && read.addresses == contact.addresses)
        #expect(read.host == contact.host && read.socketName == contact.socketName && read.port == contact.port)
    }

    @Test("a contact of this host with all its addresses is within its bounds")
    func own() throws {
        let listening = try RootListening.open(.any, isOneHost: false)
        #expect(try #require(RootContact(text: listening.contact.text)).port != 0)
        #expect(!listening.contact.addresses.isEmpty)
    }

    @Test("addresses for which there is no room are left out")
    func tooMany() {
        let many = Self.contact(addresses: (0..<100).map { "10.0.0.\($0)" })
        #expect(many.addresses == (0..<many.addresses.count).map { "10.0.0.\($0)" })
        #expect(many.text.utf8.count <= RootContact.longest && many.text.utf8.count + 9 > RootContact.longest)
        let long = Self.contact(addresses: ["10.0.0.1", String(repeating: "a", count: 800), "10.0.0.2"])
        #expect(long.addresses == ["10.0.0.1"])
    }

    @Test("no beginning of a contact is taken for the whole where it is not one", arguments: contacts)
    func truncated(contact: RootContact) {
        let text = contact.text
        // A contact that is cut within its addresses is still valid, with fewer or other addresses; a shorter one is
        // not.
        let head = text.split(separator: ",").prefix(4).joined(separator: ",").utf8.count + 1
        for length in 0...head { #expect(RootContact(text: text.prefix(length)) == nil, "\(text.prefix(length))") }
    }

    static let key = String(JobKey().base64.dropLast(2))
    static let garbage = [
        "", ",", ",,,,", "dlp1", "dlp1,,,,", "dlp2,\(key),h,s,0", "dlp1,\(key)==,h,s,0", "dlp1,\(key.dropLast()),h,s,0",
        "dlp1,short,h,s,0", "dlp1,\(key),,s,0", "dlp1,\(key),h,,0", "dlp1,\(key),h,s,", "dlp1,\(key),h,s,-1",
        "dlp1,\(key),h,s,+1,a", "dlp1,\(key),h,s,65536,a", "dlp1,\(key),h,s,99999999999999999999,a",
        "dlp1,\(key),h,s,1", "dlp1,\(key),h,s,1,", "dlp1,\(key),h,s,1,a,,b", "dlp1,\(key),h,s,0,a",
        "dlp1,\(key),h,s,1,a b", "dlp1,\(key),h,s,1,\u{7F}", "dlp1,\(key),h,s,1,é", "dlp1,\(key),h,s,1,a\n",
        "dlp1!,", "dlp1!,a", "dlp1!,YQ==,YQ==", "dlp1,\(key),h,s,1,\(String(repeating: "a", count: 800))",
        String(repeating: ",", count: 100_000),
    ]

    @Test("what is no contact is refused", arguments: garbage)
    func hostile(text: String) { #expect(RootContact(text: text) == nil) }

    @Test(
        "no change of a byte crashes the reader, and what it reads is within bounds", arguments: 0..<50 as Range<UInt64>
    )
    func mutated(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            var bytes = Array((Self.contacts.randomElement(using: &generator) ?? Self.contact()).text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            guard let contact = RootContact(text: String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect(contact.text.utf8.count <= RootContact.longest, "seed \(seed)")
        }
    }

    @Test("what keeps rank 0 from being reached is said instead, as far as there is room", arguments: [20, 5000])
    func failure(length: Int) throws {
        let reason = String(repeating: "no room; ", count: length / 9)
        let contact = try #require(RootContact(text: RootContact(failure: reason).text))
        #expect(reason.hasPrefix(try #require(contact.failure)) && contact.failure?.isEmpty == false)
        #expect(contact.endpoints().isEmpty && contact.text.utf8.count <= RootContact.longest)
        #expect(Self.contact().failure == nil)
    }

    @Test("where rank 0 fails at its start, the others hear why by the way that would have given them its address")
    func told() throws {
        var said: String?
        let failed = #expect(throws: CommunicationError.self) {
            try Rendezvous.meet(rank: 0, size: 2, address: .interface("nosuch")) { text throws(CommunicationError) in
                said = text
                return text ?? ""
            }
        }
        let text = try #require(said)
        let error = #expect(throws: CommunicationError.self) {
            try Rendezvous.meet(rank: 1, size: 2) { _ throws(CommunicationError) in text }
        }
        let reason = try #require(failed?.description)
        #expect(reason.contains("no network interface 'nosuch'"))
        #expect(error?.description == "rank 0 cannot be reached: \(reason)")
    }

    @Test("a rank of the same host takes the local socket first")
    func sameHost() {
        #expect(
            Self.contact().endpoints(from: "boot.1", interfaces: []) == [
                .local(name: "dlp-x"), .tcp(host: "10.0.0.1", port: 4711), .tcp(host: "fd00::1", port: 4711),
            ])
    }

    @Test("a rank of another host never takes it, nor a loopback address")
    func otherHost() {
        let contact = Self.contact(addresses: ["127.0.0.1", "10.0.0.1", "::1", "localhost"])
        #expect(contact.endpoints(from: "boot.2", interfaces: []) == [.tcp(host: "10.0.0.1", port: 4711)])
    }

    @Test("a rank of another host that has no way there is told the remedy", arguments: [[], ["127.0.0.1"], ["::1"]])
    func unreachable(addresses: [String]) throws {
        let contact = Self.contact(host: "another", port: addresses.isEmpty ? 0 : 1, addresses: addresses)
        var place: any MeetingPlace = PlayedPlace(rank: 1, size: 2, contact: contact)
        let error = #expect(throws: CommunicationError.self) { try Rendezvous.meet(at: &place, address: .any) }
        #expect(error?.description.contains("DLP_HOST") == true)
        #expect(error?.description.contains("DLP_INTERFACE") == true)
    }

    @Test("a host has one identity, which a contact can hold")
    func identity() {
        #expect(HostIdentity.current == HostIdentity.current)
        #expect(RootContact(text: Self.contact(host: HostIdentity.current).text)?.host == HostIdentity.current)
    }
}

/// A place where rank 0's contact already is.
struct PlayedPlace: MeetingPlace {
    let rank: Int
    let size: Int
    var isOneHost = false
    let contact: RootContact

    func exchange(_ contact: RootContact?) -> RootContact { contact ?? self.contact }
}
