import Glibc
import TestSupport
import Testing

/// SIGUSR1: what each rank does since when, and how far the job is.
@Suite(.hangLimit)
struct StateTests {
    /// A job whose third example waits for the file `go`.
    private static let job = """
        function examples() return 3 end
        function work(n)
          if n == 3 then
            io.open("begun", "w"):close()
            repeat until io.open("go")
          end
          return n
        end
        function summarize(results) print(results.n) end
        """

    /// Asks a job whose third example has begun, until it reports that the others are done and their ranks wait; then
    /// lets it go on.
    private func check(
        _ launched: Launched, ranks: Int, ask: () throws -> Void, done: () throws -> Void = {}
    ) throws {
        try launched.reaches("example 3 has begun") { launched.scratch.names.contains("begun") }
        try launched.reaches("it says that all others wait") {
            try ask()
            usleep(50_000)
            let answers = launched.errorText.split(separator: "dlp-lua: ")
            let lines = answers.last?.split(separator: "\n") ?? []
            return lines.first == "2 of 3 examples done; 1 of \(ranks) ranks at work" && lines.count == ranks + 1
                && lines.count { $0.contains(/\trank \d \(host .+\): example 3, since \d\d:\d\d:\d\d, for \d+\.\d s/) }
                    == 1
                && lines.count { $0.contains(/\trank \d \(host .+\): waits for an example/) } == ranks - 1
        }
        try done()
        try launched.scratch.write("go", "")
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == "3\n", "\(outcome.error)")
    }

    @Test(
        "who is asked by SIGUSR1 says how far the job is, and the job goes on",
        arguments: [("dlp-lua", 1), ("dlp-lua -np 3", 3), ("ameexec -np 3 dlp-lua", 3)])
    func asked(_ command: String, _ ranks: Int) throws {
        let words = "\(command) --chunk 1 job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: Scratch(job: Self.job))
        try check(launched, ranks: ranks) { launched.signal(SIGUSR1) }
    }

    @Test(
        "a program that the root runs is left alone, also where a shell has started the rank",
        arguments: ["dlp-lua -np 2", "ameexec -np 2 dlp-lua", "ameexec -np 2 sh rank.sh"])
    func program(_ start: String) throws {
        let scratch = try Scratch()
        try scratch.write("rank.sh", "dlp-lua \"$@\"\nexit $?\n")
        let command = "touch {}; until [ -e go ]; do sleep 0.05; done; echo {}"
        let launched = try Launched(
            start.split(separator: " ").map { String($0) } + ["--chunk", "1", "--each", command, ":::", "a", "b"],
            in: scratch)
        try launched.reaches("both ranks run a program") { Set(scratch.names).isSuperset(of: ["a", "b"]) }
        try launched.reaches("it says what they do") {
            launched.signal(SIGUSR1)
            usleep(50_000)
            return launched.errorText.contains("0 of 2 examples done; 2 of 2 ranks at work")
        }
        try scratch.write("go", "")
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == "a\nb\n", "\(outcome)")
    }

    @Test("under other launchers the root is asked, or srun, which passes it on", arguments: Arrangement.oneOfEach)
    func arrangement(_ arrangement: Arrangement) throws {
        let launched = try arrangement.start(3, "--chunk 1 job.lua", in: Scratch(job: Self.job))
        try check(launched, ranks: 3) {
            if arrangement.isSlurm { launched.signal(SIGUSR1) } else { try launched.signal(SIGUSR1, rank: 0) }
        }
    }

    @Test("ranks on other hosts are told of as well, wherever rank 0 is", arguments: ["h1:1,h2:2", "h2:2,h1:1"])
    func hosts(_ list: String) throws {
        let run = try RemoteRun(Self.job)
        // The shell tells which process to ask, because the first host has a separate process table.
        try run.scratch.write(
            "ask.sh",
            """
            dlp-lua --hosts \(list) --chunk 1 job.lua &
            until [ -e asked ]; do [ -e ask ] && rm -f ask && kill -USR1 $!; sleep 0.05; done
            wait $!
            """)
        let launched = try run.start("sh ask.sh")
        try check(launched, ranks: 3) {
            try run.scratch.write("ask", "")
        } done: {
            try run.scratch.write("asked", "")
        }
        #expect(["h1", "h2"].allSatisfy { launched.errorText.contains("(host \($0))") })
    }

    @Test("while cost is asked for many examples it is said of how many that is known")
    func costs() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function cost(n)
                  if n == 2 then
                    io.open("begun", "w"):close()
                    repeat until io.open("go")
                  end
                  return n
                end
                function work(n) return n end
                function summarize(results) print(results.n) end
                """)
        let launched = try Launched(["ameexec", "-np", "2", "dlp-lua", "job.lua"], in: scratch)
        try launched.reaches("the second example's cost is asked") { scratch.names.contains("begun") }
        try launched.reaches("it says so") {
            launched.signal(SIGUSR1)
            usleep(50_000)
            return launched.errorText.contains("asks what examples cost, so far of 2 of 3; 0 of 2 ranks at work")
        }
        try scratch.write("go", "")
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == "3\n", "\(outcome)")
    }

    @Test("a rank that is not the root, and a launcher of something else, go on as well")
    func others() throws {
        let launched = try Launched(
            "ameexec -np 3 dlp-lua --chunk 1 job.lua".split(separator: " ").map { String($0) },
            in: Scratch(job: Self.job))
        try launched.reaches("example 3 has begun") { launched.scratch.names.contains("begun") }
        for rank in 1...2 { try launched.signal(SIGUSR1, rank: rank) }
        try launched.scratch.write("go", "")
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == "3\n" && outcome.error == "", "\(outcome.error)")
        let scratch = try Scratch()
        let foreign = try Launched(
            ["ameexec", "-np", "2", "sh", "-c", "touch begun; until [ -e go ]; do sleep 0.05; done"], in: scratch)
        try foreign.reaches("it has begun") { scratch.names.contains("begun") }
        foreign.signal(SIGUSR1)
        try foreign.reaches("it says so") { foreign.errorText.contains("cannot say how far the job is") }
        try scratch.write("go", "")
        #expect(try foreign.finish().status == 0)
    }
}
