import TestSupport
import Testing

/// Jobs under real launchers have the same results as without a launcher.
@Suite(.hangLimit)
struct ArrangementTests {
    /// One job under one launcher.
    struct Run: Sendable, CustomTestStringConvertible {
        var arrangement: Arrangement
        var mode: String
        var job: ReferenceJob
        var testDescription: String { "\(arrangement.rawValue), \(mode): \(job.testDescription)" }
    }

    /// Three jobs for every mode of every arrangement, in turn, so that each job runs under several launchers.
    private static let turns = Arrangement.allCases.enumerated().flatMap { place, arrangement in
        ["map", "managed", "round-robin"].enumerated().flatMap { modePlace, mode in
            (0..<3).compactMap { turn in
                let job = ReferenceJob.all[(9 * place + 3 * modePlace + turn) % ReferenceJob.all.count]
                let isPossible = arrangement.endsInput || !job.readsInput
                return isPossible ? Run(arrangement: arrangement, mode: mode, job: job) : nil
            }
        }
    }

    /// Standard input reaches the root through the launcher.
    private static let inputs = Arrangement.allCases.filter(\.endsInput).flatMap { arrangement in
        ReferenceJob.all.filter { $0.input != "" }.map { Run(arrangement: arrangement, mode: "map", job: $0) }
    }

    @Test("a job has the results of its plain loop", arguments: turns + inputs)
    func same(_ run: Run) throws {
        let job = run.job
        let scratch = try Scratch(job: job.script)
        let expected = try EndToEndTests.run(
            "lua5.4 \(Program.scripts)/reference.lua --seed \(job.seed) job.lua", in: scratch, input: job.input)
        try #require(expected.status == 0 && expected.error == "", "\(expected.error)")
        let outcome = try run.arrangement.run(
            3, "--mode \(run.mode) --seed \(job.seed) job.lua", in: scratch, input: job.input)
        #expect(outcome.output == expected.output)
        #expect(outcome.error == "")
        #expect(outcome.status == 0)
        // Some jobs write what they read.
        let left = scratch.names.filter { !$0.hasPrefix("data.") }
        #expect(left == ["job.lua"], "nothing is left in the working directory")
    }

    @Test("digits.lua finds what it finds alone", arguments: Arrangement.allCases)
    func digits(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(2, Program.example("digits.lua"))
        #expect(outcome.lines.first == "accuracy 0.9889 (1777 of 1797), k = 3, Euclidean")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("--info names the backend and the way, and every rank says hello", arguments: Arrangement.allCases)
    func info(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(4, "--info")
        #expect(outcome.lines.contains("Backend: \(arrangement.backend)"), "\(outcome.output)")
        #expect(outcome.output.contains("Using \(arrangement.method) for"), "\(outcome.output)")
        #expect(outcome.hellos == hellos(of: 4))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test(
        "lines of several ranks do not run into each other",
        arguments: Arrangement.allCases.filter { !$0.tearsLines })
    func lines(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: """
                local dlp = require "dlp"
                for n = 1, 200 do
                    dlp.barrier()
                    print("rank", dlp.RANK, "line", n)
                end
                for n = 201, 300 do io.write("rank\\t", dlp.RANK, "\\tline\\t", n, "\\n") end
                """)
        let outcome = try arrangement.run(4, "job.lua", in: scratch)
        let expected = (0..<4).flatMap { rank in (1...300).map { "rank\t\(rank)\tline\t\($0)" } }
        #expect(outcome.lines.sorted() == expected.sorted())
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a single rank works alone", arguments: Arrangement.allCases)
    func single(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(1, "--info")
        #expect(outcome.hellos == hellos(of: 1))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a value of several megabytes arrives whole", arguments: Arrangement.allCases)
    func large(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: """
                local text = ("0123456789abcdef"):rep(1 << 18)
                function examples() return 6 end
                function work(n) return text .. n end
                function summarize(results) for n = 1, 6 do assert(results[n] == text .. n) end print("whole") end
                """)
        let outcome = try arrangement.run(3, "job.lua", in: scratch)
        #expect(outcome.output == "whole\n")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }
}
