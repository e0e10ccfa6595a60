import Glibc
import TestSupport
import Testing

/// Unusual terminals, limits and variables.
@Suite(.hangLimit)
struct StrangeWorldTests {
    private static let squares = "function examples() return 3 end function work(n) return n * n end"

    @Test("where standard error has no room the results come all the same", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func fullError(_ command: String) throws {
        let text = Self.squares + " io.stderr:write('a line\\n')"
        let outcome = try run("bash -c", "\(command) --seed random -e \"$0\" 2>/dev/full", text)
        #expect(outcome.lines == ["1", "4", "9"] && outcome.status == 0)
        let refused = try run("bash -c", "\(command) -e \"$0\" >/dev/full", Self.squares)
        #expect(refused.error.contains("No space left") || refused.error.contains("could not be written"))
        #expect(refused.status == 2)
    }

    @Test(
        "a text that was asked for and cannot be written is one message and status 2",
        arguments: [
            "dlp-lua --help", "dlp-lua --version", "dlp-lua --new-key", "dlp-lua --generate-completion-script bash",
            "ameexec --help", "ameexec --version",
        ])
    func fullAnswer(_ command: String) throws {
        let outcome = try run("bash -c", "\(command) >/dev/full")
        let program = String(command.prefix { $0 != " " })
        #expect(outcome.status == 2 && outcome.isOneMessage(program, with: "is the disk full?"), "\(outcome)")
    }

    @Test(
        "a file that ulimit -f does not allow is an error, not the end by a signal",
        arguments: ["--output o.jsonl", "--journal j.db", "> big"], ["dlp-lua", "dlp-lua -np 2"])
    func fileLimit(_ file: String, _ command: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 99 end function work(n) return string.rep(n, 1000) end")
        let words = file.hasPrefix(">") ? "\(command) job.lua \(file)" : "\(command) \(file) job.lua"
        let outcome = try run("bash -c", "ulimit -f 8; \(words)", in: scratch)
        #expect(outcome.status == 2, "\(outcome.error)")
        let isTold = outcome.error.contains("write") || outcome.error.contains("cannot pass on the ranks' output")
        #expect(outcome.error.hasPrefix("dlp-lua: ") && isTold, "\(outcome.error)")
    }

    @Test("programs that a script starts have the signal of ulimit -f as it was")
    func fileLimitOfPrograms() throws {
        let outcome = try run(
            "bash -c", "ulimit -f 8; dlp-lua -e \"print(select(2, os.execute('head -c 9999 /dev/zero > f')))\"",
            in: try Scratch())
        #expect(outcome.output == "signal\t25\n" || outcome.output == "exit\t153\n", "\(outcome)")
    }

    @Test(
        "LUA_INIT is heeded as by the stock interpreter",
        arguments: [
            ["LUA_INIT": "X = ... or 'none'"], ["LUA_INIT": "X = 1", "LUA_INIT_5_4": "X = 2 Y = arg[1]"],
            ["LUA_INIT": "@init.lua"], ["LUA_INIT": "@nowhere.lua"], ["LUA_INIT": "X = = 1"],
            ["LUA_INIT": "error('no')"],
            ["LUA_INIT": ""],
        ])
    func initialisation(_ variables: [String: String]) throws {
        let scratch = try Scratch(job: "print(X, Y, ...)")
        try scratch.write("init.lua", "X = 'file' Y = ...")
        let outcome = try run("dlp-lua job.lua a", in: scratch, environment: variables)
        let stock = try run("lua5.4 job.lua a", in: scratch, environment: variables)
        #expect(outcome.output == stock.output && outcome.status == stock.status, "\(outcome)")
        let (ours, theirs) = (outcome.error.split(separator: "\n"), stock.error.split(separator: "\n"))
        #expect(ours.first?.dropFirst("dlp-lua".count) == theirs.first?.dropFirst("lua5.4".count))
        #expect(try run("dlp-lua --sandbox job.lua a", in: scratch, environment: variables).output == "nil\tnil\ta\n")
    }

    @Test(
        "what an iterator leaves to be closed is closed, once",
        arguments: ["dlp-lua", "dlp-lua -np 2", "dlp-lua --mode managed"])
    func closing(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  local n = 0
                  local closing = setmetatable({}, {__close = function(_, e) print("closed", dlp.RANK, e) end})
                  return function() n = n + 1; return n <= tonumber(arg[1]) and n or nil end, nil, nil, closing
                end
                function work(n) if arg[2] then error("no") end return n end
                function summarize(r) print(r.n) end
                """)
        let outcome = try run("\(command) job.lua 3", in: scratch)
        #expect(
            outcome.lines.filter { $0.contains("\t0\t") || $0 == "3" } == ["closed\t0\tnil", "3"], "\(outcome.output)")
        #expect(outcome.lines.count == (command.contains("-np") ? 3 : 2) && outcome.error == "")
    }

    @Test("a loopback with IPv6 only is enough for ranks of one machine")
    func ipv6Only() throws {
        let words = "ip link set lo up && ip -4 addr flush dev lo && exec dlp-lua -np 2 -e \"$0\""
        guard try run("unshare -rn true").status == 0 else { return }
        let outcome = try run("unshare -rn sh -c", words, Self.squares)
        #expect(outcome.lines == ["1", "4", "9"] && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a dumb terminal gets no escape sequences", arguments: ["", "-np 2"])
    func dumbTerminal(_ ranks: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 4 end
                function work()
                  os.execute("sleep 0.2")
                  while arg[1] and not io.open(arg[1]) do os.execute("sleep 0.05") end
                end
                function summarize() print("over") end
                """)
        guard try run("sh -c", "command -v script", in: scratch).status == 0 else { return }
        let dumb = try run(
            "sh -c", "script -qec 'dlp-lua \(ranks) job.lua' /dev/null", in: scratch, environment: ["TERM": "dumb"])
        #expect(dumb.output.contains("over") && !dumb.bytes.contains(0x1B), "\(dumb.output)")

        // The line is redrawn if the work takes long enough.
        let other = try Launched(
            ["script", "-qfec", "dlp-lua \(ranks) job.lua drawn", "typescript"], in: scratch,
            environment: ["TERM": "xterm"])
        try other.reaches("the line is drawn anew") {
            scratch.read("typescript")?.contains("\u{1B}") ?? false
        }
        try scratch.write("drawn", "")
        let outcome = try other.finish()
        #expect(outcome.output.contains("over") && outcome.status == 0, "\(outcome.output)")
    }

