import Glibc
import TestSupport
import Testing

/// Signals to the launcher, to ranks, and to a single process.
@Suite(.hangLimit)
struct SignalTests {
    /// After the first examples, every rank leaves a file that says so and then computes in Lua for ever.
    private static let busy = """
        function examples() return 100000 end
        function work(n)
          if n <= 20 then return n end
          io.open("busy." .. dlp.RANK, "w"):close()
          while true do end
        end
        function summarize() print("never") end
        """

    /// Starts a job and waits until `ranks` of its ranks are busy.
    private func start(_ command: String, busy ranks: Int, job: String = busy) throws -> Launched {
        let scratch = try Scratch(job: job)
        let launched = try Launched((command + " job.lua").split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("\(ranks) ranks are busy") { scratch.names.count { $0.hasPrefix("busy.") } == ranks }
        return launched
    }

    @Test(
        "an interrupted job says how far it came, and leaves nothing running",
        arguments: [
            ("dlp-lua", 1), ("dlp-lua --mode round-robin", 1), ("dlp-lua -np 3", 3), ("ameexec -np 3 dlp-lua", 3),
            ("ameexec -np 3 dlp-lua --mode managed", 3), ("ameexec -np 3 dlp-lua --mode round-robin", 3),
            ("ameexec -np 3 dlp-lua --root-works no", 2),
        ])
    func interrupt(_ command: String, _ busy: Int) throws {
        let launched = try start(command, busy: busy)
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after ", " of 100000 examples"), "\(outcome.error)")
        #expect(outcome.output == "")
    }

    @Test(
        "an interrupt that everybody gets, as from a batch system, is no lost rank",
        arguments: ["map", "managed", "round-robin"])
    func interruptForAll(_ mode: String) throws {
        let launched = try start("ameexec -np 3 dlp-lua --mode \(mode)", busy: 3)
        for rank in [1, 2, 0] { try launched.signal(SIGINT, rank: rank) }
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted"), "\(outcome.error)")
    }

    @Test("an imperative script that is interrupted ends", arguments: [("dlp-lua", 1), ("ameexec -np 3 dlp-lua", 3)])
    func imperative(_ command: String, _ ranks: Int) throws {
        let launched = try start(
            command, busy: ranks, job: "io.open('busy.' .. dlp.RANK, 'w'):close() while true do end")
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted"), "\(outcome.error)")
    }

    @Test(
        "a script that swallows errors is interrupted all the same",
        arguments: [("dlp-lua", 1), ("ameexec -np 3 dlp-lua", 3)])
    func swallowing(_ command: String, _ ranks: Int) throws {
        let launched = try start(
            command, busy: ranks,
            job: """
                function examples() return 100 end
                function work()
                  io.open("busy." .. dlp.RANK, "w"):close()
                  while true do pcall(function() while true do end end) end
                end
                """)
        launched.signal(SIGINT)
        #expect(try launched.finish().status == 130)
    }

    @Test("a second signal abandons what runs, and one line says how far the job came", arguments: [SIGTERM, SIGINT])
    func secondSignal(_ signal: Int32) throws {
        let launched = try start("ameexec -np 3 dlp-lua", busy: 3)
        launched.signal(SIGTERM)
        usleep(900_000)
        launched.signal(signal)
        let outcome = try launched.finish()
        #expect(outcome.status == 128 + signal)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after ", " of 100000 examples"), "\(outcome.error)")
    }

    @Test("a root that is killed is named once, by the launcher")
    func rootKilled() throws {
        let launched = try start("ameexec -np 4 dlp-lua", busy: 4)
        try launched.signal(SIGKILL, rank: 0)
        let outcome = try launched.finish()
        #expect(outcome.status == 128 + SIGKILL)
        #expect(outcome.isOneMessage("ameexec", with: "rank 0 (pid ", "was killed by signal 9"), "\(outcome.error)")
    }

    @Test("ranks that are not all started yet can be interrupted", arguments: [SIGINT, SIGTERM])
    func starting(_ signal: Int32) throws {
        let scratch = try Scratch()
        let launched = try Launched(["ameexec", "-np", "3000", "sh", "-c", "touch began; exec sleep 60"], in: scratch)
        try launched.reaches("the first has started") { scratch.names.contains("began") }
        launched.signal(signal)
        #expect(try launched.finish().status == 128 + signal)
    }

    @Test(
        "a signal at any moment of the start is told, and is the status",
        arguments: ["dlp-lua -np 4", "ameexec -np 4 dlp-lua"], [SIGINT, SIGTERM])
    func anyMoment(_ command: String, _ signal: Int32) throws {
        let scratch = try Scratch(
            job: "dlp.barrier() function examples() return 4 end function work() while true do end end")
        for _ in 0..<20 {
            let launched = try Launched((command + " job.lua").split(separator: " ").map { String($0) }, in: scratch)
            // The launcher starts its guardian after it has begun to handle signals.
            try launched.reaches("it has begun") { launched.processTable.contains("ameexec-guard") }
            usleep(UInt32.random(in: 0...100_000))
            launched.signal(signal)
            let outcome = try launched.finish()
            #expect(outcome.status == 128 + signal, "\(outcome.error)")
            #expect(outcome.error.contains("interrupted"), "\(outcome.error)")
            #expect(!outcome.error.contains("lost rank"), "\(outcome.error)")
        }
    }

    @Test("a crash is a signal without a backtrace, alone and as a rank")
    func crash() throws {
        let crash = "os.execute('kill -SEGV ' .. io.open('/proc/self/stat'):read('n'))"
        let alone = try run("dlp-lua -e", crash)
        #expect(alone.status == 128 + SIGSEGV && alone.error == "" && alone.output == "", "\(alone.error)")
        let ranks = try run("ameexec -np 2 dlp-lua -e", "if dlp.RANK == 1 then \(crash) end dlp.barrier()")
        #expect(ranks.status == 3)
        #expect(ranks.isOneMessage("dlp-lua", with: "rank 1", "signal 11"), "\(ranks.error)")
    }

    @Test("nothing outlives a launcher that is killed", arguments: ["ameexec -np 3 dlp-lua", "dlp-lua -np 3"])
    func launcherKilled(_ command: String) throws {
        let launched = try start(command, busy: 3)
        launched.signal(SIGKILL)
        #expect(try launched.finish().status == 128 + SIGKILL)
    }

    @Test(
        "a worker of an imperative script that is killed, or told to end, is a lost rank",
        arguments: [(SIGKILL, "signal 9 (Killed)"), (SIGTERM, "status 143")] as [(Int32, String)])
    func workerLost(_ signal: Int32, _ says: String) throws {
        let launched = try start(
            "ameexec -np 3 dlp-lua", busy: 3, job: "io.open('busy.' .. dlp.RANK, 'w'):close() while true do end")
        try launched.signal(signal, rank: 1)
        let outcome = try launched.finish()
        #expect(outcome.status == 3)
        #expect(outcome.isOneMessage("dlp-lua", with: "lost rank 1", says), "\(outcome.error)")
        #expect(outcome.output == "")
    }

    @Test("all ranks end when the root is killed", arguments: ["map", "managed", "round-robin"])
    func rootKilled(_ mode: String) throws {
        let launched = try start("ameexec -np 3 dlp-lua --mode \(mode)", busy: 3)
        try launched.signal(SIGKILL, rank: 0)
        let outcome = try launched.finish()
        #expect(outcome.status == 128 + SIGKILL)
        #expect(outcome.error.contains("rank 0") && outcome.error.contains("Killed"), "\(outcome.error)")
        #expect(outcome.output == "")
    }

    @Test(
        "a rank that is deep in C does not hold up the end of the job",
        arguments: [
            "if n == 1 then os.execute('sleep 0.3') error('boom') end",
            "if n == 1 then os.execute('sleep 0.3') os.exit(1) end",
        ])
    func deepInC(_ end: String) throws {
        // The pattern takes a time exponential in its length.
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work(n)
                  \(end)
                  return (('a'):rep(60)):find(('a-'):rep(40) .. 'b')
                end
                """)
        let outcome = try run("ameexec -np 3 dlp-lua --chunk 1 job.lua", in: scratch)
        #expect(outcome.status == 1)
        #expect(outcome.output == "")
        #expect(outcome.error.split(separator: "\n").count { $0.hasPrefix("dlp-lua") } <= 1, "\(outcome.error)")
    }
}
