import Glibc
import TestSupport
import Testing

@Suite("ameexec and signals", .serialized, .hangLimit)
struct AmeexecSignalTests {
    /// Starts ranks that run `script` and waits until each has written a line.
    private func start(_ count: Int, _ script: String) throws -> Launched {
        let launched = try Launched(["-np", String(count), "sh", "-c", script])
        try eventually("the ranks are ready") { launched.outputText.split(separator: "\n").count >= count }
        return launched
    }

    @Test(
        "a signal is passed on, and the status is that of the ranks",
        arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129), (SIGQUIT, 131)] as [(Int32, Int32)])
    func forwarded(signal: Int32, status: Int32) throws {
        let launched = try start(3, "ulimit -c 0; echo ready; exec sleep 60")
        launched.signal(signal)
        #expect(try launched.wait() == status)
        // For the other two signals, a message would tell the user nothing new.
        #expect(launched.errorText == ([SIGINT, SIGTERM].contains(signal) ? "ameexec: interrupted\n" : ""))
    }

    @Test("ranks may end as they like when interrupted")
    func handled() throws {
        let launched = try start(2, "trap 'echo saved; exit 0' INT; echo ready; while :; do sleep 0.02; done")
        launched.signal(SIGINT)
        #expect(try launched.wait() == 0)
        #expect(launched.outputText.split(separator: "\n").filter { $0 == "saved" }.count == 2)
    }

    @Test("a second SIGINT kills ranks that ignore the first")
    func secondInterrupt() throws {
        let launched = try start(2, "trap 'echo no' INT; trap '' TERM; echo ready; while :; do sleep 0.02; done")
        launched.signal(SIGINT)
        try eventually("both ranks refuse") { launched.outputText.split(separator: "\n").count == 4 }
        usleep(150_000)  // Sooner it would count as the same one.
        launched.signal(SIGINT)
        #expect(try launched.wait() == 130)
    }

    @Test("an ignored signal stays ignored, as under nohup")
    func ignored() throws {
        let launched = try Launched([
            "sh", "-c", "trap '' HUP; exec $(readlink /proc/$PPID/exe) sh -c 'kill -HUP $PPID; echo alive'",
        ])
        #expect(try launched.wait() == 0)
        #expect(launched.outputText == "alive\n")
    }

    @Test("a failure ends ranks that do not end by themselves, their children too")
    func failureEndsAll() throws {
        let word = "60.\(getpid())1"
        let outcome = try ameexec("-np", "3", "sh", "-c", "[ $AME_RANK = 1 ] && exit 3; sleep \(word) & wait")
        #expect(outcome.status == 3)
        #expect(!isRunning(word))
    }

    @Test(
        "nothing outlives the job, in whatever group or session",
        arguments: [
            "sleep WORD & :", "setsid sleep WORD & :", "(trap '' TERM HUP; sleep WORD; sleep WORD) & :",
            // What is below a process that is killed comes to light only then.
            "setsid sh -c 'sh -c \"sleep WORD; true\"; true' & :",
            "setsid sh -c 'trap \"\" TERM; sleep WORD; true' & :",
        ])
    func leftovers(script: String) throws {
        let word = "60.\(getpid())2"
        let script = script.replacing("WORD", with: word)
        #expect(try ameexec("-np", "2", "sh", "-c", script).status == 0)
        #expect(!isRunning(word))
    }

    @Test("nothing outlives an ameexec that is killed")
    func killedLauncher() throws {
        let word = "60.\(getpid())3"
        let launched = try start(3, "trap '' TERM; sleep \(word) & echo ready; wait; sleep \(word)")
        #expect(isRunning(word))
        launched.signal(SIGKILL)
        #expect(try launched.wait() == 137)
        try eventually("the guardian has ended all") { !isRunning(word) }
    }

    @Test("ranks are stopped and continued with the launcher")
    func suspension() throws {
        // SIGTSTP stops no process in an orphaned process group, so the launcher runs in a shell with job control.
        let script = """
            set -m
            state() { read -r _ _ letter _ </proc/$(cat $FILE)/stat; echo $letter; }
            $(readlink /proc/$PPID/exe) sh -c 'echo $$ >$FILE.new; mv $FILE.new $FILE; exec sleep 60' &
            until [ -s $FILE ]; do sleep 0.01; done
            kill -TSTP $!
            wait $!
            echo stopped $?
            until [ $(state) = T ]; do sleep 0.01; done
            kill -CONT $!
            until [ $(state) != T ]; do sleep 0.01; done
            kill -TERM $!
            wait $!
            echo ended $?
            """
        let file = "/tmp/ameexec-test-rank-\(getpid())"
        defer { unlink(file) }
        let launched = try Launched(["-x", "FILE=\(file)", "bash", "-c", script])
        #expect(try launched.wait() == 0)
        let lines = launched.outputText.split(separator: "\n")
        #expect(lines.contains("stopped 148") && lines.contains("ended 143"), "\(lines)")
    }
}

@Suite("Rank 0 and the launcher", .serialized, .hangLimit)
struct AmeexecControlTests {
    private let prelude = """
        import os, signal, socket, sys, time
        rank = os.environ["AME_RANK"]
        control = socket.socket(fileno=int(os.environ["AME_CONTROL_FD"])) if rank == "0" else None

        """

    @Test("a rank 0 that leads is told how workers end, and decides the status")
    func lead() throws {
        // Python may take longer to start on rank 0 than the period that the others get after a failure.
        let file = "/tmp/ameexec-test-led-\(getpid())"
        defer { unlink(file) }
        let script =
            prelude + """
                while rank != "0" and not os.path.exists("\(file)"): time.sleep(0.01)
                if rank == "1": sys.exit(5)
                if rank == "2": os.kill(os.getpid(), signal.SIGKILL)
                control.send(b"lead")
                open("\(file)", "w").close()
                for text in sorted([control.recv(100).decode(), control.recv(100).decode()]): print(text)
                """
        let outcome = try ameexec("-np", "3", "python3", "-c", script)
        #expect(outcome.output == "exited 1 5\nsignalled 2 9\n")
        #expect(outcome.status == 0)
    }

    @Test("a leading rank 0 need not read what it is told")
    func unreadNotices() throws {
        let script =
            prelude + """
                if rank == "0":
                    control.send(b"lead")
                    time.sleep(1.5)
                    print(sum(len(control.recv(100)) > 0 for i in range(599)))
                """
        let outcome = try ameexec("-np", "600", "sh", "-c", "[ $AME_RANK != 0 ] || exec python3 -c '\(script)'")
        #expect(outcome.output == "599\n")
        #expect(outcome.status == 0)
    }

    @Test("workers that stay after a leading rank 0 are ended, without harm to the status")
    func farewell() throws {
        let script =
            prelude + """
                if rank == "0": control.send(b"lead")
                else: time.sleep(60)
                """
        #expect(try ameexec("-np", "2", "python3", "-c", script) == Outcome(status: 0, output: "", error: ""))
    }

    @Test("strange packets and, without a terminal, status texts are ignored")
    func ignoredPackets() throws {
        let script =
            prelude + """
                for packet in b"status 50 %", b"exited 0", b"\\xff\\0", b"x" * 9000: control.send(packet)
                """
        #expect(try ameexec("python3", "-c", script) == Outcome(status: 0, output: "", error: ""))
    }
}
