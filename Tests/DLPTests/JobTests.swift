import CSystem
import DLP
import Synchronization
import TestSupport
import Testing

/// `Job` on ranks that are threads.
@Suite(.hangLimit)
struct JobTests {
    private struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    /// What a rank's part of a program returned, or the status and message with which it ended.
    private enum Outcome: Sendable, Equatable {
        case done(String)
        case ended(status: Int32, message: String?)
    }

    /// Runs `body` on `size` ranks and returns their outcomes by rank.
    private func run(
        onRanks size: Int, _ body: @escaping @Sendable (Job) throws -> String
    ) throws -> [Outcome] {
        let outcomes = Monitor<[Int: Outcome]>([:])
        for communicator in ThreadCommunicator.group(of: size) {
            try ServiceThread.detach {
                let rank = communicator.rank
                guard let job = try? job(communicator) else { return }
                do {
                    let text = try body(job)
                    try job.finish()
                    outcomes.update { $0[rank] = .done(text) }
                } catch {
                    var message: String?
                    let status = job.end(error) { message = $0 }
                    outcomes.update { [message] in $0[rank] = .ended(status: status, message: message) }
                }
            }
        }
        let all = outcomes.wait(until: dlp_now() + 60_000_000_000) { $0.count == size ? $0 : nil }
        return try #require(all, "some rank hangs").sorted { $0.key < $1.key }.map(\.value)
    }

    private func job(_ communicator: ThreadCommunicator) throws -> Job {
        communicator.rank == 0 ? Job(try RootClient { communicator }) : Job(WorkerClient(communicator))
    }

    @Test("the root has all results in the order of the examples", arguments: [1, 2, 5], [0, 1, 300])
    func results(_ size: Int, _ count: Int) throws {
        let outcomes = try run(onRanks: size) { job in
            let strings = try job.map(0..<count) { "\($0)" }
            let lengths = try job.map(strings ?? []) { $0.count }
            return job.isRoot
                ? "\(strings == (0..<count).map { "\($0)" }) \(lengths?.count ?? -1)" : "\(lengths == nil)"
        }
        #expect(outcomes == [.done("true \(count)")] + Array(repeating: .done("true"), count: size - 1))
    }

    @Test("an example that failed is tried again", arguments: [1, 3])
    func retries(_ size: Int) throws {
        let failures = Mutex<[Int: Int]>([:])
        let outcomes = try run(onRanks: size) { job in
            let numbers = try job.map(0..<20, retries: 2) { number in
                let count = failures.withLock { failures in
                    failures[number, default: 0] += 1
                    return failures[number, default: 0]
                }
                if number % 5 == 0, count < 3 { throw Refusal(description: "not yet") }
                return number
            }
            return "\(numbers ?? [])"
        }
        #expect(outcomes.first == .done("\(Array(0..<20))"))
        #expect(failures.withLock { $0.filter { $0.value == 3 }.keys.sorted() } == [0, 5, 10, 15])
    }

    @Test("the first example that failed for good ends the job, and the root says which", arguments: [1, 3], [0, 1])
    func failure(_ size: Int, _ retries: Int) throws {
        let outcomes = try run(onRanks: size) { job in
            _ = try job.map(0..<20, retries: retries) { number in
                if number == 7 { throw Refusal(description: "no sevens") }
                return number
            }
            return "done"
        }
        guard case .ended(let status, let message) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(status == 1)
        #expect(
            message?.hasPrefix("example 8 failed") == true && message?.hasSuffix("no sevens") == true, "\(outcomes)")
        #expect(message?.contains(retries == 0 ? "given 7" : "after 2 attempts, given 7") == true, "\(outcomes)")
        for outcome in outcomes.dropFirst() { #expect(outcome == .ended(status: 1, message: nil)) }
    }

    @Test("with mapResults failures stand among the results", arguments: [1, 3])
    func failures(_ size: Int) throws {
        let outcomes = try run(onRanks: size) { job in
            let results = try job.mapResults(0..<20, retries: 1) { number in
                if number % 10 == 7 { throw Refusal(description: "no sevens") }
                return number
            }
            guard let results else { return "nil" }
            let texts = results.map { result in
                switch result {
                case .success(let number): "\(number)"
                case .failure(let failure): "\(failure.index): \(failure.message), \(failure.attempts)"
                }
            }
            return texts.joined(separator: " | ")
        }
        let expected = (0..<20).map { $0 % 10 == 7 ? "\($0): no sevens, 2" : "\($0)" }.joined(separator: " | ")
        #expect(outcomes == [.done(expected)] + Array(repeating: .done("nil"), count: size - 1))
    }

    @Test("a worker whose program throws ends the job")
    func workerThrows() throws {
        let outcomes = try run(onRanks: 3) { job in
            if job.rank == 2 { throw Refusal(description: "enough") }
            _ = try job.map(0..<20) { $0 }
            return "done"
        }
        guard case .ended(1, let message?) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(message.hasPrefix("rank 2 (host ") && message.hasSuffix("): enough"), "\(message)")
        #expect(outcomes[2] == .ended(status: 1, message: nil))
    }
}
