import DLP
import FaultRelay
import TestSupport
import Testing

@testable import AME

/// Connections that work, but badly.
@Suite("Connections that are slow to give and to take", .serialized, .hangLimit)
struct HinderedConnectionTests {
    /// Sends messages of these sizes both ways at once, through relays of this kind, and expects each to arrive
    /// unchanged.
    private func exchange(
        _ sizes: [Int], workers: Int, _ conduct: Relay.Conduct, disturbing: Pest? = nil
    ) throws {
        let job = try TestJob(size: workers + 1, over: .ipv4)
        let bodies = sizes.map { pattern($0) }
        let root = try job.root { root throws in
            try disturbed(by: disturbing) {
                for (number, body) in bodies.enumerated() {
                    for rank in 1...workers { try root.send(Message(.assign, first: number, body: body), to: rank) }
                }
                var next = [Int](repeating: 0, count: workers + 1)
                while next.dropFirst().contains(where: { $0 < bodies.count }) {
                    let (message, rank) = try message(from: root, ignoringLosses: true)
                    #expect(message.first == Int64(next[rank]) && areSame(message.body, bodies[next[rank]]))
                    next[rank] += 1
                }
            }
        }
        let relays = try (0..<workers).map { _ in try job.relay(conduct) }
        let threads = try zip(1..., relays).map { rank, relay in
            try job.worker(rank, through: relay) { worker throws in
                try disturbed(by: disturbing) {
                    for (number, body) in bodies.enumerated() {
                        try worker.send(Message(.done, first: number, body: body), to: 0)
                    }
                    for (number, body) in bodies.enumerated() {
                        let (message, _) = try message(from: worker)
                        #expect(message.first == Int64(number) && areSame(message.body, body))
                    }
                }
            }
        }
        for thread in threads { try thread.join().get() }
        try root.join().get()
    }

    @Test("messages arrive in pieces of any size", arguments: [1, 2, 47, 48, 49, 97])
    func pieces(_ size: Int) throws {
        var conduct = Relay.Conduct()
        conduct.piece = size
        try exchange([0, 1, 300, 0, 2000], workers: 2, conduct)
    }

    @Test("messages that are larger than what lies between both ends hold arrive")
    func smallBuffers() throws {
        var conduct = Relay.Conduct()
        conduct.hasSmallBuffers = true
        conduct.piece = 5000
        try exchange([100, 8_000_000, 0, 100_000, 4_000_000], workers: 1, conduct)
    }

    @Test("signals at any moment change nothing", arguments: [1, 1 << 16])
    func signals(_ piece: Int) throws {
        var conduct = Relay.Conduct()
        conduct.piece = piece
        let sizes = piece == 1 ? [0, 1, 300, 2000, 0] : [0, 3_000_000, 1, 500_000, 0, 3_000_000]
        let pest = try Pest()
        repeat { try exchange(sizes, workers: 2, conduct, disturbing: pest) } while pest.count < 1000
    }
}
