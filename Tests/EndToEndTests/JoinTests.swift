import Glibc
import Simulation
import TestSupport
import Testing

/// Ranks that join a job after its start.
@Suite(.hangLimit)
struct JoinTests {
    static let key = ["DLP_JOIN_KEY": "a secret for tests only"]

    /// Each example leaves a file when it begins, and waits for another file: `go`, or one that lets an example of
    /// its rank end.
    static let job = """
        function examples() return 40 end
        function work(n)
          io.open("began." .. n .. "." .. dlp.RANK, "w"):close()
          while not io.open("go") and not os.remove("go." .. dlp.RANK) do io.popen("sleep 0.02"):close() end
          return {n, math.random(1 << 40), ("x"):rep(n * 10)}
        end
        """

    /// A running job that can be joined.
    final class Job {
        let scratch: Scratch
        let launched: Launched
        let address: String

        init(
            _ command: String, _ script: String = JoinTests.job, environment: [String: String] = [:],
            input: String = "",
            on hosts: Hosts? = nil
        ) throws {
            scratch = try Scratch(job: script)
            let variables = environment.merging(JoinTests.key) { $1 }
            if let hosts {
                launched = try hosts.start(on: 1, command, in: scratch, environment: variables)
            } else {
                launched = try Launched(
                    command.split(separator: " ").map { String($0) }, in: scratch, input: input,
                    environment: variables)
            }
            let process = launched
            let opening = "dlp-lua: others can join with: dlp-lua --join "
            var line: Substring?
            try process.reaches("it says how to join it") {
                let text = process.errorText
                guard text.hasSuffix("\n") else { return false }
                line = text.split(separator: "\n").first { $0.hasPrefix(opening) }
                return line != nil
            }
            address = try String(#require(line).dropFirst(opening.count))
        }

        /// Starts one more rank, or several.
        func join(_ options: String = "", environment: [String: String] = JoinTests.key) throws -> Launched {
            try Launched(
                "dlp-lua \(options) --join \(address)".split(separator: " ").map { String($0) }, in: scratch,
                environment: environment)
        }

        /// Waits until a rank has begun an example.
        func wait(for rank: Int) throws {
            try launched.reaches("rank \(rank) has begun an example") {
                scratch.names.contains { $0.hasPrefix("began.") && $0.hasSuffix(".\(rank)") }
            }
        }

        /// Waits until a text appears on standard error.
        func wait(for text: String) throws {
            try launched.reaches("it says: \(text)") { launched.errorText.contains(text) }
        }

        /// Lets all examples end, or one of a rank.
        func go(_ rank: Int? = nil) throws { try scratch.write(rank.map { "go.\($0)" } ?? "go", "") }

        /// How often each example was begun.
        var begun: [Int] {
            var counts = Array(repeating: 0, count: 41)
            for name in scratch.names where name.hasPrefix("began.") {
                counts[name.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0] += 1
            }
            return Array(counts[1...])
        }

        var losses: Int { launched.errorText.split(separator: "\n").count { $0.contains("lost rank") } }
    }

    /// Returns what the job should print in the end.
    func expected(_ script: String = job) throws -> String {
        let scratch = try Scratch(job: script)
        try scratch.write("go", "")
        return try run("dlp-lua job.lua", in: scratch).output
    }

    static let once = Array(repeating: 1, count: 40)

    @Test("a rank that has joined and is stopped does not hold a job whose examples have a limit")
    func stopped() throws {
        let job = try Job(
            "dlp-lua --joinable 127.0.0.1:0 --timeout 3 --chunk 1 job.lua",
            """
            function examples() return 40 end
            function work(n)
              if dlp.RANK > 0 then io.open("joined", "w"):close() os.execute("sleep 2") end
              os.execute("sleep 0.1")
              return n
            end
            """)
        let joined = try job.join()
        try joined.reaches("it works") { job.scratch.names.contains("joined") }
        joined.signal(SIGSTOP)
        let outcome = try job.launched.finish()
        #expect(outcome.status == 0 && outcome.lines == (1...40).map { String($0) })
        #expect(
            outcome.error.contains("lost rank 1 (host ") && outcome.error.contains("does not answer"),
            "\(outcome.error)")
    }

