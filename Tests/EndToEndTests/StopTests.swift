import Glibc
import TestSupport
import Testing

/// Jobs that are stopped before all is done, in good order.
@Suite(.hangLimit)
struct StopTests {
    private static let commands = ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --root-works no"]

    /// Expects that every example that was begun has been finished, and was begun only once.
    private func expectAllFinished(in scratch: Scratch) {
        let ended = LongJob.counts(in: scratch)
        #expect(LongJob.counts(of: "began", in: scratch) == ended && ended.values.allSatisfy { $0 == 1 })
    }

    @Test(
        "--stop-after finishes what runs, keeps it, and says how to go on", arguments: commands,
        ["map", "managed", "round-robin", "map --examples root", "map --chunk 100000"])
    func stop(_ command: String, _ mode: String) throws {
        let scratch = try LongJob.scratch()
        let stopped = try run("\(command) --mode \(mode) --stop-after 0.7 --journal run.db job.lua", in: scratch)
        let done = LongJob.counts(in: scratch).count
        #expect(stopped.status == 5 && stopped.output == "")
        // The number of examples is known only once the list has been read to its end.
        #expect(
            stopped.isOneMessage(
                "dlp-lua", with: "stopped after \(done) ", "examples, as --stop-after asks; summarize was not called",
                "start again with the same --journal to go on"), "\(stopped.error)")
        expectAllFinished(in: scratch)
        #expect(!scratch.names.contains { $0.hasPrefix("run.db-") }, "the journal is closed")
        try LongJob.goOn(in: scratch) { try run("\(command) --mode \(mode) \($0)", in: scratch) }
    }

    @Test(
        "without a journal --stop-after says what to give, and what is missing", arguments: commands,
        ["map", "managed", "round-robin"])
    func stopWithoutJournal(_ command: String, _ mode: String) throws {
        let scratch = try LongJob.scratch()
        let outcome = try run("\(command) --mode \(mode) --stop-after 0.5 --output out.json job.lua", in: scratch)
        #expect(outcome.status == 5 && outcome.output == "")
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "stopped after ", "the results is in out.json.partial", "with a --journal"),
            "\(outcome.error)")
        expectAllFinished(in: scratch)
    }

    @Test("what one process has done before the stop is printed, to the last result")
    func printsAll() throws {
        let job = """
            function examples() return 1000 end
            function work(n) local start = os.clock() while os.clock() - start < 0.01 do end return n end
            """
        let outcome = try run("dlp-lua --stop-after 0.3 job.lua", in: Scratch(job: job))
        #expect(outcome.status == 5 && !outcome.lines.isEmpty)
        #expect(outcome.lines == (1...outcome.lines.count).map { "\($0)" })
        #expect(
            outcome.isOneMessage("dlp-lua", with: "stopped after \(outcome.lines.count) of 1000 examples"),
            "\(outcome.error)")
    }

    @Test("a job that is done in time is not stopped", arguments: commands)
    func inTime(_ command: String) throws {
        let outcome = try run(
            "\(command) --stop-after 500 -e",
            "function examples() return 9 end function work(n) return n end function summarize(r) print(#r) end")
        #expect(outcome.output == "9\n" && outcome.error == "" && outcome.status == 0)
    }

    @Test("what failed before the stop is counted")
    func failures() throws {
        let outcome = try run(
            "ameexec -np 2 dlp-lua --stop-after 0.5 --on-error continue -e",
            "function examples() return 1 << 30 end function work() error('boom') end")
        #expect(outcome.status == 5)
        #expect(outcome.complaints.count == 1 && outcome.error.contains(" of which failed"), "\(outcome.error)")
    }

    @Test("a loop of the module that is stopped ends its script", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func imperative(_ command: String) throws {
        let loop = try run(
            "\(command) --stop-after 0.3 -e",
            "for n in dlp.split_managed(1 << 40, {chunk = 1}) do dlp.sleep(0.01) end print('behind it')")
        #expect(loop.isOneMessage("dlp-lua", with: "elements of split_managed, as --stop-after asks"), "\(loop.error)")
        #expect(loop.status == 5 && loop.output == "")
        let other = try run("\(command) --stop-after 100 -e", "if dlp.IS_ROOT then print('done') end")
        #expect(other.isOneMessage("dlp-lua", with: "--stop-after is of no use"), "\(other.error)")
        #expect(other.status == 0 && other.output == "done\n")
    }

    @Test(
        "SIGTERM lets what runs finish", arguments: commands.dropLast() + ["dlp-lua -np 3"],
        ["map", "managed", "round-robin"])
    func terminate(_ command: String, _ mode: String) throws {
        let scratch = try LongJob.scratch()
        let words = "\(command) --mode \(mode) --journal run.db job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        try LongJob.wait(launched, for: command == "dlp-lua" ? 1 : 3, in: scratch)
        launched.signal(SIGTERM)
        try expectGoodEnd(launched, in: scratch)
        try LongJob.goOn(in: scratch) { try run("\(command) \($0)", in: scratch) }
    }

    @Test("nobody is said to do what a rank had that is lost when nothing more is begun")
    func loss() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 1000 end
                function work(n)
                  io.open("at." .. dlp.RANK, "w"):close()
                  os.execute("sleep " .. (dlp.IS_ROOT and 0.2 or 30))
                end
                function summarize() end
                """)
        let words = "ameexec -np 2 dlp-lua --stop-after 1 job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        try launched.reaches("rank 1 is at work") { scratch.names.contains("at.1") }
        // By now rank 0 has begun its last example, and then waits only for rank 1.
        usleep(1_500_000)
        try launched.signal(SIGKILL, rank: 1)
        let outcome = try launched.finish()
        #expect(outcome.status == 5 && outcome.complaints.count == 2, "\(outcome.error)")
        #expect(outcome.complaints.first?.hasSuffix("killed by signal 9 (Killed)") ?? false, "\(outcome.error)")
    }

    @Test("SIGTERM to every rank, as from a batch system, lets what runs finish", arguments: ["map", "round-robin"])
    func terminateAll(_ mode: String) throws {
        let scratch = try LongJob.scratch()
        let words = "ameexec -np 3 dlp-lua --mode \(mode) --journal run.db job.lua"
        let launched = try Launched(words.split(separator: " ").map { String($0) }, in: scratch)
        try LongJob.wait(launched, for: 3, in: scratch)
        for rank in [1, 2, 0] { try launched.signal(SIGTERM, rank: rank) }
        try expectGoodEnd(launched, in: scratch)
    }

    private func expectGoodEnd(_ launched: Launched, in scratch: Scratch) throws {
        let outcome = try launched.finish()
        #expect(outcome.status == 143 && outcome.output == "")
        let done = LongJob.counts(in: scratch).count
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "interrupted after \(done) ", "examples; summarize was not called",
                "start again with the same --journal to go on"), "\(outcome.error)")
        expectAllFinished(in: scratch)
    }

    /// An example that never ends; a file says that it has begun.
    private static let endless = """
        function examples() return 1 end
        function work() io.open("busy", "w"):close() while true do end end
        """

    @Test("what does not finish after SIGTERM is abandoned in time", arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"])
    func graceIsOver(_ command: String) throws {
        let scratch = try Scratch(job: Self.endless)
        let launched = try Launched("\(command) job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("it is busy") { scratch.names.contains("busy") }
        launched.signal(SIGTERM)
        let outcome = try launched.finish()
        #expect(outcome.status == 143)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after 0 of 1 examples"), "\(outcome.error)")
    }

    @Test("others may finish what they do when SIGTERM comes, even if rank 0 is not in the loop yet")
    func beforeTheRootsLoop() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work()
                  io.open("busy", "w"):close()
                  local beginning = os.time()
                  while os.time() - beginning < 4 do end
                  io.open("done", "w"):close()
                end
                """)
        let launched = try Launched(
            ["ameexec", "-np", "2", "dlp-lua", "--progress", "on", "job.lua"], in: scratch,
            environment: SlowRoot.environment(in: scratch))
        try launched.reaches("it is busy") { scratch.names.contains("busy") }
        launched.signal(SIGTERM)
        let outcome = try launched.finish()
        #expect(outcome.status == 143 && scratch.names.contains("done"))
        // Rank 0 may have come in time to begin an example too.
        let ends = (1...2).map { "dlp-lua: interrupted after \($0) of 3 examples" }
        #expect(ends.contains { outcome.error.contains($0) }, "\(outcome.error)")
    }

    @Test("ranks that are about to begin the loop when SIGTERM comes stay as long as the root")
    func beforeTheLoop() throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  io.open("at." .. dlp.RANK, "w"):close()
                  while dlp.IS_ROOT and not io.open("go") do end
                  return 1
                end
                function work()
                  io.open("busy", "w"):close()
                  local begin = os.time()
                  while os.time() - begin < 5 do end
                end
                function summarize() print("done") end
                """)
        // Whether a rank gets the signal before it is in the loop is chance: of many ranks, some do.
        let workers = 1...8
        let launched = try Launched(["ameexec", "-np", "9", "dlp-lua", "job.lua"], in: scratch)
        try launched.reaches("all ranks wait for the root") {
            workers.allSatisfy { scratch.names.contains("at.\($0)") }
        }
        usleep(300_000)
        for rank in workers { try launched.signal(SIGSTOP, rank: rank) }
        try scratch.write("go", "")
        try launched.reaches("the root is busy") { scratch.names.contains("busy") }
        for rank in 0...8 { try launched.signal(SIGTERM, rank: rank) }
        for rank in workers { try launched.signal(SIGCONT, rank: rank) }
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.output == "done\n" && outcome.error == "", "\(outcome)")
    }

    /// A job whose rank 1 is stopped as soon as it has done its part, when its state is closed.
    ///
    /// Rank 0 leaves a file when it closes its own state.
    private static let stopsAtTheEnd = """
        function examples() return 6 end
        function work(n) return n end
        function summarize(results) print(results.n) end
        local atTheEnd = {[0] = ": > done", "kill -STOP $PPID"}
        kept = setmetatable({}, {__gc = function() os.execute(atTheEnd[dlp.RANK] or "true") end})
        """

    @Test("a rank that is stopped when all is done does not keep the job from ending")
    func stoppedAtTheEnd() throws {
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: Scratch(job: Self.stopsAtTheEnd))
        #expect(outcome.status == 0 && outcome.output == "6\n")
        #expect(
            outcome.isOneMessage("dlp-lua", with: "rank 1 (host ", "does not answer", "all is done"), "\(outcome.error)"
        )
    }

    @Test("a signal that comes when all is done does not call it lost", arguments: [SIGTERM, SIGINT])
    func signalAtTheEnd(_ signal: Int32) throws {
        let scratch = try Scratch(job: Self.stopsAtTheEnd)
        let launched = try Launched(["ameexec", "-np", "3", "dlp-lua", "job.lua"], in: scratch)
        try launched.reaches("all is done") { scratch.names.contains("done") }
        launched.signal(signal)
        let outcome = try launched.finish()
        #expect(!outcome.error.contains("lost"), "\(outcome.error)")
        #expect([0, 128 + signal].contains(outcome.status))
    }

    @Test("Ctrl-C after SIGTERM abandons what runs at once")
    func impatience() throws {
        let scratch = try Scratch(job: Self.endless)
        let launched = try Launched(["dlp-lua", "job.lua"], in: scratch)
        try launched.reaches("it is busy") { scratch.names.contains("busy") }
        launched.signal(SIGTERM)
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after 0 of 1 examples"), "\(outcome.error)")
    }

    @Test(
        "an imperative script that gets SIGTERM ends at once",
        arguments: [("dlp-lua", 1), ("ameexec -np 3 dlp-lua", 3)])
    func imperativeTerminated(_ command: String, _ ranks: Int) throws {
        let scratch = try Scratch(job: "io.open('busy.' .. dlp.RANK, 'w'):close() while true do end")
        let launched = try Launched("\(command) job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("all are busy") { scratch.names.count { $0.hasPrefix("busy.") } == ranks }
        launched.signal(SIGTERM)
        let outcome = try launched.finish()
        #expect(outcome.status == 143)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted"), "\(outcome.error)")
    }
}

/// A rank 0 that enters the loop late, when others may already be at work.
enum SlowRoot {
    /// Returns the environment in which a job with `--progress on` has such a rank 0.
    static func environment(in scratch: Scratch) throws -> [String: String] {
        // Between its answer to the other ranks and the loop, rank 0 makes a pipe for its display.
        try scratch.write(
            "slow-pipe.c",
            """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            static int is_root;
            // Later the variable is gone.
            __attribute__((constructor)) static void begin(void) {
                const char *rank = getenv("AME_RANK");
                is_root = rank && strcmp(rank, "0") == 0;
            }
            int pipe(int ends[2]) {
                if (is_root) for (int left = 2; left; left = sleep(left)) {}
                return pipe2(ends, 0);
            }
            """)
        #expect(try run("cc -shared -fPIC -o slow-pipe.so slow-pipe.c", in: scratch).status == 0)
        return ["LD_PRELOAD": "\(scratch.path)/slow-pipe.so"]
    }
}
