import DLP
import Testing

@testable import AME

@Suite("Rank 0's card")
struct CardTests {
    static func card(
        host: String = "boot.1", port: UInt16 = 4711, addresses: [String] = ["10.0.0.1", "fd00::1"]
    ) -> Card {
        Card(key: JobKey(), host: host, socketName: "dlp-x", port: port, addresses: addresses)
    }

    static let cards = [
        card(), card(port: 0, addresses: []), card(addresses: ["node1.cluster.example"]),
        card(addresses: (1...8).map { "fd00:1111:2222:3333:4444:5555:6666:777\($0)" }),
    ]

    @Test("a card survives as text of one word within its bounds", arguments: cards)
    func roundTrip(card: Card) throws {
        let text = card.text
        #expect(text.utf8.count <= Card.longest)
        #expect(!text.contains { " =;\t\n".contains($0) })
        let read = try #require(Card(text: text))
        #expect(read.text == text && read.key.base64 == card.key.base64 && read.addresses == card.addresses)
        #expect(read.host == card.host && read.socketName == card.socketName && read.port == card.port)
    }

    @Test("a card of this host with all its addresses is within its bounds")
    func own() throws {
        let listening = try RootListening.open(.any, isOneHost: false)
        #expect(try #require(Card(text: listening.card.text)).port != 0)
        #expect(!listening.card.addresses.isEmpty)
    }

    @Test("addresses for which there is no room are left out")
    func tooMany() {
        let many = Self.card(addresses: (0..<100).map { "10.0.0.\($0)" })
        #expect(many.addresses == (0..<many.addresses.count).map { "10.0.0.\($0)" })
        #expect(many.text.utf8.count <= Card.longest && many.text.utf8.count + 9 > Card.longest)
        let long = Self.card(addresses: ["10.0.0.1", String(repeating: "a", count: 800), "10.0.0.2"])
        #expect(long.addresses == ["10.0.0.1"])
    }

    @Test("no beginning of a card is taken for the whole where it is not one", arguments: cards)
    func truncated(card: Card) {
        let text = card.text
        // A card that is cut within its addresses is still one, of fewer or other addresses; before that it is none.
        let head = text.split(separator: ",").prefix(4).joined(separator: ",").utf8.count + 1
        for length in 0...head { #expect(Card(text: text.prefix(length)) == nil, "\(text.prefix(length))") }
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

    @Test("what is no card is refused", arguments: garbage)
    func hostile(text: String) { #expect(Card(text: text) == nil) }

    @Test(
        "no change of a byte crashes the reader, and what it reads is within bounds", arguments: 0..<50 as Range<UInt64>
    )
    func mutated(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            var bytes = Array((Self.cards.randomElement(using: &generator) ?? Self.card()).text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            guard let card = Card(text: String(decoding: bytes, as: UTF8.self)) else { continue }
            #expect(card.text.utf8.count <= Card.longest, "seed \(seed)")
        }
    }

    @Test("what keeps rank 0 from being reached is said instead, as far as there is room", arguments: [20, 5000])
    func failure(length: Int) throws {
        let reason = String(repeating: "no room; ", count: length / 9)
        let card = try #require(Card(text: Card(failure: reason).text))
        #expect(reason.hasPrefix(try #require(card.failure)) && card.failure?.isEmpty == false)
        #expect(card.endpoints().isEmpty && card.text.utf8.count <= Card.longest)
        #expect(Self.card().failure == nil)
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
            Self.card().endpoints(from: "boot.1", interfaces: []) == [
                .local(name: "dlp-x"), .tcp(host: "10.0.0.1", port: 4711), .tcp(host: "fd00::1", port: 4711),
            ])
    }

    @Test("a rank of another host never takes it, nor a loopback address")
    func otherHost() {
        let card = Self.card(addresses: ["127.0.0.1", "10.0.0.1", "::1", "localhost"])
        #expect(card.endpoints(from: "boot.2", interfaces: []) == [.tcp(host: "10.0.0.1", port: 4711)])
    }

    @Test("a rank of another host that has no way there is told the remedy", arguments: [[], ["127.0.0.1"], ["::1"]])
    func unreachable(addresses: [String]) throws {
        let card = Self.card(host: "another", port: addresses.isEmpty ? 0 : 1, addresses: addresses)
        var place: any MeetingPlace = PlayedPlace(rank: 1, size: 2, card: card)
        let error = #expect(throws: CommunicationError.self) { try Rendezvous.meet(at: &place, address: .any) }
        #expect(error?.description.contains("DLP_HOST") == true)
        #expect(error?.description.contains("DLP_INTERFACE") == true)
    }

    @Test("a host has one identity, which a card can hold")
    func identity() {
        #expect(HostIdentity.current == HostIdentity.current)
        #expect(Card(text: Self.card(host: HostIdentity.current).text)?.host == HostIdentity.current)
    }
}

/// A place where rank 0's card lies already.
struct PlayedPlace: MeetingPlace {
    let rank: Int
    let size: Int
    var isOneHost = false
    let card: Card

    func exchange(_ card: Card?) -> Card { card ?? self.card }
}
