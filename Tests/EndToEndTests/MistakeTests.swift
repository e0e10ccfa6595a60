import Glibc
import TestSupport
import Testing

/// Mistakes of scripts that are reported with a line, and correct scripts that are not reported.
@Suite(.hangLimit)
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
        "work that returned nothing for any example is told where its results are wanted", arguments: commands,
        [
            ("function work(n) local x = n end", true),
            ("function work(n) end function summarize(results) end", true),
            ("function work(n) end function collect(result) end", true),
            ("function work(n) if n == 7 then return false end end", false),
            ("function work(n) end function summarize() end", false),
            ("function work(n) end function collect(_, index) end", false),
        ])
    func nothing(_ command: String, _ job: (text: String, isTold: Bool)) throws {
        let scratch = try Scratch(job: "function examples() return 20 end \(job.text)")
        for mode in ["map", "managed", "round-robin"] {
            let outcome = try run("\(command) --mode \(mode) job.lua", in: scratch)
            let expected =
                job.isTold
                ? "dlp-lua: work returned nothing for any of the 20 examples: what it returns is the result\n" : ""
            #expect(outcome.error == expected && outcome.status == 0)
        }
    }

    @Test("work that prints where the results go is told once, and nothing else that prints", arguments: commands)
    func prints(_ command: String) throws {
        func outcome(_ job: String, _ options: String = "") throws -> Outcome {
            let scratch = try Scratch(job: "function examples() return 50 end \(job)")
            return try run("\(command) \(options) job.lua", in: scratch)
        }
        let loud = "function work(n) print('at', n) os.execute('sleep 0.005') return n end"
        for options in ["", "--mode round-robin", "--root-works no"] {
            let told = try outcome(loud, options)
            #expect(told.isOneMessage("dlp-lua", with: "work prints to standard output", "--output"), "\(told.error)")
            #expect(told.status == 0 && told.lines.count == 100)
        }
        #expect(try outcome(loud, "--output results.jsonl").error == "")
        #expect(try outcome("\(loud) function summarize() print('all') end").error == "")
        let quiet = "print('begin') function setup() print('setup') end function work(n) io.stderr:write() return n end"
        #expect(try outcome(quiet).error == "")
    }

    @Test(
        "the options of a job are named in a script without work, once",
        arguments: [
            ("for _ in dlp.split_managed(3) do end", "--mode|--retries"), ("dlp.map(print, 2)", "--mode"),
            ("dlp.barrier()", "--mode, --timeout and --retries"), ("local n = 1", "--mode, --timeout and --retries"),
        ])
    func useless(_ job: String, _ names: String) throws {
        let scratch = try Scratch(job: job)
        for command in Self.commands {
            let some = try run("\(command) --timeout 5 --retries 2 --mode managed --chunk 1 job.lua", in: scratch)
            // Options that no loop uses are reported when a loop begins; options that none has used, at the end.
            let lines = names.split(separator: "|").map { names in
                "dlp-lua: \(names) \(names.contains("and") ? "are" : "is") of no use to a script without a function work\n"
            }
            #expect(some.error == lines.joined(), "\(some.error)")
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

    @Test(
        "an option of every script that stands in dlp.options of one without work is told to come too late",
        arguments: [
            ("report = 'x.html'", "--report comes"), ("timeline = 'x.svg'", "--timeline comes"),
            ("memory = '1G', seed = 3", "--seed and --memory come"),
        ])
    func tooLate(_ options: String, _ words: String) throws {
        let scratch = try Scratch(job: "dlp.options = {\(options)} for _ in dlp.split_managed(3) do end")
        for command in Self.commands {
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.status == 0 && outcome.complaints.count == 1, "\(outcome.error)")
            #expect(outcome.error.hasPrefix("dlp-lua: \(words) too late in the dlp.options"), "\(outcome.error)")
            #expect(scratch.names == ["job.lua"])
        }
        let heeded = try run("dlp-lua --report y.html --timeline y.svg --memory 2G --seed 4 job.lua", in: scratch)
        #expect(heeded.error == "" && scratch.names == ["job.lua", "y.html", "y.svg"])
    }

    @Test("an option in dlp.options that a loop has not met is not called useless", arguments: commands)
    func tooLateForLoops(_ command: String) throws {
        let scratch = try Scratch(
            job: "dlp.options = {timeout = 5, retries = 1, chunk = 2} dlp.map(function(i) return i end, 3)")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.complaints.count == 1, "\(outcome.error)")
        let names = ["--timeout", "--retries", "--chunk", "come too late"]
        #expect(names.allSatisfy { outcome.error.contains($0) }, "\(outcome.error)")
    }

    @Test("a job that reads the terminal says so once", arguments: ["job.lua", "-"])
    func terminal(_ source: String) throws {
        let scratch = try Scratch(job: "function work(line) return #line end")
        // script(1) types its input into the terminal that it makes, followed by Ctrl-D.
        let input = source == "-" ? "print('read')\n" : "abc\n"
        let outcome = try run("script -qec", "dlp-lua \(source)", "/dev/null", in: scratch, input: input)
        let told = outcome.output.matches(of: /dlp-lua: the [^\r\n]* is the terminal: Ctrl-D/)
        #expect(told.count == 1, "\(outcome.output)")
        #expect(outcome.output.contains(source == "-" ? "read" : "\r\n3\r\n"), "\(outcome.output)")
    }

    @Test("functions as examples work on several ranks as on one, and it is told that nobody compares them")
    func functions() throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  local list = {}
                  for i = 1, 20 do list[i] = function() return i * i end end
                  return list
                end
                function work(f) return f() end
                function summarize(results) print(results.n, results[1], results[20]) end
                """)
        for command in [
            "dlp-lua", "dlp-lua -np 3", "dlp-lua -np 3 --mode managed", "dlp-lua -np 3 --examples replicate",
        ] {
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.output == "20\t1\t400\n" && outcome.status == 0, "\(outcome.error)")
            if command.contains("-np"), !command.contains("replicate") {
                #expect(
                    outcome.isOneMessage("dlp-lua", with: "example 1: it is a function", "its own list"),
                    "\(outcome.error)"
                )
            } else {
                #expect(outcome.error == "")
            }
        }
    }

    @Test("each of several processes does the whole job only where the command line says so, and that is said once")
    func alone() throws {
        let scratch = try Scratch(job: "function examples() return 2 end function work(n) return n end")
        for start in ["ameexec -np 3 dlp-lua", "dlp-lua -np 3"] {
            let typed = try run("\(start) --backend none job.lua", in: scratch)
            #expect(typed.output.split(separator: "\n").count == 6 && typed.status == 0)
            #expect(
                typed.isOneMessage("dlp-lua", with: "each of the 3 processes", "does the whole job"), "\(typed.error)")
            for name in ["DLP_BACKEND", "DLP_MPI_BACKEND"] {
                let inherited = try run("\(start) job.lua", in: scratch, environment: [name: "none"])
                #expect(inherited.isOneMessage("dlp-lua", with: "DLP_BACKEND", "--backend none"), "\(inherited.error)")
                #expect(inherited.output == "" && inherited.status == 2)
            }
        }
        let one = try run("dlp-lua job.lua", in: scratch, environment: ["DLP_BACKEND": "none"])
        #expect(one.output.split(separator: "\n").count == 2 && one.error == "" && one.status == 0)
    }

    @Test("require searches beside the script")
    func require() throws {
        let scratch = try Scratch(
            job: "function examples() return {require('beside').value} end function work(n) return n end")
        try scratch.write("beside.lua", "return {value = 17}")
        let outcome = try run("ameexec -np 2 sh -c", "cd / && exec dlp-lua \(scratch.path)/job.lua", in: scratch)
        #expect(outcome.output.contains("17") && outcome.status == 0, "\(outcome.error)")
        let sandboxed = try run("dlp-lua --sandbox job.lua", in: scratch)
        #expect(sandboxed.status == 1 && sandboxed.error.contains("module 'beside' not found"), "\(sandboxed.error)")
    }
}