    @Test(
        "without /proc programs say what they are, and jobs run",
        arguments: ["--version", "--help", "job.lua", "-np 2 job.lua", "--journal j.db --timeline t.svg job.lua"])
    func noProc(_ words: String) throws {
        let scratch = try Scratch(job: Self.squares)
        guard try run("unshare -rm mount -t tmpfs none /proc").status == 0 else { return }
        for program in words.hasPrefix("--") ? ["dlp-lua", "ameexec -n 1 dlp-lua"] : ["dlp-lua"] {
            let there = try run("\(program) \(words)", in: scratch)
            let outcome = try run(
                "unshare -rm sh -c", "mount -t tmpfs none /proc; exec \(program) \(words)", in: scratch)
            #expect(outcome.output == there.output && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
        }
    }

    @Test("DLP_BACKEND in the environment does not keep --check from working", arguments: ["ame", "mpi", "none"])
    func exportedBackend(_ backend: String) throws {
        let outcome = try run("dlp-lua --check -e", Self.squares, environment: ["DLP_BACKEND": backend])
        #expect(outcome.output.hasPrefix("3 examples") && outcome.error == "" && outcome.status == 0)
        let refused = try run("dlp-lua --backend ame --check -e", Self.squares)
        #expect(refused.isOneMessage("dlp-lua", with: "no launcher started this process") && refused.status == 2)
    }

    @Test("SIGHUP leaves a line", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func hangup(_ command: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 1000 end function work() io.stderr:write('.\\n') os.execute('sleep 0.05') end"
        )
        let job = try Launched("\(command) job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try job.reaches("examples are under work") { job.errorText.contains(".") }
        job.signal(SIGHUP)
        let outcome = try job.finish()
        #expect(outcome.error.contains("dlp-lua: interrupted after "), "\(outcome.error)")
        #expect(outcome.status == 129)
    }

    @Test("who joins a job that fails does not end with 0")
    func joinerOfFailure() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 1000 end
                function work(n)
                  os.execute("sleep 0.02")
                  if dlp.RANK > 0 then io.open("joined", "w"):close() end
                  if dlp.RANK == 0 and io.open("joined") then error("over") end
                end
                """)
        let outcome = try run(
            "bash -c",
            """
            export DLP_JOIN_KEY=0123456789abcdef0123456789abcdef DLP_HOST=127.0.0.1
            dlp-lua --joinable 0 job.lua 2> where > results & until grep -qs 'can join' where; do sleep 0.05; done
            dlp-lua --join "$(sed -n 's/.*--join //p' where)"; echo joiner $?; wait $!; echo job $?
            """, in: scratch)
        #expect(outcome.lines == ["joiner 1", "job 1"], "\(outcome)")
    }
}
