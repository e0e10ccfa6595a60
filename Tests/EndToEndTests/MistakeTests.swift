import Glibc
import Testing

/// Mistakes of scripts that are met with a line, and correct scripts that are not.
@Suite(.timeLimit(.minutes(60)))
struct MistakeTests {
    private static let commands = ["dlp-lua", "ameexec -np 3 dlp-lua"]

    @Test(
        "what looks like a slip is told once", arguments: commands,
        [
            (
                "function exmaples() return 3 end function work(n) return n end", "job.lua: exmaples is no function",
                "examples"
            ),
            (
                "function examples() return 3 end function work(n) return n end function summarise() end",
                "job.lua: summarise is no function", "summarize"
            ),
            ("function examples() return 3 end function worK(n) return n end", "job.lua: worK is no function", "work"),
            (
                "function examples() return 3 end local function work(n) return n end",
                "job.lua: line 1: work is local", "local"
            ),
            ("dlp.gahter(1)", "job.lua:1: there is no dlp.gahter", "is dlp.gather meant?"),
            ("dlp.options = {retires = 1}", "job.lua: dlp.options: there is no option retires", "is retries meant?"),
            (
                "dlp.options = {on_eror = 'stop'}", "job.lua: dlp.options: there is no option on_eror",
                "is on_error meant?"
            ),
            ("dlp.options = {colour = 1}", "job.lua: dlp.options: there is no option colour\n", ""),
        ])
    func slip(_ command: String, _ slip: (job: String, says: String, meant: String)) throws {
        let scratch = try Scratch(job: slip.job)
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains(slip.says) && outcome.error.contains(slip.meant), "\(outcome.error)")
    }

    @Test(
        "the options of a job are named in a script without work, once",
        arguments: [
            "for _ in dlp.split_managed(3) do end", "dlp.map(print, 2)", "dlp.barrier()", "local n = 1",
        ])
    func useless(_ job: String) throws {
        let scratch = try Scratch(job: job)
        for command in Self.commands {
            let some = try run("\(command) --timeout 5 --retries 2 --mode managed --chunk 1 job.lua", in: scratch)
            #expect(
                some.error
                    == "dlp-lua: --mode, --retries and --timeout are of no use to a script without a function work\n")
            #expect(some.status == 0)
            let heeded = try run("\(command) --chunk 1 --root-works yes --seed 3 --memory 1G job.lua", in: scratch)
            #expect(heeded.error == "" && heeded.status == 0)
        }
        try scratch.write("job.lua", "dlp.options = {on_error = 'continue'} \(job)")
        let own = try run("ameexec -np 2 dlp-lua --output x.json job.lua", in: scratch)
        #expect(
            own.complaints.count <= 2 && own.error.contains("--output") && own.error.contains("--on-error"),
            "\(own.error)")
    }
}
