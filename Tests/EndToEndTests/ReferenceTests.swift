import TestSupport
import Testing

/// The output is the same bytes as from a plain loop under the stock interpreter, however the work is distributed.
@Suite(.hangLimit)
struct ReferenceTests {
    private static let arrangements = [
        "dlp-lua",
        "dlp-lua --mode round-robin",
        "ameexec -np 1 dlp-lua --root-works no",
        "ameexec -np 2 dlp-lua --mode managed",
        "ameexec -np 2 dlp-lua --chunk 7 --examples root",
        "ameexec -np 3 dlp-lua",
        "ameexec -np 3 dlp-lua --mode round-robin",
        "dlp-lua -np 3 --mode managed --chunk 7",
        "ameexec -np 4 dlp-lua --chunk 1",
        "ameexec -np 4 dlp-lua --root-works no",
        "ameexec -np 4 dlp-lua --mode managed --chunk 1 --examples root --root-works no",
        "ameexec -np 4 dlp-lua --mode round-robin --examples root",
        "ameexec -np 4 dlp-lua --mode round-robin --root-works no --examples replicate",
        "ameexec -np 16 dlp-lua --examples replicate",
        "ameexec -np 16 dlp-lua --mode managed",
        "ameexec -np 3 dlp-lua --encrypt",
    ]

    @Test("a job has the results of its plain loop", arguments: ReferenceJob.all, arrangements)
    func same(_ job: ReferenceJob, _ arrangement: String) throws {
        // Only the root can have lines and one-shot iterators, so `--examples replicate` cannot be asked for.
        let asked = job.isOneShot ? arrangement.replacing(" --examples replicate", with: "") : arrangement
        let scratch = try Scratch(job: job.script)
        let expected = try run(
            "lua5.4 \(Program.scripts)/reference.lua --seed \(job.seed) job.lua", in: scratch, input: job.input)
        try #require(expected.status == 0 && expected.error == "", "\(expected.error)")
        let outcome = try run("\(asked) --seed \(job.seed) job.lua", in: scratch, input: job.input)
        #expect(outcome.output == expected.output)
        #expect(outcome.error == "")
        #expect(outcome.status == 0)
    }

    @Test(
        "the seed of the command line is the one that counts",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode round-robin"], [0, 7, -5])
    func seed(_ arrangement: String, _ seed: Int) throws {
        let scratch = try Scratch(
            job: """
                dlp.options = {seed = 99}
                function examples() return 20 end
                function work() return {math.random(), math.random(1 << 40)} end
                """)
        let expected = try run("lua5.4 \(Program.scripts)/reference.lua --seed \(seed) job.lua", in: scratch)
        let outcome = try run("\(arrangement) --seed \(seed) job.lua", in: scratch)
        #expect(outcome.output == expected.output)
        #expect(outcome.error == "")
    }

    @Test("a drawn seed is printed, and repeats the job")
    func drawnSeed() throws {
        let scratch = try Scratch(
            job: "function examples() return 9 end function work() return math.random(1 << 40) end")
        let first = try run("ameexec -np 3 dlp-lua --seed random job.lua", in: scratch)
        let words = first.error.split { $0 == " " || $0 == "\n" }
        try #require(words.count == 3 && words[1] == "seed", "\(first.error)")
        let again = try run("dlp-lua --seed \(words[2]) job.lua", in: scratch)
        #expect(again.output == first.output)
        #expect(first.lines.count == 9)
    }
}

extension ReferenceJob {
    fileprivate var isOneShot: Bool {
        !script.contains("function examples()") || testDescription.contains("iterator")
            || script.contains("dlp.csv") || script.contains("dlp.jsonl")
    }
}
