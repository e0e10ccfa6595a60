import Glibc
import TestSupport
import Testing

/// `--watch`: another terminal shows how far a job is.
@Suite(.hangLimit)
struct WatchTests {
    /// A job whose third example waits for the file `go`.
    private static let job = """
        function examples() return 4 end
        function work(n)
          if n == 2 then error("no luck") end
          if n == 3 then
            io.open("begun", "w"):close()
            while not io.open("go") do dlp.sleep(0.01) end
          end
          return n
        end
        """

    /// Starts the job, and waits until everything but its third example is in the journal.
    private func waitingJob(_ start: String) throws -> Launched {
        let launched = try Launched(
            "\(start) --chunk 1 --on-error continue --journal run.db job.lua".split(separator: " ").map(String.init),
            in: Scratch(job: Self.job))
        try launched.reaches("example 3 has begun") { launched.scratch.names.contains("begun") }
        return launched
    }

    private func finish(_ job: Launched) throws {
        try job.scratch.write("go", "")
        let outcome = try job.finish()
        #expect(outcome.status == 4, "\(outcome)")
        let tables = try run("sqlite3 run.db", ".tables", in: job.scratch)
        #expect(tables.output.split(whereSeparator: \.isWhitespace) == ["meta", "results"], "\(tables)")
    }

    @Test(
        "without a terminal it is lines, the last of them when the job has ended",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"])
    func lines(_ start: String) throws {
        let job = try waitingJob(start)
        let watch = try Launched(["sh", "-c", "exec dlp-lua --watch run.db >seen"], in: job.scratch)
        try watch.reaches("it says how far the job is") { job.scratch.read("seen")?.contains("/4") ?? false }
        try finish(job)
        let outcome = try watch.finish()
        let lines = (job.scratch.read("seen") ?? "").split(separator: "\n")
        #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome)")
        #expect(lines.last == "run.db:  100 %  4/4  1 failed; no job writes it", "\(lines)")
        #expect(lines.allSatisfy { !$0.contains("\u{1b}") })
    }

    @Test(
        "on a terminal it is a screen that leaves everything as it was, whatever ends it; the job goes on",
        arguments: [("q", 0), ("\u{3}", 130)])
    func screen(_ key: String, _ status: Int) throws {
        let job = try waitingJob("ameexec -np 2 dlp-lua")
        let scratch = job.scratch
        let command = "trap : INT; stty cols 80 rows 24; dlp-lua --watch run.db; echo status $?; stty -a"
        try scratch.write("watch.sh", "mkfifo keys; exec script -qefc '\(command)' screen <>keys\n")
        let watch = try Launched(["sh", "watch.sh"], in: scratch, environment: ["TERM": "xterm"])
        try watch.reaches("what has been under work the longest, and the failure, are shown") {
            let screen = scratch.read("screen") ?? ""
            return screen.contains(/\d +\S+ +3 +0:\d\d:\d\d/) && screen.contains("example 2: job.lua:3: no luck")
        }
        let keys = open("\(scratch.path)/keys", O_RDWR | O_CLOEXEC)
        try #require(keys >= 0 && write(keys, key, 1) == 1)
        close(keys)
        try watch.reaches("it has ended") { scratch.read("screen")?.contains("status \(status)") ?? false }
        let outcome = try watch.finish()
        let screen = scratch.read("screen") ?? ""
        let parts = screen.split(separator: "\u{1b}[?25h\u{1b}[?1049l")
        #expect(parts.count == 2 && parts[0].contains("\u{1b}[?1049h\u{1b}[?25l"), "\(outcome) \(screen)")
        let settings = (parts.last ?? "").split(whereSeparator: \.isWhitespace)
        #expect(settings.contains("icanon") && settings.contains("echo"), "\(settings)")
        #expect(!job.hasEnded)
        try finish(job)
    }

    @Test("a lost rank is named, and a stage that has not begun is waited for")
    func lost() throws {
        let job = try waitingJob("ameexec -np 3 dlp-lua")
        let scratch = job.scratch
        let stage = try Launched(["sh", "-c", "exec dlp-lua --watch run.db --stage later >staged"], in: scratch)
        try stage.reaches("it waits for the stage") { scratch.read("staged")?.contains("0 examples") ?? false }
        let watch = try Launched(["sh", "-c", "exec dlp-lua --watch run.db >seen"], in: scratch)
        try watch.reaches("it knows all ranks") { scratch.read("seen")?.contains("/3 ranks") ?? false }
        // Rank 2 waits, or has the third example.
        try job.signal(SIGKILL, rank: 2)
        try watch.reaches("the lost one is counted") { scratch.read("seen")?.contains("1 rank lost") ?? false }
        try job.reaches("SIGUSR1 tells of it, too") {
            job.signal(SIGUSR1)
            usleep(50_000)
            return job.errorText.contains(" ranks at work, 1 lost")
        }
        try scratch.write("go", "")
        #expect(try job.finish().status == 4)
        #expect(try watch.finish().status == 0)
        let outcome = try stage.finish()
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: "no stage later"), "\(outcome)")
    }

    @Test("a journal that no job writes is shown once, and what is none is refused")
    func ended() throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) return n end")
        _ = try run("dlp-lua --journal run.db job.lua", in: scratch)
        let outcome = try run("dlp-lua --watch run.db", in: scratch)
        #expect(outcome.output == "run.db:  100 %  3/3; no job writes it\n" && outcome.status == 0, "\(outcome)")
        for (words, complaint) in [
            ("--watch none.db", "cannot open the journal none.db"), ("--watch job.lua", "job.lua is no journal"),
            ("--watch run.db job.lua", "--watch follows a journal, without a script"),
            ("--watch run.db --output x.csv", "--watch only looks: leave --output out"),
            ("-np 2 --watch run.db", "--watch only looks: leave -np out"),
            ("--watch run.db --results run.db", "--watch only looks: leave --results out"),
            ("--results run.db --report r.html", "--results only shows what a journal holds: leave --report out"),
            ("--results run.db --failed", "--results only shows what a journal holds: leave --failed out"),
            ("--results run.db --check", "--results only shows what a journal holds: leave --check out"),
            ("--plan run.db --timeline t.svg", "--plan only goes by a journal's times: leave --timeline out"),
            ("--plan run.db --results run.db", "--results only shows what a journal holds: leave --plan out"),
            ("--watch run.db --stage none", "the journal has no stage none, but: (of the job itself)"),
            ("--results run.db --stage none", "the journal has no stage none, but: (of the job itself)"),
        ] {
            let refused = try run("dlp-lua \(words)", in: scratch)
            #expect(refused.status == 2 && refused.error.contains(complaint), "\(words): \(refused)")
        }
    }
}
