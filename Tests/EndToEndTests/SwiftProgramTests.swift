import TestSupport
import Testing

/// Programs that use the library, started by `ameexec` and alone.
@Suite(.hangLimit)
struct SwiftProgramTests {
    @Test("the example counts primes on any number of ranks", arguments: [0, 1, 3])
    func primes(_ size: Int) throws {
        let outcome = try run(size == 0 ? "primes" : "ameexec -np \(size) primes")
        #expect(outcome.output == "17984 primes below 200000, counted by \(max(size, 1)) ranks\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    private func probe(_ word: String, ranks size: Int = 3, in scratch: Scratch? = nil) throws -> Outcome {
        try run("ameexec -np \(size) job-probe \(word)", in: scratch ?? Scratch())
    }

    @Test("two loops follow each other, over structures that only rank 0 has", arguments: [1, 3])
    func twice(_ size: Int) throws {
        let outcome = try probe("twice", ranks: size)
        #expect(outcome.output == "432.5\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("an example that fails for good ends the job with one message", arguments: [1, 3])
    func failing(_ size: Int) throws {
        let outcome = try probe("failing", ranks: size)
        #expect(outcome.output == "" && outcome.status == 1)
        #expect(outcome.error.hasPrefix("job-probe: example 8 failed "))
        #expect(outcome.error.hasSuffix(" after 3 attempts, given 7: no sevens\n"))
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }

    @Test("failures stand among the results where the job is to go on")
    func goingOn() throws {
        let outcome = try probe("results")
        let failures = [7, 17, 27, 37, 47].map { "\($0) no sevens 1\n" }.joined()
        #expect(outcome.output == "50 1090\n" + failures)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("a program survives the death of a worker")
    func killed() throws {
        let outcome = try probe("killed")
        #expect(outcome.output == "true\n" && outcome.status == 0)
        #expect(outcome.error.hasPrefix("job-probe: lost rank "))
        #expect(
            outcome.error.hasSuffix(": its process was killed by signal 9 (Killed); others do its examples\n"),
            "\(outcome.error)")
    }

    @Test("what a worker throws ends the job with one message")
    func workerThrows() throws {
        let outcome = try probe("throwing")
        #expect(outcome.output == "" && outcome.status == 1)
        #expect(outcome.error.hasPrefix("job-probe: rank 1 (host ") && outcome.error.hasSuffix("): enough\n"))
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }
}
