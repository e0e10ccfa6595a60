import TestSupport
import Testing

/// The command lines of dlp-lua.
@Suite(.hangLimit)
struct CommandLineTests {
    @Test(
        "the lines of standard input are the examples of a one-liner",
        arguments: ["ameexec -np 2 dlp-lua", "dlp-lua -np 2", "dlp-lua"])
    func oneLiner(_ command: String) throws {
        let outcome = try run("\(command) -e", "function work(line) return #line end", input: "a\nbb\nccc\n")
        #expect(outcome.lines == ["1", "2", "3"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "what a script reads of standard input is no example, and the rest is", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func header(_ command: String) throws {
        let text = (1...10_000).map { "\($0)\n" }.joined()
        let outcome = try run(
            "\(command) -e", "if dlp.IS_ROOT then io.read('l', 'n', 'l') end function work(line) return line end",
            input: text)
        #expect(outcome.lines == (3...10_000).map { "\"\($0)\"" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("after -- nothing is an option")
    func endOfOptions() throws {
        let scratch = try Scratch()
        try scratch.write("-dash.lua", "print('dash', ...)")
        #expect(try run("dlp-lua -- -dash.lua -x", in: scratch).output == "dash\t-x\n")
        #expect(try run("dlp-lua -e", "print(...)", "--", "--foo", "-5").output == "--foo\t-5\n")
        let outcome = try run("dlp-lua -dash.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "there is no option -dash.lua") && outcome.status == 2)
    }

    @Test("ranks do not start ranks for the whole job, but a script may start a job")
    func ranksOfRanks() throws {
        let outcome = try run("ameexec -np 2 dlp-lua -np 2 -e", "print(1)")
        #expect(
            outcome.isOneMessage("dlp-lua", with: "ameexec started 2 processes", "leave -np out"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
        let job = try run(
            "ameexec -np 2 dlp-lua -e", "if dlp.RANK == 1 then os.execute(\"dlp-lua -np 2 -e 'print(1)'\") end")
        #expect(job.output == "1\n1\n" && job.error == "" && job.status == 0)
    }

    @Test("functions of a job without a work are complained of, but not in a script that communicates")
    func noWork() throws {
        let functions = "function examples() return 4 end function summarize(r) print('never') end"
        let outcome = try run("dlp-lua -np 2 -e", functions)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "examples and summarize, but no function work"), "\(outcome.error)")
        #expect(outcome.status == 0 && outcome.output == "")
        let imperative = try run("dlp-lua -np 2 -e", functions + " for _ in dlp.split_managed(examples()) do end")
        #expect(imperative.error == "" && imperative.status == 0)
    }

    @Test("a script may make undeclared variables errors")
    func strict() throws {
        let strict = "setmetatable(_G, {__index = function(_, name) error(name .. ' is not declared', 2) end})"
        let outcome = try run("dlp-lua -np 2 -e", "\(strict) function work(line) return line end", input: "a\n")
        #expect(outcome.output == "\"a\"\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("--info names the backend, and every rank says hello", arguments: ["ameexec -np 4 dlp-lua", "dlp-lua -np 4"])
    func info(_ command: String) throws {
        let outcome = try run("\(command) --info")
        #expect(outcome.hellos == hellos(of: 4))
        #expect(outcome.lines.contains("Backend: ame"))
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("--info of one process has no backend")
    func infoSolo() throws {
        let outcome = try run("dlp-lua --info")
        #expect(outcome.lines.contains("Backend: none"))
        #expect(outcome.hellos == hellos(of: 1))
    }

    @Test("a script from standard input runs on every rank")
    func standardInput() throws {
        let outcome = try run(
            "ameexec -np 3 dlp-lua - one two", input: "print(dlp.RANK, arg[0], arg[1], arg[2], #arg)\n")
        #expect(outcome.lines.sorted() == (0..<3).map { "\($0)\t-\tone\ttwo\t2" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "arguments after the script are the script's, options too",
        arguments: ["dlp-lua", "dlp-lua --chunk 3", "ameexec -np 1 dlp-lua", "dlp-lua -np 1 --seed 4"])
    func arguments(_ command: String) throws {
        let scratch = try Scratch(
            job: "print(#arg, arg[0], table.concat(arg, '|'), select('#', ...), table.concat({...}, '|'))")
        let outcome = try run("\(command) job.lua -np 2 --help -- x", "a b", "", in: scratch)
        let stock = try run("lua5.4 job.lua -np 2 --help -- x", "a b", "", in: scratch)
        #expect(outcome.output == stock.output)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("the text of -e has arguments, too")
    func chunkArguments() throws {
        let outcome = try run("dlp-lua -e", "print(..., #arg, arg[1])", "x", "-np", "--version")
        #expect(outcome.output == "x\t3\tx\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "standard input that cannot be read is an error, not an empty list", arguments: ["dlp-lua", "dlp-lua -np 2"],
        ["lines.lua < /", "lines.lua <&-", "- < /"])
    func unreadableInput(_ command: String, _ rest: String) throws {
        let scratch = try Scratch()
        try scratch.write("lines.lua", "function work(line) return #line end")
        let outcome = try run("sh -c", "\(command) \(rest)", in: scratch)
        #expect(outcome.output == "" && outcome.status == 2)
        #expect(outcome.isOneMessage("dlp-lua", with: "standard input cannot be read: "), "\(outcome.error)")
    }

    @Test("without a standard output nothing is lost in silence", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func noOutput(_ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) return n end")
        let outcome = try run("sh -c", "\(command) job.lua >&-", in: scratch)
        #expect(outcome.status != 0 && outcome.error.contains("output"), "\(outcome.error)")
    }

    @Test(
        "options that name the same file are refused before it is touched",
        arguments: [
            "--journal a.csv --output a.csv job.lua", "--journal a.csv --output ./a.csv job.lua",
            "--output job.lua job.lua", "--timeline a.json --output a.json job.lua", "--report job.lua job.lua",
            "--journal link --output job.jsonl job.lua", "-np 2 --output job.lua job.lua",
            "--results link --output job.jsonl",
        ])
    func sameFile(_ words: String) throws {
        let text = "function examples() return 3 end function work(n) return n end"
        let scratch = try Scratch(job: text)
        try scratch.write("job.jsonl", "precious\n")
        _ = try run("ln -s job.jsonl link", in: scratch)
        let outcome = try run("dlp-lua \(words)", in: scratch)
        #expect(outcome.output == "" && outcome.status == 2)
        #expect(outcome.isOneMessage("dlp-lua", with: "name the same file"), "\(outcome.error)")
        #expect(scratch.read("job.lua") == text && scratch.read("job.jsonl") == "precious\n")
        #expect(scratch.names.sorted() == ["job.jsonl", "job.lua", "link"])
    }

    @Test("two options may name one terminal or device")
    func sameDevice() throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) return n end")
        let outcome = try run("dlp-lua --output /dev/stdout --timeline /dev/null job.lua", in: scratch)
        #expect(!outcome.error.contains("same file"))
    }

    @Test("more ranks than this machine has numbers for processes are refused at once")
    func tooMany() throws {
        let outcome = try run("dlp-lua -np 99999999 --info")
        #expect(outcome.isOneMessage("dlp-lua", with: "99999999") && outcome.status == 2)
    }

    @Test(
        "a missing script is one message and status 2",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "dlp-lua -np 3"])
    func missingScript(_ command: String) throws {
        let outcome = try run("\(command) missing.lua")
        #expect(outcome.isOneMessage("dlp-lua", with: "missing.lua", "No such file"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test(
        "a mistake in the options is one message and status 2",
        arguments: [
            "--mode fast", "--chunk 0", "--chunk many", "--nonsense", "--seed x", "--connect-timeout -1",
            "--progress maybe", "--on-error ignore", "--retries -1", "--stop-after soon", "--crash-limit 0",
            "--backend pigeon", "--examples nobody", "--root-works perhaps", "-np 0", "--output",
        ], ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func mistake(_ options: String, _ command: String) throws {
        let scratch = try Scratch(job: "error('it must not run')")
        let outcome = try run("\(command) \(options) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua"), "\(outcome.error)")
        #expect(!outcome.error.contains(".;"), "a sentence has one end: \(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test(
        "no script at all is one message and status 2",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "dlp-lua -np 3"])
    func noScript(_ command: String) throws {
        let outcome = try run(command)
        #expect(outcome.isOneMessage("dlp-lua", with: "script", "--help"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test(
        "a mistake in dlp.options is one message and status 2",
        arguments: [
            ("{tempo = 1}", "tempo"), ("{mode = 'fast'}", "fast"), ("{chunk = 0}", "chunk"), ("{chunk = 'x'}", "chunk"),
            ("{output = 'x\\0.csv'}", "output has a NUL byte"),
            ("{seed = 1.5}", "seed"), ("{backend = 'ame'}", "backend"),
        ], ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func scriptOptions(_ mistake: (options: String, word: String), _ command: String) throws {
        let scratch = try Scratch(
            job: "dlp.options = \(mistake.options) function examples() return 1 end function work() end")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "job.lua", "dlp.options", mistake.word), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("the options of the script are defaults: the command line wins")
    func commandLineWins() throws {
        let scratch = try Scratch(
            job: """
                dlp.options = {seed = 11, mode = "round-robin", root_works = "no"}
                function examples() return 6 end
                function work() return {math.random(1 << 40), dlp.RANK} end
                function summarize(results)
                  for n = 1, results.n do print(results[n][1]) end
                  for n = 1, results.n do io.stderr:write(results[n][2]) end
                end
                """)
        let eleven = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        let asked = try run("dlp-lua --seed 11 --mode map job.lua", in: scratch)
        let seven = try run("ameexec -np 3 dlp-lua --seed 7 --root-works yes job.lua", in: scratch)
        #expect(eleven.error == "121212")
        #expect(seven.error == "012012")
        #expect(eleven.output == asked.output)
        #expect(eleven.output != seven.output && eleven.lines.count == 6)
    }

    @Test(
        "dlp.RANK as a condition is refused with its line",
        arguments: ["if dlp.RANK then print('never') end", "while not dlp.RANK do end", "local x = dlp.ROOT and 1"],
        ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func rankCondition(_ condition: String, _ command: String) throws {
        let scratch = try Scratch(job: "local dlp = require 'dlp'\n\n\(condition)\n")
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "job.lua:3:", "IS_ROOT"), "\(outcome.error)")
        #expect(outcome.status == 1 && outcome.output == "")
    }

