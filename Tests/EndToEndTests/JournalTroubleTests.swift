import Glibc
import TestSupport
import Testing

/// Journals that another job uses, that cannot be written, or that are something else.
@Suite(.hangLimit)
struct JournalTroubleTests {
    private static let simple = "function examples() return 10 end function work(n) return n end"

    /// The first 20 examples take no time, the others wait for the file `go`.
    private static let waiting = """
        function examples() return 40 end
        function work(n)
          while n > 20 do
            local file = io.open("go")
            if file then file:close() break end
            for _ = 1, 100000 do end
          end
          return n
        end
        """

    /// Starts the waiting job, and waits until the journal has its first examples.
    private func start(_ scratch: Scratch, _ command: String = "ameexec -np 2 dlp-lua") throws -> Launched {
        let words = "\(command) --journal run.db job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        // The other fast examples are in chunks with waiting ones.
        try launched.reaches("some are in the journal") {
            let count = try run("sqlite3 run.db", "SELECT count(*) FROM results", in: scratch).lines.first
            return count.flatMap { Int($0) } ?? 0 >= 10
        }
        return launched
    }

    @Test("what a file cannot hold is null in what --results exports, and is told")
    func misfits() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 5 end
                function work(n) return n % 2 == 0 and {[{}] = n} or n end
                function summarize() end
                """)
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        let outcome = try run("dlp-lua --results run.db --output out.jsonl", in: scratch)
        #expect(outcome.status == 0 && scratch.read("out.jsonl") == "1\nnull\n3\nnull\n5\n")
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "result of example 2", "as JSON", "out.jsonl has null for it and 1 more"),
            "\(outcome.error)")
    }

    @Test("while a job runs its journal can be read, and no other job can have it")
    func running() throws {
        let scratch = try Scratch(job: Self.waiting)
        let launched = try start(scratch)
        let shown = try run("dlp-lua --results run.db", in: scratch)
        #expect(shown.status == 0 && shown.lines.count >= 10 && shown.error == "")
        #expect(shown.lines.first?.hasPrefix("{\"index\":1,\"state\":\"done\",\"result\":1,\"seconds\":") ?? false)
        for option in ["", "--keep", "--fresh"] {
            let second = try run("ameexec -np 2 dlp-lua \(option) --journal run.db job.lua", in: scratch)
            #expect(second.status == 2)
            #expect(second.isOneMessage("dlp-lua", with: "another job writes the journal run.db"), "\(second.error)")
        }
        try scratch.write("go", "")
        let outcome = try launched.finish()
        #expect(outcome.status == 0 && outcome.lines == (1...40).map { "\($0)" }, "\(outcome.error)")
        #expect(try run("dlp-lua --results run.db", in: scratch).lines.count == 40)
    }

    @Test(
        "an interrupted job says how to go on, and its journal is closed",
        arguments: ["map", "managed", "round-robin"])
    func interrupt(_ mode: String) throws {
        let scratch = try Scratch(job: Self.waiting)
        let launched = try start(scratch, "ameexec -np 2 dlp-lua --mode \(mode)")
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130)
        let message = " of 40 examples; start again with the same --journal to go on"
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after ", message), "\(outcome.error)")
        #expect(!scratch.names.contains { $0.hasPrefix("run.db-") })
        try scratch.write("go", "")
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).lines.count == 40)
    }

    @Test("the journal of another script or seed is refused, with the remedies")
    func refusal() throws {
        let scratch = try Scratch(job: Self.simple)
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        let seed = try run("dlp-lua --journal run.db --seed 3 job.lua", in: scratch)
        #expect(seed.status == 2 && seed.isOneMessage("dlp-lua", with: "--seed 0, not 3", "--keep", "--fresh"))
        let drawn = try run("dlp-lua --journal run.db --seed random job.lua", in: scratch)
        #expect(drawn.status == 0 && drawn.error == "dlp-lua: seed 0\n", "a drawn seed is the journal's")

        let arguments = try run("dlp-lua --journal run.db job.lua 1 'x\"y'", in: scratch)
        #expect(
            arguments.status == 2
                && arguments.isOneMessage("dlp-lua", with: "arguments [], not [\"1\",", "--keep", "--fresh"))

        try scratch.write("other.lua", Self.simple + " work = tostring")
        let changed = try run("ameexec -np 3 dlp-lua --journal run.db other.lua", in: scratch)
        #expect(
            changed.status == 2
                && changed.isOneMessage("dlp-lua", with: "made by job.lua, not by other.lua", "--keep", "--fresh"))
        #expect(try run("dlp-lua --keep --journal run.db other.lua", in: scratch).status == 0)
        #expect(try run("dlp-lua --journal run.db other.lua", in: scratch).status == 0)
        #expect(
            try run("dlp-lua --fresh --journal run.db -e", Self.simple + " work = tostring", in: scratch).status == 0)
        let other = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(other.status == 2 && other.isOneMessage("dlp-lua", with: "made by (command line), not by job.lua"))
    }

    @Test(
        "what cannot be a journal is refused before any work",
        arguments: [
            ("--journal job.lua -e work=print", "job.lua is no journal of dlp-lua"),
            ("--journal nowhere/run.db job.lua", "nowhere/run.db: No such file or directory"),
            ("--journal /tmp job.lua", "/tmp: Is a directory"),
            ("--keep job.lua", "--keep and --fresh say what to do with a --journal"),
            ("--keep --fresh --journal run.db job.lua", "one of them only"),
            ("--results nowhere.db", "nowhere.db: No such file or directory"),
            ("--results job.lua", "job.lua is no journal"), ("--results run.db job.lua", "without a script"),
        ])
    func usage(_ words: String, _ reason: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 3 end function work(n) io.open('worked', 'w'):close() return n end")
        let outcome = try run("ameexec -np 2 dlp-lua \(words)", in: scratch)
        #expect(outcome.status == 2 && outcome.isOneMessage("dlp-lua", with: reason), "\(outcome.error)")
        #expect(!scratch.names.contains("worked"))
        #expect(scratch.read("job.lua")?.hasPrefix("function examples") ?? false)
    }

    @Test("examples that have no value to be known by are refused")
    func functions() throws {
        let scratch = try Scratch(job: "function examples() return {1, {f = print}} end function work(n) return 1 end")
        for command in ["dlp-lua", "ameexec -np 2 dlp-lua --examples replicate"] {
            let outcome = try run("\(command) --journal run.db job.lua", in: scratch)
            let reason = "example 2: .f is a function, by which a journal cannot tell examples apart"
            #expect(outcome.status == 1 && outcome.isOneMessage("dlp-lua", with: reason), "\(outcome.error)")
        }
    }

    @Test("an imperative script is told that it keeps no journal")
    func imperative() throws {
        let outcome = try run("ameexec -np 2 dlp-lua --journal run.db -e", "if dlp.IS_ROOT then print(1) end")
        #expect(outcome.status == 0 && outcome.output == "1\n")
        #expect(outcome.isOneMessage("dlp-lua", with: "--journal keeps nothing of a script without a function work"))
    }

    /// Runs a shell script with a separate small file system at `disk`.
    private func onDisk(_ options: String, _ script: String, in scratch: Scratch) throws -> Outcome {
        let mount = "mkdir disk && mount -t tmpfs -o \(options) tmpfs disk || exit 99"
        let outcome = try run("unshare --mount --map-root-user sh -c", "\(mount)\n\(script)", in: scratch)
        rmdir("\(scratch.path)/disk")
        return outcome
    }

    @Test("a directory that cannot be written is refused before any work")
    func readOnly() throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work(n) print('worked') return n end")
        let outcome = try onDisk(
            "size=2m", "mount -o remount,ro disk; dlp-lua --journal disk/run.db job.lua", in: scratch)
        #expect(outcome.status == 2 && outcome.output == "")
        #expect(outcome.isOneMessage("dlp-lua", with: "disk/run.db: Read-only file system"), "\(outcome.error)")
    }

    @Test("a journal on a medium that cannot be written can be shown")
    func readOnlyResults() throws {
        let scratch = try Scratch(job: Self.simple)
        let outcome = try onDisk(
            "size=2m",
            "dlp-lua --journal disk/run.db job.lua >&2 && mount -o remount,ro disk; dlp-lua --results disk/run.db",
            in: scratch)
        #expect(outcome.status == 0 && outcome.lines.count == 10, "\(outcome.error)")
    }

    @Test("when the disk is full the job ends and says so, and goes on once there is room")
    func full() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 400 end
                function work(n)
                  for _ = 1, 400000 do end
                  return (tostring(n):rep(1000))
                end
                """)
        let reference = try run("dlp-lua job.lua", in: scratch)
        let outcome = try onDisk(
            "size=400k",
            """
            ameexec -np 2 dlp-lua --journal disk/run.db job.lua >/dev/null
            echo "status $?"
            mount -o remount,size=50m disk
            sqlite3 disk/run.db 'PRAGMA integrity_check'
            ameexec -np 3 dlp-lua --journal disk/run.db job.lua
            """, in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "cannot write the journal disk/run.db", "full"), "\(outcome.error)")
        let isRight = outcome.output == "status 2\nok\n" + reference.output
        #expect(isRight, "\(outcome.lines.prefix(3))")
    }
}
