import Glibc
import TestSupport
import Testing

/// Ranks that were started differently, or whose scripts define different things.
@Suite(.hangLimit)
struct StartAgreementTests {
    private static let modes = ["map", "managed", "round-robin"]

    /// `examples()` on rank 0, and on the others.
    private static let examplesOfRanks = [
        ("return {1, 2, 3}", "local i = 0 return function() i = i + 1 if i < 4 then return i end end"),
        ("return {1, 2, 3}", nil), ("return 3", "return {4, 5}"),
        ("local i = 0 return function() i = i + 1 if i < 4 then return i end end", "return {7, 8, 9, 10}"),
        ("local i = 0 return function() i = i + 1 if i < 4 then return i end end", "return 5"),
    ]

    private static func job(_ root: String, _ other: String?) -> String {
        """
        local dlp = require "dlp"
        if dlp.IS_ROOT then function examples() \(root) end
        else \(other.map { "function examples() \($0) end" } ?? "") end
        function work(n) return n * 10 end
        """
    }

    @Test(
        "the examples of rank 0 hold, of whatever kind those of others are, and that is said once",
        arguments: modes, Array(examplesOfRanks.indices))
    func kinds(_ mode: String, _ index: Int) throws {
        let (root, other) = Self.examplesOfRanks[index]
        let outcome = try run(
            "ameexec -np 3 dlp-lua --mode \(mode) job.lua", in: Scratch(job: Self.job(root, other)))
        #expect(outcome.lines == ["10", "20", "30"])
        #expect(
            outcome.isOneMessage("dlp-lua", with: "do not agree on the examples (rank 0 has ", ", rank 1 "),
            "\(outcome.error)")
        #expect(outcome.status == 0)
    }

    @Test("where rank 0 has no examples() its lines hold", arguments: modes)
    func lines(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                local dlp = require "dlp"
                if not dlp.IS_ROOT then function examples() return {1, 2} end end
                function work(line) return line .. "!" end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --mode \(mode) job.lua", in: scratch, input: "a\nb\nc\n")
        #expect(outcome.lines == ["\"a!\"", "\"b!\"", "\"c!\""])
        #expect(
            outcome.isOneMessage("dlp-lua", with: "rank 0 has no examples(), rank 1 a table of 2"), "\(outcome.error)")
    }

    @Test("over MPI, too, the examples of rank 0 hold, and other scripts are an error")
    func overMPI() throws {
        let (root, other) = Self.examplesOfRanks[1]
        let outcome = try Arrangement.openMPI.run(2, "job.lua", in: Scratch(job: Self.job(root, other)))
        #expect(outcome.lines == ["10", "20", "30"] && outcome.status == 0, "\(outcome.error)")
        #expect(outcome.complaints.count == 1 && outcome.error.contains("do not agree on the examples"))
        let scratch = try Scratch(job: "if dlp.IS_ROOT then function summarize() end end function work() end")
        try scratch.write("examples.lua", "")
        let partial = try Arrangement.openMPI.run(2, "--examples root job.lua", in: scratch)
        #expect(partial.status == 2 && partial.error.contains("it has no function summarize"), "\(partial.error)")
    }

    /// What only some ranks have, and the message about it.
    private static let additions = [
        ("if dlp.IS_ROOT then function summarize(r) end end", "it has no function summarize, and rank 0 has a"),
        ("if not dlp.IS_ROOT then function collect(r) end end", "it has a function collect, and rank 0 has no"),
        (
            "if dlp.IS_ROOT then dlp.options = {examples = 'root'} end",
            "it has no --examples, and rank 0 has --examples root"
        ),
        (
            "if dlp.IS_ROOT then dlp.options = {mode = 'managed'} end",
            "it has --mode map, and rank 0 has --mode managed"
        ),
        ("if dlp.RANK == 1 then dlp.options = {seed = 'random'} end", "it has --seed random, and rank 0 has --seed 0"),
        ("if dlp.IS_ROOT then dlp.options = {seed = 'random'} end", "it has --seed 0, and rank 0 has --seed random"),
        (
            "if not dlp.IS_ROOT then dlp.options = {journal = 'j.db'} end",
            "it has --journal, and rank 0 has no --journal"
        ),
    ]

    @Test("functions and options that only some ranks have are one error", arguments: Array(additions.indices))
    func partial(_ index: Int) throws {
        let (statement, message) = Self.additions[index]
        let scratch = try Scratch(
            job: "local dlp = require 'dlp' function examples() return 4 end function work(n) return n end \(statement)"
        )
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "rank 1 (host ", message), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test(
        "a function work that only some ranks have is one error",
        arguments: [
            ("dlp.IS_ROOT", "rank 0 has a function work"), ("not dlp.IS_ROOT", "has a function work, but rank 0"),
        ])
    func work(_ condition: String, _ message: String) throws {
        let scratch = try Scratch(
            job: """
                local dlp = require "dlp"
                function examples() return 4 end
                if \(condition) then function work(n) return n end end
                """)
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: message, "the same functions"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    /// How rank 2 is started differently from the others, and the message about it.
    private static let starts = [
        ("job$AME_RANK.lua", "its script has another text"), ("--journal j.db job$AME_RANK.lua", "another text"),
        ("-e \"function work(n) return n + $((AME_RANK / 2)) end\"", "another text"),
        ("--seed $((AME_RANK / 2)) job0.lua", "it has --seed 1, and rank 0 has --seed 0"),
        ("job0.lua a$((AME_RANK / 2))", "its script has other arguments"),
        ("$([ $AME_RANK = 2 ] && echo --retries 3) job0.lua", "it has --retries 3, and rank 0 has --retries 0"),
        ("$([ $AME_RANK = 2 ] || echo --journal j.db) job0.lua", "it has no --journal, and rank 0 has --journal"),
        ("imperative$AME_RANK.lua", "its script has another text"),
        ("$([ $AME_RANK = 2 ] && echo missing.lua || echo job0.lua)", "cannot open the script missing.lua"),
        ("$([ $AME_RANK = 2 ] && echo wrong.lua || echo job0.lua)", "its script has another text"),
    ]

    @Test("a rank that was started otherwise is named, with what differs", arguments: Array(starts.indices))
    func started(_ index: Int) throws {
        let (words, message) = Self.starts[index]
        let scratch = try Scratch()
        for rank in 0...2 {
            let job = "function examples() return 6 end function work(n) return \(rank / 2) end"
            try scratch.write("job\(rank).lua", job)
            try scratch.write("imperative\(rank).lua", "io.write(\(rank / 2))")
        }
        try scratch.write("wrong.lua", "this is no Lua")
        let outcome = try run(
            "ameexec -np 3 sh -c", "exec dlp-lua --mode round-robin \(words)", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "rank 2 (host ", message), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
        #expect(!scratch.names.contains("j.db"))
    }

    @Test(
        "a script that can be read only once is read by rank 0, for all",
        arguments: [
            "mkfifo f; cat job.lua > f & exec dlp-lua -np 4 f", "exec dlp-lua -np 4 <(cat job.lua)",
            "exec dlp-lua -np 4 /dev/stdin < job.lua", "cat job.lua | exec dlp-lua -np 4 /dev/stdin",
            "exec dlp-lua -np 4 - < job.lua", "exec ameexec -np 4 dlp-lua <(cat job.lua)",
            "exec dlp-lua <(cat job.lua)",
        ])
    func onlyOnce(_ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 4 end function work(n) return n * n end")
        let outcome = try run("bash -c", command, in: scratch)
        #expect(outcome.lines == ["1", "4", "9", "16"], "\(outcome.error)")
        #expect(outcome.status == 0 && outcome.error == "")
    }

    @Test("a random seed of the script's is the same on all ranks, and told once")
    func randomSeed() throws {
        let scratch = try Scratch(
            job: """
                dlp.options = {seed = "random"}
                function examples() return {math.random(1 << 40), math.random(1 << 40)} end
                function work(n) return n end
                """)
        let outcome = try run("ameexec -np 3 dlp-lua --examples replicate job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.lines.count == 2, "\(outcome.error)")
        #expect(outcome.isOneMessage("dlp-lua", with: "seed "), "\(outcome.error)")
    }
}