    @Test("--check counts the examples and does no work", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func check(_ command: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return {'a', 'b', 'c'} end function work() print('work') end function summarize() print('sum') end"
        )
        let outcome = try run("\(command) --check job.lua", in: scratch)
        #expect(outcome.lines.count == 1 && outcome.output.hasPrefix("3 examples"), "\(outcome.output)")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("--help fits the width of a terminal and ends with three calls")
    func help() throws {
        let outcome = try run("dlp-lua --help")
        #expect(outcome.lines.allSatisfy { $0.count <= 80 })
        let calls = outcome.lines.suffix(3).filter { $0.hasPrefix("  ") && $0.contains("dlp-lua") }
        #expect(calls.count == 3)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("the examples of --help work as they stand")
    func helpCalls() throws {
        let scratch = try Scratch(job: "function examples() return {1, 2} end function work(n) return n end")
        let calls = try run("dlp-lua --help").lines.suffix(3)
        for call in calls {
            let outcome = try run("sh -c", String(call), in: scratch)
            #expect(outcome.error == "" && outcome.status == 0, "\(call)")
        }
        #expect(scratch.read("e.csv")?.split(whereSeparator: \.isNewline).count == 10)
    }

    @Test("--version is one line", arguments: ["dlp-lua", "ameexec"])
    func version(_ program: String) throws {
        let outcome = try run("\(program) --version")
        #expect(outcome.lines.count == 1 && outcome.output.contains("."))
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "the completions are scripts that their shells accept", arguments: ["dlp-lua", "ameexec"],
        ["bash", "zsh", "fish"])
    func completions(_ program: String, _ shell: String) throws {
        let scratch = try Scratch()
        try scratch.write("completions", try run("\(program) --generate-completion-script \(shell)").output)
        guard try run("sh -c", "command -v \(shell)", in: scratch).status == 0 else { return }
        let outcome = try run("\(shell) -n completions", in: scratch)
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("the manual is one that its reader does not complain of", arguments: ["dlp-lua", "ameexec"])
    func manual(_ program: String) throws {
        let scratch = try Scratch()
        let page = try run("\(program) --generate-manual").output
        #expect(page.hasPrefix(".TH ") && page.contains(".SH EXIT STATUS") && page.contains(".SH EXAMPLES"))
        try scratch.write("page.1", page)
        guard try run("sh -c", "command -v mandoc", in: scratch).status == 0 else { return }
        let outcome = try run("mandoc -T lint -W warning page.1", in: scratch)
        #expect(outcome.output == "" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "completion offers options before the script, and none behind it",
        arguments: [
            (["--mo"], "--mode"), (["--mode", ""], "map managed round-robin"), (["--mode", "=", "ma"], "map managed"),
            (["-np", "2", "--jo"], "--journal --joinable --join"), (["job.lua", "--jo"], ""), (["--", "--jo"], ""),
            (["--mode", "map", "-", "--jo"], ""), (["--mode=map", "jo"], "job.lua"), (["job.lua", "j"], "job.lua"),
        ])
    func completion(_ words: [String], _ offered: String) throws {
        let scratch = try Scratch(job: "")
        let call = words.map { "'\($0)'" }.joined(separator: " ")
        let outcome = try run(
            "bash -c",
            """
            . <(dlp-lua --generate-completion-script bash)
            COMP_WORDS=(dlp-lua \(call)) COMP_CWORD=\(words.count); _dlp_lua; echo "${COMPREPLY[*]}"
            """, in: scratch)
        #expect(outcome.output == "\(offered)\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "mistakes are met halfway", arguments: ["dlp-lua", "dlp-lua -np 2", "ameexec -n 2 dlp-lua"])
    func nearMiss(_ command: String) throws {
        let outcome = try run("\(command) --jurnal run.db job.lua")
        #expect(
            outcome.error == "dlp-lua: there is no option --jurnal; is --journal meant? See dlp-lua --help\n",
            "\(outcome)")
        #expect(outcome.status == 2)
    }

    @Test("ranks are as many as -np says, in any spelling", arguments: ["-np3", "-n 3", "-n3", "-np=3", "-np 3"])
    func spellings(_ words: String) throws {
        for program in ["dlp-lua \(words) -e", "ameexec \(words) dlp-lua -e"] {
            #expect(try run(program, "if dlp.IS_ROOT then print(dlp.SIZE) end").output == "3\n")
        }
    }

    @Test("-np auto starts a rank for each CPU", arguments: ["dlp-lua -np auto -e", "ameexec -n auto dlp-lua -e"])
    func auto(_ program: String) throws {
        let cpus = try run("env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc").output
        #expect(try run(program, "if dlp.IS_ROOT then print(dlp.SIZE) end").output == cpus)
        let one = try run("taskset -c 0 \(program)", "if dlp.IS_ROOT then print(dlp.SIZE) end")
        #expect(one.output == "1\n" || one.status != 0)
    }

    @Test("on a terminal a note says that an option stands behind the script", arguments: ["", "-np 2 "])
    func behind(_ ranks: String) throws {
        let scratch = try Scratch(job: "if dlp.IS_ROOT then print(...) end")
        guard try run("sh -c", "command -v script", in: scratch).status == 0 else { return }
        let note = "--journal stands behind the script"
        let outcome = try run("script -qec", "dlp-lua \(ranks)job.lua --journal x", "/dev/null", in: scratch)
        #expect(
            outcome.output.split(whereSeparator: \.isNewline).count { $0.contains(note) } == 1
                && outcome.output.contains("--journal\tx"),
            "\(outcome.output)")
        #expect(try run("dlp-lua \(ranks)job.lua --journal x", in: scratch).error == "")
        let meant = try run("script -qec", "dlp-lua \(ranks)-- job.lua --journal x", "/dev/null", in: scratch)
        #expect(!meant.output.contains(note))
    }

    @Test("an unknown command under ameexec is one message")
    func unknownCommand() throws {
        let outcome = try run("ameexec -np 3 no-such-program")
        #expect(outcome.isOneMessage("ameexec", with: "no-such-program"), "\(outcome.error)")
        #expect(outcome.status == 127 || outcome.status == 2)
    }
}