    @Test(
        "a job has the results of its plain loop although ranks join it",
        arguments: [
            "map", "managed", "map --chunk 3", "map --examples root", "managed --examples root",
            "map --on-error continue",
            "map --journal run.db", "managed --journal run.db",
        ])
    func join(_ mode: String) throws {
        let job = try Job("dlp-lua --mode \(mode) --joinable 127.0.0.1:0 job.lua")
        try job.wait(for: 0)
        let late = [try job.join(), try job.join(), try job.join()]
        for rank in 1...3 { try job.wait(for: rank) }
        try job.go()
        let outcome = try job.launched.finish()
        #expect(try outcome.output == expected())
        #expect(outcome.status == 0 && job.losses == 0, "\(outcome.error)")
        for rank in 1...3 { #expect(outcome.error.contains("dlp-lua: rank \(rank) (host ")) }
        for rank in late { #expect(try rank.finish().isQuiet) }
        #expect(job.begun == Self.once)
    }

    @Test(
        "ranks join whoever started the others",
        arguments: [
            "ameexec -np 2 dlp-lua", "dlp-lua -np 2", "mpiexec.hydra -n 2 dlp-lua", "mpiexec -n 2 dlp-lua",
            "srun -Q --mpi=none -n 2 dlp-lua",
        ])
    func launchers(_ launcher: String) throws {
        let variables = launcher.hasPrefix("srun") ? try Testbed.slurmEnvironment() : Testbed.environment
        let job = try Job("\(launcher) --joinable 127.0.0.1:0 job.lua", environment: variables)
        try job.wait(for: 0)
        try job.wait(for: 1)
        let late = try job.join("-np 2")
        for rank in 2...3 { try job.wait(for: rank) }
        try job.go()
        let outcome = try job.launched.finish()
        #expect(try outcome.output == expected())
        #expect(outcome.status == 0 && job.losses == 0, "\(outcome.error)")
        #expect(try late.finish().isQuiet)
    }

    @Test("a rank joins from another host", arguments: ["0", "[fd77::1]:0", "h1:0"])
    func hosts(_ place: String) throws {
        let hosts = try Hosts(2)
        let job = try Job("dlp-lua --joinable \(place) job.lua", on: hosts)
        try job.wait(for: 0)
        let late = try hosts.start(
            on: 2, "dlp-lua --join \(job.address)", in: job.scratch, environment: Self.key)
        try job.wait(for: 1)
        try job.go()
        let outcome = try job.launched.finish()
        #expect(try outcome.output == expected())
        #expect(outcome.status == 0 && outcome.error.contains("rank 1 (host h2) has joined"), "\(outcome.error)")
        #expect(try late.finish().isQuiet)
    }

    @Test(
        "one that gets a signal finishes its example and leaves, and nothing is done twice",
        arguments: ["map", "managed", "map --chunk 5", "managed --chunk 5"], [SIGTERM, SIGINT])
    func leave(_ mode: String, _ signal: Int32) throws {
        let job = try Job("dlp-lua --mode \(mode) --joinable 127.0.0.1:0 job.lua")
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        late.signal(signal)
        try late.reaches("it ends") {
            // It may take a moment until the signal is noticed.
            if !job.scratch.names.contains("go.1") { try job.go(1) }
            return late.hasEnded
        }
        #expect(try late.finish().isQuiet)
        try job.wait(for: "has left")
        #expect(job.launched.errorText.contains("rank 1 (host "))
        #expect(job.begun.contains(0), "it left although there was more to do")
        try job.go()
        let outcome = try job.launched.finish()
        #expect(try outcome.output == expected())
        #expect(outcome.status == 0 && job.losses == 0, "\(outcome.error)")
        #expect(job.begun == Self.once)
    }

    @Test("what one leaves undone whose program gets the signal, too, is done by others", arguments: [SIGTERM, SIGINT])
    func leaveWithProgram(_ signal: Int32) throws {
        let script = """
            function examples() return 6 end
            function work(n)
              local wait = dlp.RANK == 1 and "touch waits; exec sleep 60" or "while ! test -e go; do sleep 0.02; done"
              if not os.execute(wait) then io.open("gone-on", "w") end
              return n
            end
            function summarize(results) print(table.concat(results, " ")) end
            """
        let job = try Job("dlp-lua --joinable 127.0.0.1:0 job.lua", script)
        let late = try job.join()
        try late.reaches("it waits for a program") { job.scratch.names.contains("waits") }
        kill(-late.pid, signal)
        #expect(try late.finish().isQuiet)
        try job.wait(for: "has left")
        try job.scratch.write("go", "")
        let outcome = try job.launched.finish()
        #expect(outcome.output == "1 2 3 4 5 6\n" && outcome.status == 0 && job.losses == 0, "\(outcome.error)")
        #expect(!job.scratch.names.contains("gone-on"))
    }

    @Test("one that waits for something to do leaves at once")
    func leaveIdle() throws {
        let job = try Job(
            "dlp-lua --joinable 127.0.0.1:0 job.lua",
            Self.job.replacing("return 40", with: "return 2"))
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        try job.go(1)
        try job.launched.reaches("both examples have begun") { job.begun.prefix(2) == [1, 1] }
        late.signal(SIGTERM)
        #expect(try late.finish().isQuiet)
        try job.go()
        #expect(try job.launched.finish().status == 0)
    }

    @Test("one that dies is a lost rank like any other", arguments: ["map", "managed"])
    func killed(_ mode: String) throws {
        let job = try Job("dlp-lua --mode \(mode) --joinable 127.0.0.1:0 job.lua")
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        late.signal(SIGKILL)
        try job.wait(for: "lost rank 1 (host ")
        try job.go()
        let outcome = try job.launched.finish()
        #expect(try outcome.output == expected())
        #expect(outcome.status == 0 && job.losses == 1, "\(outcome.error)")
        #expect(job.begun.filter { $0 == 2 }.count == 1 && job.begun.reduce(0, +) == 41)
    }

    @Test("ranks come, go and die in any order", arguments: ["map", "managed"], UInt64(1)...2)
    func comings(_ mode: String, _ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let script = """
            function examples() return 800 end
            function work(n)
              local until_then = os.clock() + 0.005
              while os.clock() < until_then do end
              return {n, math.random(1 << 40)}
            end
            """
        let job = try Job("ameexec -np 2 dlp-lua --mode \(mode) --crash-limit 9 --joinable 127.0.0.1:0 job.lua", script)
        var late: [(launched: Launched, isKilled: Bool)] = []
        for _ in 0..<6 {
            let rank = try job.join("--connect-timeout 2")
            let signals: [Int32] = [0, SIGTERM, SIGKILL]
            let signal = signals.randomElement(using: &generator) ?? 0
            let joined = late.count + 1
            try eventually("it has joined, or is too late") {
                job.launched.errorText.split(separator: "\n").count { $0.hasSuffix("has joined") } >= joined
                    || rank.hasEnded
            }
            if signal != 0 { rank.signal(signal) }
            late.append((rank, signal == SIGKILL))
        }
        let outcome = try job.launched.finish()
        let plain = try run("dlp-lua job.lua", in: try Scratch(job: script))
        #expect(outcome.output == plain.output)
        #expect(outcome.status == 0, "\(outcome.error)")
        for (rank, isKilled) in late where !isKilled {
            let status = try rank.finish().status
            #expect(status == 0 || status == 3, "where it came too late it was not taken")
        }
    }

    @Test("a failing example of a late rank ends the job, and is told by the root")
    func failing() throws {
        let job = try Job(
            "dlp-lua --joinable 127.0.0.1:0 job.lua",
            Self.job.replacing("return {n", with: "if dlp.RANK == 1 then error('no luck') end return {n"))
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        try job.go(1)
        let outcome = try job.launched.finish()
        #expect(outcome.status == 1 && outcome.error.contains("on rank 1 (host "), "\(outcome.error)")
        #expect(outcome.error.contains("no luck"))
        let end = try late.finish()
        #expect(
            end.isOneMessage("dlp-lua", with: "rank 1: the job has ended with status 1") && end.status == 1, "\(end)")
    }

    @Test("a root that dies takes late ranks with it")
    func rootDies() throws {
        let job = try Job("dlp-lua --joinable 127.0.0.1:0 job.lua")
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        job.launched.signal(SIGKILL)
        let outcome = try late.finish()
        #expect(outcome.status == 3)
        #expect(outcome.isOneMessage("dlp-lua", with: "lost the connection to rank 0"), "\(outcome.error)")
    }

    @Test("what fails on one that wants to join is its own affair")
    func localFailure() throws {
        let script =
            "if os.getenv('BAD') == 'load' then error('not here') end\n"
            + "function setup() if os.getenv('BAD') == 'setup' then error('not here') end end\n" + Self.job
        let job = try Job("dlp-lua --joinable 127.0.0.1:0 job.lua", script)
        try job.wait(for: 0)
        for place in ["load", "setup"] {
            let late = try job.join(environment: Self.key.merging(["BAD": place]) { $1 }).finish()
            #expect(late.status == 1 && late.isOneMessage("dlp-lua", with: "cannot join", "not here"), "\(late.error)")
        }
        try job.go()
        let outcome = try job.launched.finish()
        #expect(outcome.status == 0 && outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    }

    @Test("one with other examples is told so where the others have them, and gets them where the root sends them")
    func otherExamples() throws {
        let script = Self.job.replacing(
            "return 40 end", with: "local t = {} for i = 1, 40 do t[i] = i + (os.getenv('SHIFT') or 0) end return t end"
        )
        let other = Self.key.merging(["SHIFT": "1"]) { $1 }
        for mode in ["replicate", "root"] {
            let job = try Job("dlp-lua --examples \(mode) --joinable 127.0.0.1:0 job.lua", script)
            try job.wait(for: 0)
            let late = try job.join(environment: other)
            if mode == "root" {
                try job.wait(for: 1)
            } else {
                let outcome = try late.finish()
                #expect(outcome.status == 1)
                #expect(outcome.isOneMessage("dlp-lua", with: "another list", "--examples root"), "\(outcome.error)")
            }
            try job.go()
            #expect(try job.launched.finish().output == expected())
            if mode == "root" { #expect(try late.finish().isQuiet) }
        }
    }

    @Test("a late rank has the script's arguments and the job's numbers, and nobody's key")
    func surroundings() throws {
        let job = try Job(
            "dlp-lua --joinable 127.0.0.1:0 - one two",
            environment: [:],
            input: """
                local words = {...}
                function examples() return 40 end
                function work(n)
                  io.open("began." .. n .. "." .. dlp.RANK, "w"):close()
                  while not io.open("go") do io.popen("sleep 0.02"):close() end
                  return {dlp.SIZE, dlp.IS_ROOT == (dlp.RANK == 0), words[1], arg[2], os.getenv("DLP_JOIN_KEY") or "none"}
                end
                function summarize(results)
                  for n = 1, results.n do
                    local size, isRoot, one, two, key = table.unpack(results[n])
                    assert(size == 1 and isRoot and one == "one" and two == "two" and key == "none")
                  end
                  print("fine")
                end
                """)
        try job.wait(for: 0)
        let late = try job.join()
        try job.wait(for: 1)
        try job.go()
        let outcome = try job.launched.finish()
        #expect(outcome.output == "fine\n", "\(outcome.error)")
        #expect(try late.finish().isQuiet)
    }
}

extension Outcome {
    /// Whether it succeeded without any output.
    fileprivate var isQuiet: Bool { status == 0 && error == "" && output == "" }
}
