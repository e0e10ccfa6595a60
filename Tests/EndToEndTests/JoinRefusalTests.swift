import Glibc
import TestSupport
import Testing

// Which processes may not join a job, and why.

extension JoinTests {
    @Test("another key, a short one and none are told apart, and the job does not notice")
    func keys() throws {
        let job = try Job("dlp-lua --joinable 127.0.0.1:0 job.lua")
        try job.wait(for: 0)
        let wrong = try job.join(environment: ["DLP_JOIN_KEY": "a secret of another job"]).finish()
        #expect(wrong.status == 3 && wrong.isOneMessage("dlp-lua", with: "another key"), "\(wrong.error)")
        for (key, word) in [("short", "too short"), ("", "not set")] {
            let outcome = try job.join(environment: ["DLP_JOIN_KEY": key]).finish()
            #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: "DLP_JOIN_KEY is \(word)"))
        }
        try job.go()
        let outcome = try job.launched.finish()
        #expect(outcome.status == 0 && outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }

    @Test("who comes when all is done, or to an imperative script, is told why it is not taken")
    func refused() throws {
        let summing = try Job(
            "dlp-lua --joinable 127.0.0.1:0 job.lua",
            """
            function examples() return 1 end
            function work(n) return n end
            function summarize()
              io.open("summing", "w"):close()
              while not io.open("go") do io.popen("sleep 0.02"):close() end
            end
            """)
        try summing.launched.reaches("all is done") { summing.scratch.names.contains("summing") }
        let late = try summing.join().finish()
        #expect(late.status == 3 && late.isOneMessage("dlp-lua", with: "all examples of the job are done"))
        try summing.go()
        #expect(try summing.launched.finish().status == 0)

        let imperative = try Job(
            "dlp-lua --joinable 127.0.0.1:0 job.lua", "while not io.open('go') do io.popen('sleep 0.02'):close() end")
        let waiting = try imperative.join("--connect-timeout 5")
        try imperative.go()
        #expect(try imperative.launched.finish().error.contains("--joinable is of no use"))
        let outcome = try waiting.finish()
        #expect(outcome.status == 3, "\(outcome.error)")
    }

    @Test("a script that communicates while it is loaded cannot be joined, and is not disturbed")
    func communicating() throws {
        let job = try Job("dlp-lua --joinable 127.0.0.1:0 job.lua", "dlp.barrier()\n" + Self.job)
        try job.wait(for: 0)
        let late = try job.join().finish()
        #expect(late.status == 3 && late.isOneMessage("dlp-lua", with: "cannot join", "communicate"), "\(late.error)")
        try job.go()
        #expect(try job.launched.finish().status == 0)
    }

    @Test(
        "what does not go together is a mistake of usage",
        arguments: [
            ("dlp-lua --joinable 0 --mode round-robin job.lua", "round-robin"),
            ("ameexec -np 3 dlp-lua --joinable 0 --mode round-robin job.lua", "round-robin"),
            ("dlp-lua --joinable 0 --backend mpi job.lua", "backend ame"),
            ("dlp-lua --joinable host job.lua", "[HOST:]PORT"),
            ("dlp-lua --join 127.0.0.1:80 job.lua", "--join takes script and options"),
            ("dlp-lua --join 127.0.0.1:80 --mode map", "--mode"),
            ("dlp-lua --join 127.0.0.1 --connect-timeout 1", "HOST:PORT"),
            ("dlp-lua --join 80", "HOST:PORT"),
        ])
    func usage(_ command: String, _ word: String) throws {
        let outcome = try run(command, in: try Scratch(job: Self.job), environment: Self.key)
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: word), "\(outcome.error)")
    }

    @Test("a job without a key cannot be joined, and a script does not ask for it")
    func unset() throws {
        let scratch = try Scratch(job: "dlp.options = {joinable = '0'}\n" + Self.job)
        let keyless = try run("dlp-lua --joinable 0 job.lua", in: scratch)
        #expect(keyless.status == 2 && keyless.isOneMessage("dlp-lua", with: "DLP_JOIN_KEY is not set"))
        let asked = try run("dlp-lua job.lua", in: scratch, environment: Self.key)
        #expect(asked.status == 2 && asked.isOneMessage("dlp-lua", with: "joinable cannot be set by the script"))
    }

    @Test("where there is no job, the user is told after a while")
    func nobody() throws {
        let port = try Rendezvous(size: 1).port
        let outcome = try run("dlp-lua --connect-timeout 0.3 --join 127.0.0.1:\(port)", environment: Self.key)
        #expect(
            outcome.status == 3 && outcome.isOneMessage("dlp-lua", with: "no job can be joined"), "\(outcome.error)")
    }
}
