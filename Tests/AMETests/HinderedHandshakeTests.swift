import AME
import CSystem
import DLP
import FaultRelay
import TestSupport
import Testing

/// Ranks that meet while signals interrupt everything that they do.
@Suite("Handshakes while signals arrive", .serialized, .hangLimit)
struct HinderedHandshakeTests {
    /// How the ranks of a job reach its root.
    enum Way: CaseIterable, Sendable {
        case local, ipv4, ipv6
        /// Byte by byte, so that each step of a handshake consists of many system calls.
        case bytes

        var wire: Wire {
            switch self {
            case .local: .local
            case .ipv4, .bytes: .ipv4
            case .ipv6: .ipv6
            }
        }
    }

    private static let workers = 4

    /// Lets all ranks of one job meet, and exchanges a message between each worker and the root.
    private func meet(_ way: Way, isEncrypted: Bool, inheritsListener: Bool, disturbing pest: Pest) throws {
        let job = try TestJob(
            size: Self.workers + 1, over: way.wire, inheritsListener: inheritsListener, isEncrypted: isEncrypted)
        var conduct = Relay.Conduct()
        conduct.piece = 1
        let relays = try (0..<Self.workers).map { _ in way == .bytes ? try job.relay(conduct) : nil }
        // Some workers come before the root does, to a closed door or to one where no root answers yet.
        let early = try (1...2).map { try worker($0, of: job, through: relays[$0 - 1], disturbing: pest) }
        let root = try TestThread {
            Result {
                try disturbed(by: pest) {
                    let root = try AMERoot(environment: job.environment(rank: 0), connectTimeout: generous)
                    defer { root.close(until: dlp_now() + generous) }
                    for rank in 1...Self.workers { try root.send(Message(.assign, first: rank), to: rank) }
                    var ranks: Set<Int> = []
                    while ranks.count < Self.workers {
                        let (message, rank) = try message(from: root, ignoringLosses: true)
                        #expect(message.first == Int64(rank) && ranks.insert(rank).inserted)
                    }
                }
            }
        }
        let late = try (3...Self.workers).map { try worker($0, of: job, through: relays[$0 - 1], disturbing: pest) }
        for thread in early + late { try thread.join().get() }
        try root.join().get()
    }

    private func worker(
        _ rank: Int, of job: TestJob, through relay: Relay?, disturbing pest: Pest
    ) throws -> TestThread<Result<Void, any Error>> {
        var environment = job.environment(rank: rank)
        if let relay { environment.endpoints = [.tcp(host: "127.0.0.1", port: relay.port)] }
        return try TestThread { [environment] in
            defer { withExtendedLifetime(relay) {} }
            return Result {
                try disturbed(by: pest) {
                    let worker = try AMEWorker(environment: environment, connectTimeout: generous)
                    defer { worker.close(until: dlp_now() + generous) }
                    try worker.send(Message(.done, first: rank), to: 0)
                    #expect(try message(from: worker).message.first == Int64(rank))
                }
            }
        }
    }

    @Test("every rank comes in, whatever the signals interrupt", arguments: Way.allCases, [false, true])
    func allComeIn(_ way: Way, _ isEncrypted: Bool) throws {
        let pest = try Pest()
        var rounds = 0
        // Where the machine is busy the signals come late, if at all.
        while rounds < 25 || pest.count < 500 {
            // A port that is not held may be taken by another process before the root listens there.
            let inheritsListener = way != .local || rounds % 2 == 0
            try meet(way, isEncrypted: isEncrypted, inheritsListener: inheritsListener, disturbing: pest)
            rounds += 1
        }
    }
}
