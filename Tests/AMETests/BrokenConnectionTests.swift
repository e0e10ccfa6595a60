import CSystem
import DLP
import FaultRelay
import Glibc
import TestSupport
import Testing

@testable import AME

/// Connections that break at every byte, in both directions, by a close and by a reset.
@Suite("Connections that break", .serialized, .hangLimit)
struct BrokenConnectionTests {
    /// The number of bytes of a handshake that lets a worker in, from the worker and from the root.
    private static let proof = Greeting.length + HandshakeCodes.length
    private static let answer = Greeting.length
    private static let verdict = answer + Verdict.length + HandshakeCodes.length

    /// What the two sides send after the handshake: the worker, the root, and so on.
    private static let words = [0, 5, 40, 0].map { Message(.done, body: pattern($0)) }
    private static let answers = [30, 0, 7, 1].map { Message(.assign, body: pattern($0)) }

    /// What one side has received, and how it ended.
    fileprivate struct Hearing: Sendable {
        var messages: [Message] = []
        var ending: String?
    }

    /// A root and a worker whose connection breaks, on threads.
    private struct Pair {
        let root: TestThread<Result<Hearing, any Error>>
        let worker: TestThread<Result<Hearing, any Error>>
        let relay: Relay

        init(_ cut: Relay.Cut, within timeout: UInt64 = generous) throws {
            let job = try TestJob(size: 2, over: .ipv4)
            var conduct = Relay.Conduct()
            conduct.cut = cut
            relay = try job.relay(conduct)
            let (words, answers) = (BrokenConnectionTests.words, BrokenConnectionTests.answers)
            root = try job.root { root throws in
                var hearing = Hearing()
                for answer in answers + [nil] {
                    guard try hearing.listen(to: root), let answer else { break }
                    try root.send(answer, to: 1)
                }
                return hearing
            }
            worker = try job.worker(1, through: relay, within: timeout) { worker throws in
                var hearing = Hearing()
                for word in words {
                    do { try worker.send(word, to: 0) } catch {
                        hearing.ending = "\(error)"
                        break
                    }
                    guard try hearing.listen(to: worker) else { break }
                }
                return hearing
            }
        }
    }

    /// Runs `body` for each of `counts`, several at a time, and checks that no descriptor is left open.
    private func sweep(
        _ counts: Range<Int>, _ direction: Relay.Direction, _ end: Relay.End, within timeout: UInt64 = generous,
        _ body: (Int, Result<Hearing, any Error>, Result<Hearing, any Error>) throws -> Void
    ) throws {
        let before = openDescriptors()
        for first in stride(from: counts.lowerBound, to: counts.upperBound, by: 16) {
            let batch = first..<min(first + 16, counts.upperBound)
            let pairs = try batch.map { try Pair(Relay.Cut(direction, after: $0, by: end), within: timeout) }
            for (count, pair) in zip(batch, pairs) { try body(count, pair.root.join(), pair.worker.join()) }
        }
        // Other tests open some descriptors meanwhile, and close them again.
        let limit = before + counts.count / 3
        let deadline = dlp_now() + generous
        while openDescriptors() > limit, dlp_now() < deadline { poll(nil, 0, 20) }
        #expect(openDescriptors() <= limit, "descriptors are left open")
    }

    @Test(
        "a worker whose connection breaks before it has proved the key tries again, and gets in",
        arguments: Relay.End.allCases)
    func beforeProof(_ end: Relay.End) throws {
        for (counts, direction) in [(0..<Self.proof, Relay.Direction.there), (0..<Self.answer + 1, .back)] {
            try sweep(counts, direction, end) { count, root, worker throws in
                let heard = (try root.get().messages, try worker.get().messages)
                #expect(heard.0 == Self.words && heard.1 == Self.answers, "\(direction) \(count)")
            }
        }
    }

    @Test(
        "a worker whose connection breaks before it knows that it is in is lost, and says so in time",
        arguments: Relay.End.allCases)
    func beforeVerdict(_ end: Relay.End) throws {
        try sweep(Self.answer + 1..<Self.verdict, .back, end, within: 2 * second) { count, root, worker throws in
            let heard = try root.get()
            #expect(heard.messages.isEmpty && heard.ending == "1: it closed the connection", "\(count): \(heard)")
            // The worker tries again, and may come before the root has noticed that its first connection is gone.
            let complaint = worker.complaint ?? "none"
            let isTold =
                complaint.hasPrefix("rank 1 cannot reach rank 0 at 127.0.0.1:")
                || complaint.hasPrefix("rank 0 is connected with another rank 1 already")
            #expect(isTold, "\(count): \(complaint)")
        }
    }

    @Test(
        "what has come whole is heard, then the loss, wherever a connection breaks",
        arguments: Relay.Direction.allCases,
        Relay.End.allCases)
    func conversation(_ direction: Relay.Direction, _ end: Relay.End) throws {
        let isThere = direction == .there
        let (said, greeting) = isThere ? (Self.words, Self.proof) : (Self.answers, Self.verdict)
        let bounds = said.reduce(into: [greeting]) { $0.append($0[$0.count - 1] + FrameTests.wire([$1]).count) }
        // The root does not know yet that its verdict has arrived; the end follows the last byte anyway.
        try sweep((isThere ? greeting + 1 : greeting)..<bounds[said.count], direction, end) {
            count, root, worker throws in
            let hearings = try [root.get(), worker.get()]
            let (near, far) = isThere ? (hearings[0], hearings[1]) : (hearings[1], hearings[0])
            let whole = bounds.dropFirst().count { $0 <= count }
            #expect(near.messages == Array(said.prefix(whole)), "\(direction) \(count)")
            #expect(hearings[0].ending?.hasPrefix("1: it closed the connection") == true, "\(count): \(hearings[0])")
            // A side that is sending at that moment notices the break there.
            #expect(hearings[1].ending?.contains("it closed the connection") == true, "\(count): \(hearings[1])")
            #expect(hearings[1].ending?.contains("0") == true, "it names rank 0")
            let isWhole = bounds.contains(count)
            #expect(near.ending?.hasSuffix(" in the middle of a message") == !isWhole, "\(count): \(near)")
            let others = isThere ? Self.answers : Self.words
            #expect(others.starts(with: far.messages), "\(direction) \(count)")
        }
    }
}

extension BrokenConnectionTests.Hearing {
    /// Waits for the next delivery; false where it is the loss of the other side.
    fileprivate mutating func listen(to communicator: some Communicator) throws -> Bool {
        switch try communicator.receive(until: dlp_now() + generous) {
        case .message(let message, _): messages.append(message)
        case .lost(let rank, let reason): ending = "\(rank): \(reason)"
        case .joined, .returned, .timedOut, .woken: throw CommunicationError("it hangs")
        }
        return ending == nil
    }
}

/// Returns how many descriptors this process has open.
func openDescriptors() -> Int {
    guard let directory = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    return count
}
