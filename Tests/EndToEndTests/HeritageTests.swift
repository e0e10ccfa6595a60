import Glibc
import TestSupport
import Testing

/// What child processes inherit.
@Suite(.hangLimit)
struct HeritageTests {
    private static let blocking =
        "import os,signal,sys; signal.pthread_sigmask(signal.SIG_BLOCK,[2,15]); os.execvp(sys.argv[1],sys.argv[1:])"

    @Test(
        "signals that a parent has blocked end a job all the same, and programs get them too",
        arguments: ["dlp-lua", "dlp-lua -np 2", "ameexec -np 2 dlp-lua"], [SIGINT, SIGTERM])
    func blockedSignals(_ command: String, _ signal: Int32) throws {
        let scratch = try Scratch(
            job: """
                os.execute("grep SigBlk /proc/self/status > mask." .. dlp.RANK)
                io.open("busy." .. dlp.RANK, "w"):close()
                while true do end
                """)
        let words = ["python3", "-c", Self.blocking] + command.split(separator: " ").map { String($0) } + ["job.lua"]
        let launched = try Launched(words, in: scratch)
        let size = command == "dlp-lua" ? 1 : 2
        try launched.reaches("all are busy") { scratch.names.count { $0.hasPrefix("busy.") } == size }
        launched.signal(signal)
        let outcome = try launched.finish()
        #expect(outcome.status == 128 + signal)
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted"), "\(outcome.error)")
        for rank in 0..<size { #expect(scratch.read("mask.\(rank)") == "SigBlk:\t0000000000000000\n") }
    }

    @Test("input that does not wait is read", arguments: ["", "-np 2"])
    func nonBlockingInput(_ ranks: String) throws {
        let scratch = try Scratch(job: "io.open('begun', 'w'):close() function work(line) return line .. '!' end")
        try scratch.write(
            "parent.py",
            """
            import os, subprocess, sys, time
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            job = subprocess.Popen(["dlp-lua"] + sys.argv[1:] + ["job.lua"], stdin=reader)
            while not os.path.exists("begun"): time.sleep(0.01)
            time.sleep(0.1)
            os.write(writer, b"x\\n")
            os.close(writer)
            # The parent's own way of reading stays.
            assert not os.get_blocking(reader)
            sys.exit(job.wait())
            """)
        let outcome = try run("python3 parent.py \(ranks)", in: scratch)
        #expect(outcome.status == 0 && outcome.output == "\"x!\"\n", "\(outcome.output)\(outcome.error)")
    }

    @Test("all output arrives where it does not wait for its reader", arguments: ["", "-np 2"])
    func nonBlockingOutput(_ ranks: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3000 end
                function work() print(("x"):rep(99)) end
                function summarize() end
                """)
        try scratch.write(
            "parent.py",
            """
            import os, subprocess, sys, time
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            job = subprocess.Popen(["dlp-lua"] + sys.argv[1:] + ["job.lua"], stdout=writer)
            os.close(writer)
            time.sleep(0.2)
            count = 0
            while data := os.read(reader, 1 << 16): count += len(data)
            print(job.wait(), count)
            """)
        let outcome = try run("python3 parent.py \(ranks)", in: scratch)
        #expect(outcome.output == "0 300000\n", "\(outcome.output)\(outcome.error)")
    }
}
